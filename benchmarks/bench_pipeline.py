"""What the pipeline costs around the network: `python -m benchmarks.bench_pipeline [--rounds 3]`.

Run it after `dvc repro`. Absolute times vary from machine to machine, so what is compared is measured in turns and the medians
are divided; the cost of more samples, pages and runs is processor time, and drawn into docs/linear_cost.png. Memory is what
training takes beyond the imported modules. Trainings go into a store and folders of their own. Where a floor is missed, the
status is 1.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.bench_nn import holds
from pipeline.common.paths import ROOT

COUNTS = {"samples": (1800, 3600, 7200), "pages": (1, 2, 4), "runs": (2, 4, 8)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="times each thing is measured (default: 3)")
    arguments = parser.parse_args()
    print(f"{'what':76} {'measured':>8}  {'floor':7} holds")
    with tempfile.TemporaryDirectory() as scratch:
        missed = False
        for what, measured, floor in contests(arguments.rounds, Path(scratch)):
            kept = "-" if measured is None else "yes" if holds(measured, floor) else "no"
            missed |= kept == "no"
            print(f"{what:76} {'-' if measured is None else f'{measured:.2f}':>8}  {floor:7} {kept}", flush=True)
    sys.exit(missed)


def contests(rounds: int, scratch: Path) -> Iterator[tuple[str, float | None, str]]:
    """Yield `(what, measured, floor)`, row by row of the table."""
    for model in ("mlp", "cnn"):
        yield (
            f"peak memory of training ({model}) / float32 inputs (N x 1024 x 4 bytes)",
            float(output("-c", MEMORY, model)),
            "<= 2.5",
        )
    yield "generator: characters a second, 2 processes / 1", float(output("-c", WORKERS, str(rounds))), ">= 1.7"
    yield "generator: characters a processor second", float(output("-c", GENERATOR)), ">= 2500"
    yield "dvc repro with nothing changed / dvc version (run dvc repro first)", idle_repro(rounds), "<= 1.5"
    yield "python -m pipeline.train: seconds until its first epoch begins", start_of_training(rounds, scratch), "<= 3"
    costs = {
        "samples": [cost_of_samples(n, scratch) for n in COUNTS["samples"]],
        "pages": [cost_of_pages(n, scratch) for n in COUNTS["pages"]],
        "runs": [cost_of_runs(n, scratch) for n in COUNTS["runs"]],
    }
    for name, seconds in costs.items():
        yield (
            f"cost of twice as many {name}, over twice the cost ({COUNTS[name][-1]} against {COUNTS[name][-2]})",
            seconds[-1] / seconds[-2] / 2,
            "<= 1.1",
        )
    draw(costs)


MEMORY = """
import resource, sys
import numpy as np
from pathlib import Path
from hydra import compose, initialize_config_dir
from pipeline.config import schema as config
from pipeline import train
from pipeline.characters.dataset import Characters, Splits
from pipeline.nn.network import build_network
from pipeline.nn.training import fit
from functools import partial
from pipeline.characters.augment import augment

with initialize_config_dir(str(Path("conf").resolve()), version_base="1.3"):
    read = config.read(compose("config", [f"model={sys.argv[1]}", "train.epochs=2"]), train.SECTIONS)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
rng = np.random.default_rng(0)
parts = [(rng.integers(0, 256, (n, 32, 32), np.uint8), rng.integers(0, 36, n, np.uint8)) for n in (10_800, 3_600)]
fit(build_network(read.model, (32, 32), 36, rng), *parts, read.train, 0, augment=partial(augment, options=read.augment))
print((peak() - before) / (14_400 * 1024 * 4))
"""
"""In a process of its own, for a peak never goes down. The data set is what the network sees: pixels as float32."""


WORKERS = """
import statistics, sys, time
from pathlib import Path
from hydra import compose, initialize_config_dir
from pipeline import prepare
from pipeline.config import schema as config
from pipeline.synthesis import strokes
from pipeline.synthesis.stroke_library import load_library

with initialize_config_dir(str(Path("conf").resolve()), version_base="1.3"):
    read = config.read(compose("config"), prepare.SECTIONS)
library = load_library(Path(read.data.library))
seconds = {1: [], 2: []}
strokes.generate(library, read.alphabet, read.strokes, 30, 1, 1, 0, 2)  # starts the processes
for _ in range(int(sys.argv[1])):
    for workers in seconds:
        started = time.perf_counter()
        strokes.generate(library, read.alphabet, read.strokes, 200, 1, 1, 0, workers)
        seconds[workers].append(time.perf_counter() - started)
print(statistics.median(seconds[1]) / statistics.median(seconds[2]))
"""


GENERATOR = """
import time
from pathlib import Path
import numpy as np
from hydra import compose, initialize_config_dir
from pipeline.config import schema as config
from pipeline.prepare import stream

with initialize_config_dir(str(Path("conf").resolve()), version_base="1.3"):
    read = config.read(compose("config"), prepare.SECTIONS)
source = stream(read)
source.sample(20)  # lays out the library
started = time.process_time()
drawn = source.sample(100)
print(len(drawn) / (time.process_time() - started))
"""


def output(*arguments: str, **environment: str) -> str:
    """What `python ARGUMENTS` prints, run in the project."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env={**os.environ, **environment}, check=True, text=True, stdout=subprocess.PIPE
    ).stdout


def seconds(work: Callable[[], object]) -> float:
    """Wall time."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of the processes it starts: the same work costs the same beside others."""
    before = os.times()
    work()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def idle_repro(rounds: int) -> float | None:
    """None if the pipeline is not up to date, and `dvc repro` would work for minutes."""
    if json.loads(output("-m", "dvc", "status", "--json")):
        return None
    times = [
        (seconds(lambda: output("-m", "dvc", "repro")), seconds(lambda: output("-m", "dvc", "version"))) for _ in range(rounds)
    ]
    return statistics.median(repro for repro, _ in times) / statistics.median(version for _, version in times)


def train(scratch: Path, *overrides: str) -> tuple[str, float]:
    """What a training prints, with a store and an output folder of its own, and when its first line came, in seconds."""
    command = [sys.executable, "-m", "pipeline.train", *overrides, f"hydra.run.dir={scratch}/train"]
    environment = {**os.environ, "DVC_ROOT": str(scratch)}
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "epoch 1/" in line:
                came = time.perf_counter() - started
    return "".join(lines), came


def start_of_training(rounds: int, scratch: Path) -> float:
    """From the start of the process to the start of its first epoch, tracking and all; the data are prepared."""
    times = []
    for _ in range(rounds + 1):
        printed, came = train(scratch, "train.epochs=1", "train.resume=false")
        times.append(came - float(re.search(r"epoch 1/.* ([\d.]+) s", printed)[1]))
    return statistics.median(times[1:])  # the first brought the files into the cache


def cost_of_samples(count: int, scratch: Path) -> float:
    """Preparing `count` training characters, and three epochs over them."""
    arguments = [
        "data.fresh=false",
        f"data.train_per_class={count // 36}",
        "data.valid_per_class=4",
        "data.test_per_class=1",
        f"hydra.run.dir={scratch}/samples",
    ]
    training = [*arguments, "model=mlp", "train.epochs=3", "train.resume=false", "tracking.uri=none"]
    prepare = cpu_seconds(lambda: output("-m", "pipeline.prepare", *arguments))
    return prepare + cpu_seconds(lambda: output("-m", "pipeline.train", *training))


def cost_of_pages(count: int, scratch: Path) -> float:
    """Reading the same rendered page `count` times."""
    page = sorted((ROOT / "prepared/pages").glob("*.jpg"))[0]
    arguments = [f"ocr.pages=[{','.join([str(page)] * count)}]", f"ocr.output={scratch}/pages", "tracking.uri=none"]
    return cpu_seconds(lambda: output("-m", "pipeline.ocr", *arguments))


def cost_of_runs(count: int, scratch: Path) -> float:
    """A sweep of `count` short trainings, one after the other."""
    arguments = [
        "experiment=course_mlp",
        "train.epochs=10",
        f"seed=range({count})",
        "sweep.rerun=true",
        f"hydra.sweep.dir={scratch}/sweep{count}",
    ]
    return cpu_seconds(lambda: output("-m", "pipeline.train", "-m", *arguments, DVC_ROOT=str(scratch)))


def draw(costs: dict[str, list[float]]) -> None:
    from pipeline import figures

    figure = figures.linear_cost({name: (COUNTS[name], values) for name, values in costs.items()}, "Cost of more")
    figures.save(figure, ROOT / "docs/linear_cost.png", dpi=110)


if __name__ == "__main__":
    main()
