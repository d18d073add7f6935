"""The same bits on every x86-64 processor with AVX2: a short training, generated characters and a rendered page."""

import os
import re
import subprocess
import sys
from importlib.metadata import version

import pytest

from pipeline.common import processor
from tests.conftest import ROOT, clean_environment

ANOTHER_MACHINE = {
    "OPENBLAS_CORETYPE": "Sandybridge",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "LC_ALL": "C.UTF-8",
    "TZ": "Pacific/Auckland",
}
"""What makes OpenBLAS and NumPy behave as on a processor without AVX2."""

DIGEST = {
    "training": "a4d1d15b542d1acc2c047fb8cfbe2fd3",
    "ten characters": "b201528de370f607828f635ce4104b9a",
    "page": "b3e10488204bdbb8591d9022add2e1e2",
}
"""md5 of what `DIGESTS` makes. Whoever changes them changes every network that `dvc repro` trains: let it be on purpose."""

DIGESTS = """
from functools import partial
from hashlib import md5
from pathlib import Path
import pipeline
import numpy as np
from hydra import compose, initialize_config_dir
from pipeline.characters.augment import augment
from pipeline.characters.options import AugmentOptions
from pipeline.config.schema import read
from pipeline.nn.network import build_network
from pipeline.nn.options import ModelOptions, TrainOptions
from pipeline.nn.training import fit
from pipeline.prepare import SECTIONS
from pipeline.synthesis.render import render_pages
from pipeline.synthesis.stroke_library import load_library
from pipeline.synthesis.strokes import generate

with initialize_config_dir(str(Path("conf").resolve()), version_base="1.3"):
    chosen = ["alphabet=handprint", "data=strokes", "strokes=handprint", "augment=photo"]  # not what was promoted
    values = compose("config", [*chosen, "pages.width=600", "pages.height=400"])
    config = read(values, {**SECTIONS, "augment": AugmentOptions})
library = load_library(Path(config.data.library))
characters = generate(library, config.alphabet, config.strokes, 1, 1, 1, seed=0, workers=1).train
_, page, _ = next(render_pages(library, {"page": "THE QUICK\\nBROWN FOX 12"}, config.pages))
model = ModelOptions("cnn", [16], "relu", 0.1, "he", 0.0, [8, 8], 5)
network = build_network(model, (32, 32), config.alphabet.classes, np.random.default_rng(0))
options = TrainOptions("adam", 0.003, 12, 3, 0.9, 0.01, "cosine", 1, 1.0, 1.0, "mean", 0, 0.0)
data = (characters.images, characters.labels)
fit(network, data, data, options, seed=0, augment=partial(augment, options=config.augment))
for name, array in {"training": network.weights, "ten characters": characters.images[:10], "page": page}.items():
    print(name, md5(np.ascontiguousarray(array)).hexdigest())
"""


def run(code: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**clean_environment(), processor.NATIVE: "0", **environment},
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


@pytest.mark.skipif(not processor.has_avx2(), reason="only x86-64 processors with AVX2 share their bits")
def test_training_characters_and_pages_have_the_bits_that_they_always_had_here_and_on_another_machine():
    here = run(DIGESTS)
    assert run(DIGESTS, **ANOTHER_MACHINE) == here
    if other := other_versions():
        pytest.skip(f"other bits are to be expected from {', '.join(other)}: requirements.lock holds other versions")
    assert dict(line.rsplit(" ", 1) for line in here if line) == DIGEST


def other_versions() -> list[str]:
    """The libraries whose bits count, with their versions, where they are not those that the constants were taken with."""
    lock = (ROOT / "requirements.lock").read_text()  # it may hold one version for older Pythons and one for newer
    found = {name: version(name) for name in ("numpy", "scipy", "pillow")}
    return [f"{name} {number}" for name, number in found.items() if not re.search(rf"^{name}=={re.escape(number)}\s", lock, re.M)]


def test_importing_the_project_does_not_import_numpy_before_the_kernels_are_chosen():
    assert run("import sys, pipeline; print('numpy' in sys.modules)")[0] == "False"


@pytest.mark.skipif(not processor.has_avx2(), reason="other processors keep their own kernels")
@pytest.mark.parametrize(
    "before, environment, expected",
    [
        ("", {}, "Haswell, AVX2"),
        ("", ANOTHER_MACHINE, "Haswell, AVX2"),
        ("", {"NPY_ENABLE_CPU_FEATURES": "X86_V3"}, "Haswell, AVX2"),
        ("import numpy", {}, "native (NumPy was loaded before)"),
        ("", {"HANDPRINT_NATIVE": "1"}, "native (HANDPRINT_NATIVE is set)"),
    ],
)
def test_the_kernels_are_chosen_and_told(before, environment, expected):
    clean = {key: "" for key in ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")}
    code = f"{before}\nimport pipeline, numpy\nfrom pipeline.common import processor\nprint(processor.kernels())"
    assert run(code, **{**clean, **environment})[0] == expected


def test_the_tests_themselves_run_on_the_chosen_kernels():
    if not os.environ.get(processor.NATIVE) and processor.has_avx2():
        assert processor.kernels() == "Haswell, AVX2"


def test_every_python_gets_the_same_numpy():
    """Other versions carry other kernels, and some of them crash: those of NumPy 2.5.2 to 2.5.5, in float64 products."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    (version,) = re.findall(r"^numpy==([\d.]+)", lock, re.MULTILINE)
    assert version.startswith("2.4.")
