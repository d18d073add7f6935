"""Every command of the documentation is run, as it is printed there. One that is in no test makes the first test fail.

The commands run in a copy of the project whose conf/ makes it small: what is tested is that they do what they say, not how well
the small networks read. Where a document leaves a name to its reader (`FILE.npz`, `SCANS`), there is such a file.
"""

import json
import re
import shutil
import socket
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Callable
from importlib.metadata import metadata
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from PIL import Image

from pipeline.config.composition import compose_conf
from scripts.update_docs import MADE, NEEDED
from tests.conftest import ROOT, clean_environment
from tests.servers import free_port, started
from tests.store import runs_of
from tests.test_config import STAGES
from tests.test_pipeline import edit, shrink

DOCUMENTS = [ROOT / name for name in ("README.md", "docs/loop.md", "docs/scaling.md", "docs/forms.md")]
PROGRAMS = ("base64", "curl", "dvc", "export", "git", "make", "mlflow", "pip", "python", "source", "(printf")

READ = [  # with the networks of `make repro`, where they are: seconds
    "python -m pipeline.read prepared/pages/6_note.jpg",
    "python -m pipeline.read photo.jpg --formats all",
    "python -m pipeline.read prepared/forms/exam_cover --form exam_cover",
    "python -m pipeline.read prepared/pages --jobs -1 --pdf one > outputs/pages.txt",
    "python -m pipeline.read SCANS --form my_form.yaml --reject-below 0.9",
    "python -m pipeline.read --help",
    "python -m pipeline.read SCANS --formats txt,csv",
    "python -m pipeline.read prepared/forms/exam_cover/2.jpg --form exam_cover",
]
LOOP = [  # one after the other, in the small copy: half an hour
    "make repro",
    "source .venv/bin/activate",
    "dvc repro",
    "dvc repro evaluate",
    "dvc repro ink",
    "dvc repro ocr",
    "python -m pipeline.prepare",
    "python -m pipeline.train",
    "python -m pipeline.evaluate",
    "python -m pipeline.visualize",
    "python -m pipeline.fill",
    "python -m pipeline.ink",
    "python -m pipeline.words",
    "python -m pipeline.lattice",
    "python -m pipeline.ocr",
    "python -m pipeline.train train.lr=0.02 model.hidden=[256]",
    "python -m pipeline.train train=adam model=mlp",
    "python -m pipeline.train train.check_gradients=true",
    "python -m pipeline.evaluate evaluate.on=FILE.npz",
    "python -m pipeline.evaluate evaluate.on=emnist_test.npz",
    "python -m pipeline.ocr ocr.pages=FOLDER ocr.output=TEXTS",
    "dvc params diff",
    "dvc metrics show",
    "dvc plots show",
    "dvc dag",
    "python -m pipeline.train -m experiment=grid",
    "python -m pipeline.train -m experiment=grid hydra/launcher=joblib",
    "python -m pipeline.promote --dry-run",
    "python -m pipeline.promote",
    "git diff conf && dvc repro",
    "git diff conf/champion.yaml && dvc repro",
    "git checkout conf && dvc repro",
    "dvc exp run -S conf/train/adam.yaml:lr=0.02",
    "dvc remote add -d elsewhere s3://bucket/handprint",
    "dvc push",
    "make docs",
]
SERVERS = [
    "make ui",
    "python -m pipeline.tracking serve --port 5001",
    '(printf \'{"inputs": [[[0]]], "params": {"page": "\'; base64 < photo.jpg | tr -d \'\\n\'; printf \'"}}\') | '
    "curl 127.0.0.1:5001/invocations -H 'Content-Type: application/json' -d @-",
]
LOGIN = [
    "export MLFLOW_FLASK_SERVER_SECRET_KEY=$(openssl rand -hex 16) MLFLOW_AUTH_ADMIN_PASSWORD=...",
    "mlflow server --app-name basic-auth --host 0.0.0.0 --allowed-hosts mlflow.example.org "
    "--backend-store-uri sqlite:///server.db --artifacts-destination ./artifacts",
    "export MLFLOW_TRACKING_USERNAME=admin MLFLOW_TRACKING_PASSWORD=...",
    "python -m pipeline.train -m experiment=grid tracking=server tracking.uri=https://mlflow.example.org",
]
INSTALL = [
    "pip install 'optuna>=4,<5'",
    "pip install hydra-submitit-launcher",
    "pip install 'mlflow[auth]'",
    "pip install 'dvc[s3]'",
]
ELSEWHERE = {  # command -> the file, and what in it runs the command
    "python -m pipeline.search": ("tests/test_sweep.py", "pipeline.search"),
    "python -m pipeline.read": ("tests/batch/test_batch.py", "pipeline.read"),
    "mlflow server --backend-store-uri postgresql://... --artifacts-destination s3://bucket/mlflow": (
        "tests/test_tracking.py",
        "test_a_server_on_postgresql",
    ),
    "python -m benchmarks.bench_pipeline": ("benchmarks/bench_pipeline.py", "def main"),  # half an hour
    "make bench-ocr": ("benchmarks/bench_ocr.py", "def main"),  # half an hour beside two other readers
}
IN_NO_TEST = "say in tests/test_readme.py how it is run"


def commands(document: Path) -> list[str]:
    """The commands of a document in their order: lines of indented blocks, and code within sentences, without comments."""
    text = re.sub(r"<!-- (reports/|prints).*?<!-- / -->", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    found, before = [], ""
    for line in text.splitlines():
        if line.startswith("    ") and not before and not line.lstrip().startswith(PROGRAMS):
            continue
        if line.startswith("    "):
            whole = (before + re.sub(r"\s+# .*", "", line).strip()).strip()
            before = whole.removesuffix("\\").rstrip() + " " if whole.endswith(("\\", "|")) else ""
            found += [] if before else [whole]
        else:
            found += [re.sub(r"\s+", " ", code) for code in re.findall(r"`([^`]+)`", line)]
    sentences = re.sub(r"```.*?```|^    .*?$", "", text, flags=re.DOTALL | re.MULTILINE)
    found += [re.sub(r"\s+", " ", code) for code in re.findall(r"`([^`]+)`", sentences)]  # those broken over two lines
    comments = re.findall(r"# .*?(pip install [^\s;]+)", text)
    return list(dict.fromkeys(command for command in found + comments if command.startswith(PROGRAMS) and " " in command))


def test_every_command_of_the_documentation_is_run_by_a_test():
    printed = {command for document in DOCUMENTS for command in commands(document)}
    run = {*READ, *LOOP, *SERVERS, *LOGIN, *INSTALL, *ELSEWHERE}
    assert not printed - run, IN_NO_TEST
    assert not run - printed, "no document has them any more"
    for file, text in ELSEWHERE.values():
        assert text in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_value_that_a_document_gives_is_read_by_a_stage(document):
    """Code within sentences that is no whole command: `seed=1,2,3`, `data=folder data.root=FOLDER`."""
    words = re.findall(r"`([a-z_/]+(?:\.[a-z_]+)*=[^`]+)`", document.read_text(encoding="utf-8"))
    for word in [word for text in words for word in re.findall(r"(?:\"[^\"]*\"|\S)+", text) if "=" in word]:
        key, _, value = word.replace('"', "'").partition("=")
        one = value if value.startswith(("[", "'")) else value.split(",")[0]
        if key.startswith("MLFLOW_") or "..." in value:
            continue
        installed = key != "hydra/launcher" or not value.startswith("submitit")
        if installed and not key.startswith("hydra.launcher"):
            compose_conf([f"{key}={one}"], "one", {**{name: 0 for sections in STAGES.values() for name in sections}, "sweep": 0})


@pytest.mark.parametrize("command", INSTALL)
def test_what_a_document_says_to_install_is_an_extra_of_the_project_or_of_what_it_needs(command):
    asked = Requirement(command.removeprefix("pip install ").strip("'"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [Requirement(text) for group in project["optional-dependencies"].values() for text in group]
    if asked.extras:
        assert asked.extras <= set(metadata(asked.name).get_all("Provides-Extra"))
    else:
        assert [one for one in extras if one.name == asked.name and asked.specifier in (one.specifier, "")]


# Reading: the networks of `make repro`

made = pytest.mark.skipif(not all(path.exists() for path in MADE), reason="`make repro` has not made the models yet")


@pytest.fixture(scope="module")
def reader(tmp_path_factory) -> Path:
    """A folder with the project's files, a photo, and scans of a form that docs/forms.md describes."""
    folder = tmp_path_factory.mktemp("reader")
    for name in NEEDED:
        (folder / name).symlink_to(ROOT / name)
    lay_out(folder)
    described = (ROOT / "docs/forms.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (folder / "my_form.yaml").write_text(described, encoding="utf-8")
    Image.open(ROOT / "prepared/forms/exam_cover.png").convert("L").save(folder / "exam.pdf")
    (folder / "SCANS").mkdir()
    first = sorted((ROOT / "prepared/forms/exam_cover").glob("*.jpg"))[0]
    shutil.copy(first, folder / "SCANS")
    return folder


def lay_out(folder: Path) -> None:
    """What the documents leave to their reader: a rendered photo, a folder of one, files of characters."""
    photo = ROOT / "prepared/pages/6_note.jpg"
    (folder / "FOLDER").mkdir()
    if photo.exists():
        shutil.copy(photo, folder / "photo.jpg")
        shutil.copy(photo, folder / "FOLDER")
    else:
        Image.fromarray(np.full((200, 300), 255, np.uint8)).save(folder / "photo.jpg")
    rng = np.random.default_rng(0)
    for name in ("FILE.npz", "emnist_test.npz"):
        np.savez(folder / name, images=rng.integers(0, 256, (36, 28, 28), np.uint8), labels=np.arange(36, dtype=np.uint8))


def shell(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a line as a user's shell would, in an activated environment; it must succeed."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=clean_environment() | environment, text=True, capture_output=True, timeout=1800
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def pages_read(folder: Path, name: str) -> set[str]:
    return {path.suffix for path in (folder / "outputs/read").glob(f"{name}*")}


CHECKS: dict[str, Callable[[Path, str], object]] = {
    READ[0]: lambda folder, printed: len(printed.split()) > 15,
    READ[1]: lambda folder, printed: pages_read(folder, "photo") >= {".txt", ".json", ".hocr", ".pdf", ".csv", ".png"},
    READ[2]: lambda folder, printed: (folder / "outputs/read/forms.csv").read_text().count("\n") > 1,
    READ[3]: lambda folder, printed: max(file.stat().st_size for file in (folder / "outputs").rglob("*.pdf")) > 10_000,
    READ[4]: lambda folder, printed: "quantity_8" in (folder / "outputs/read/forms.csv").read_text(),
    READ[5]: lambda folder, printed: "--formats" in printed,
    READ[6]: lambda folder, printed: {path.suffix for path in (folder / "outputs/read").rglob("*.*")} >= {".txt", ".csv"},
    READ[7]: lambda folder, printed: "course:" in printed,
}


@made
@pytest.mark.parametrize(
    "command",
    [
        *READ[:2],
        *(pytest.param(command, marks=pytest.mark.slow) for command in READ if command not in READ[:2] + READ[5:6]),
        READ[5],
    ],
)
def test_photos_and_forms_are_read(reader, command):
    shutil.rmtree(reader / "outputs", ignore_errors=True)
    (reader / "outputs").mkdir()
    assert CHECKS[command](reader, shell(reader, command).stdout)


# The loop, in a small copy of the project


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """A clone in a folder of an awkward name, whose conf/ makes it small, with the environment of these tests as its own."""
    project = tmp_path_factory.mktemp("loop") / "my project #2"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, project / name)
    shrink(project)
    edit(project / "conf/experiment/course_mlp.yaml", "  epochs", 2)
    edit(project / "conf/ocr/pages.yaml", "straighten", "false")  # a network that knows nothing tries every side in vain
    lay_out(project)
    environment = project / ".venv"
    environment.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(Path(sys.prefix) / name)
    (environment / ".locked").write_text(f"{environment}\n")
    ours = "/FOLDER /TEXTS /FILE.npz /emnist_test.npz /photo.jpg /remote /artifacts /server.db /basic_auth.db /dvc_plots"
    (project / ".gitignore").write_text((ROOT / ".gitignore").read_text() + "\n" + ours.replace(" ", "\n") + "\n")
    shell(project, f"git init -q; git add .; {COMMIT}")
    return project


COMMIT = "git -c user.name=t -c user.email=t@t commit -qam 'a commit'"


def newest(project: Path) -> dict[str, str]:
    """The parameters of the newest training that is no job of a sweep."""
    return next(run for run in runs_of(project)[2] if "sweep" not in run.data.tags).data.params


def accuracy(project: Path) -> float:
    return json.loads((project / "reports/metrics/train.json").read_text())["valid/accuracy"]


def champion_is_reproduced(project: Path, printed: str) -> bool:
    client, _, _ = runs_of(project)
    best = client.get_run(client.get_model_version_by_alias("handprint", "champion").run_id)
    return "champion.yaml" in printed and accuracy(project) == best.data.metrics["best/valid/accuracy"]


def chosen_is_what_runs(project: Path, _: str) -> bool:
    """After the promotion of a small mlp that was trained by plain steps, a choice of files replaces what was promoted."""
    shell(project, "python -m pipeline.train train=adam model=cnn hydra.run.dir=outputs/chosen")
    return newest(project)["train.optimizer"] == "adam" and newest(project)["model.name"] == "cnn"


AFTER: dict[str, Callable[[Path, str], object]] = {  # what holds after a command of LOOP
    "make repro": lambda project, printed: shell(project, f"git diff --exit-code conf && {COMMIT}"),
    "dvc repro": lambda _, printed: "up to date" in printed and "Running" not in printed,
    "source .venv/bin/activate": lambda project, printed: shell(project, "python -c 'import pipeline'"),
    LOOP[14]: lambda project, _: newest(project)["train.lr"] == "0.02" and newest(project)["model.hidden"] == "[256]",
    LOOP[15]: lambda project, _: newest(project)["model.name"] == "mlp",
    LOOP[16]: lambda _, printed: "relative error" in printed,
    LOOP[17]: lambda _, printed: json.loads(printed.splitlines()[-1])["n"] == 36,
    LOOP[19]: lambda project, _: (project / "TEXTS/6_note.json").exists(),
    "dvc metrics show": lambda _, printed: "valid/accuracy" in printed or "valid" in printed,
    "dvc dag": lambda _, printed: "prepare" in printed,
    LOOP[24]: lambda _, printed: "27/27 done, 0 running, 0 failed" in printed,
    LOOP[25]: lambda _, printed: "27 skipped" in printed,
    "python -m pipeline.promote --dry-run": lambda project, _: not shell(project, "git status --porcelain conf").stdout,
    "python -m pipeline.promote": lambda project, printed: "is the champion" in printed,
    "git diff conf && dvc repro": lambda *given: champion_is_reproduced(*given) and chosen_is_what_runs(*given),
    "git checkout conf && dvc repro": lambda project, _: not shell(project, "git status --porcelain conf dvc.lock").stdout,
    LOOP[31]: lambda project, _: newest(project)["train.lr"] == "0.02",
    "dvc push": lambda project, _: len([*(project / "remote").rglob("*")]) > 10,
    "make docs": lambda project, _: (project / "outputs/site/loop/index.html").exists(),
}


@pytest.mark.loop
@pytest.mark.skipif(not shutil.which("make"), reason="no make")
def test_the_loop_in_a_folder_of_an_awkward_name(small):
    for command in LOOP:
        done = shell(small, command.replace("s3://bucket/handprint", "remote"))
        assert command not in AFTER or AFTER[command](small, done.stdout) is not False, f"{command}\n{done.stdout}\n{done.stderr}"


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.loop
@pytest.mark.skipif(not (is_free(5000) and is_free(5001)), reason="the documented ports are taken")
def test_the_runs_are_shown_and_the_champion_answers(small):
    """After the loop, which went back to what was there before: the champion gets the line model of its own alphabet."""
    shell(small, "python -m pipeline.promote --force && dvc repro lattice && python -m pipeline.promote --force")
    ui, serve, ask = SERVERS
    log = small.parent / "server.log"
    with started(["bash", "-c", f"exec {ui}"], "http://127.0.0.1:5000/health", small, log):
        page = urllib.request.urlopen("http://127.0.0.1:5000/").read()
        assert b"MLflow" in page and "The newest sweep: http" in log.read_text()
    with started(["bash", "-c", f"exec {serve}"], "http://127.0.0.1:5001/ping", small, log):
        assert "text" in json.loads(shell(small, ask).stdout)["predictions"]


@pytest.mark.slow
def test_a_sweep_on_a_server_with_a_login(small):
    """The lines of docs/scaling.md in one shell, on this machine, without TLS."""
    pytest.importorskip("flask_wtf", reason="mlflow[auth] is not installed")
    port = free_port()

    def here(command: str) -> str:
        command = command.replace("https://mlflow.example.org", f"http://127.0.0.1:{port}").replace("0.0.0.0", "127.0.0.1")
        return command.replace("mlflow.example.org", f"127.0.0.1:{port}").replace("PASSWORD=...", "PASSWORD=twelve-letters")

    secret, server, login, train = map(here, LOGIN)
    run_server = ["bash", "-c", f"{secret}; exec {server} --port {port}"]
    with started(run_server, f"http://127.0.0.1:{port}/health", small, small.parent / "server.log"):
        refused = subprocess.run(["bash", "-c", train], cwd=small, env=clean_environment(), text=True, capture_output=True)
        assert "MLFLOW_TRACKING_USERNAME" in refused.stderr and "Traceback" not in refused.stderr, refused.stderr
        done = shell(small, f"{login}; {train}; python -m pipeline.promote tracking=server tracking.uri=http://127.0.0.1:{port}")
        assert "27/27 done" in done.stdout and f"compare its runs: http://127.0.0.1:{port}/#/experiments/" in done.stderr
        assert "is the champion" in done.stdout
