"""Nothing lost, by the commands a user types: kills, interrupts, full disks, stores that are down, hostile files."""

import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.characters import CLASSES
from pipeline.common.errors import ConfigError
from pipeline.config.conf_files import check_file
from pipeline.nn.network import build_network, save_network
from pipeline.nn.options import ModelOptions
from pipeline.nn.unet import UNetOptions, build_unet, save_unet
from pipeline.seeing.windows import SHAPE
from pipeline.tracking.origin import this_process
from tests.conftest import clean_environment, copy_project
from tests.servers import free_port
from tests.test_pipeline import edit

OPTIONS = ["data=npz", "data.root=characters.npz", "model=mlp", "model.hidden=[16]", "augment=none", "train=adam"]
TRAIN = ["pipeline.train", *OPTIONS, "train.lr=0.0003", "train.epochs=150"]
"""A training of seconds that still gets better in its last epochs: weights and history tell where it has been."""

BRIEF = ["pipeline.train", *OPTIONS, "train.epochs=2"]
UNTRACKED = "tracking.uri=none"


def write_characters(path: Path, per_class: int = 20, classes: int = 36) -> None:
    """Noisy characters that a network learns slowly."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), per_class)
    shapes = rng.random((36, 32, 32)) < 0.5
    flips = rng.random((len(labels), 32, 32)) < 0.35
    np.savez(path, images=np.where(shapes[labels] ^ flips, 255, 0).astype(np.uint8), labels=labels)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with characters to train on."""
    project = copy_project(tmp_path / "project")
    write_characters(project / "characters.npz")
    return project


def start(project: Path, *arguments: str) -> subprocess.Popen:
    """Start a module in the copy of the project; it leads a process group of its own, and listens to SIGINT, which it
    would not if the tests themselves run in the background of a shell."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=project,
        env=clean_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(condition: Callable[[], object], process: subprocess.Popen) -> bool:
    """Wait until the condition holds, or the process has ended."""
    while not condition() and process.poll() is None:
        time.sleep(0.002)
    return process.poll() is None


def kill(project: Path, process: subprocess.Popen, after: float, checkpoint: str = "checkpoints/train.npz") -> None:
    """Kill the process and its children at a moment of its training: `after` seconds past its next checkpoint."""
    path = project / checkpoint
    before = path.stat().st_mtime_ns if path.exists() else None
    wait_for(lambda: path.exists() and path.stat().st_mtime_ns != before, process)
    time.sleep(after)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def results(project: Path) -> tuple[bytes, bytes]:
    """What must be the same, bit for bit, however often a training was killed."""
    return (project / "models/model.npz").read_bytes(), (project / "reports/history.csv").read_bytes()


def one_line(done: subprocess.CompletedProcess, *said: str, status: int = 1) -> None:
    """The command failed with one clear line."""
    assert done.returncode == status, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr, done.stderr
    assert all(word in done.stderr for word in said), done.stderr


def leftovers(folder: Path) -> list[Path]:
    """Temporary files that should be gone."""
    return [
        path
        for path in folder.rglob(".*")
        if path.is_file() and not {".dvc", ".git"} & set(path.parts) and path.name not in (".dvcignore", ".gitignore", ".lock")
    ]


# Kills and interrupts


def killed_and_resumed(project: Path, run, moments: int) -> None:
    run(*TRAIN, UNTRACKED)
    unbroken = results(project)
    shutil.rmtree(project / "models")
    shutil.rmtree(project / "reports")
    rng = random.Random(moments)
    for moment in range(moments):
        process = start(project, *TRAIN, UNTRACKED)
        if moment % 4 == 3:  # anywhere from the first import on, not only in the training
            time.sleep(3 * rng.random())
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        else:
            kill(project, process, rng.random())
        if not (project / "checkpoints/train.npz").exists():  # it got to its end before it was killed
            shutil.rmtree(project / "models", ignore_errors=True)
    if (project / "checkpoints/train.npz").exists():
        changed = run(*TRAIN, UNTRACKED, "train.lr=0.0004", check=False)
        one_line(changed, "checkpoints/train.npz", "train.lr was 0.0003, is 0.0004")
        assert "going on from" in run(*TRAIN, UNTRACKED).stdout
    else:
        run(*TRAIN, UNTRACKED)
    assert results(project) == unbroken
    assert not (project / "checkpoints/train.npz").exists()


def test_killed_and_started_again_gives_the_same_bytes(project, run):
    killed_and_resumed(project, run, 2)


@pytest.mark.slow
def test_killed_at_twenty_random_moments(project, run):
    killed_and_resumed(project, run, 20)


@pytest.mark.slow
def test_dvc_repro_goes_on_after_it_was_killed(project):
    """DVC removes what a stage wrote before it runs the stage; the checkpoint lies elsewhere. Its locks die with it."""
    for file, key, value in (
        ("data/strokes", "train_per_class", 4),
        ("data/strokes", "valid_per_class", 2),
        ("data/strokes", "test_per_class", 2),
        ("model/cnn", "channels", [4, 4]),
        ("train/adam", "epochs", 150),
        ("tracking/local", "uri", "none"),
    ):
        edit(project / f"conf/{file}.yaml", key, value)
    for text in sorted((project / "data/pages").glob("*.txt"))[1:]:
        text.unlink()
    for command in (
        ["git", "init", "-q"],
        ["git", "add", "."],
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"],
        [sys.executable, "-m", "dvc", "add", "-q", "data"],
        [sys.executable, "-m", "dvc", "repro", "prepare"],
    ):
        subprocess.run(command, cwd=project, env=clean_environment(), check=True, capture_output=True)
    kill(project, start(project, "dvc", "repro", "train"), 0.5)
    assert not (project / "models/model.npz").exists()
    (project / ".dvc/tmp/lock").write_text("stale")
    seen = []
    for arguments in ([], ["--force", "--single-item"]):  # the second starts afresh
        done = subprocess.run(
            [sys.executable, "-m", "dvc", "repro", *arguments, "train"],
            cwd=project,
            env=clean_environment(),
            text=True,
            capture_output=True,
            check=True,
        )
        seen.append(("going on from" in done.stdout, results(project)))
    (resumed, again), (afresh, unbroken) = seen
    assert resumed and not afresh and again == unbroken


def test_an_interrupt_saves_the_best_weights_and_says_how_to_go_on(project):
    process = start(project, *TRAIN, "train.epochs=5000")
    wait_for((project / "checkpoints/train.npz").exists, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    (line,) = err.strip().splitlines()
    assert "interrupted after epoch" in line and "same command goes on" in line
    assert (project / "models/model.npz").exists() and (project / "checkpoints/train.npz").exists()
    with sqlite3.connect(project / "mlflow.db") as store:
        assert store.execute("select status from runs").fetchall() == [("KILLED",)]
        assert store.execute("select value from tags where key = 'reason'").fetchall() == [("interrupted",)]
        assert store.execute("select count(*) from metrics where key = 'valid/loss'").fetchone()[0] > 1
    assert not list((project / "outputs/journals").glob("*/"))


# The tracking store


def events(project: Path) -> list[dict]:
    (journal,) = (project / "outputs/journals").glob("*/events.jsonl")
    return [json.loads(line) for line in journal.read_text().splitlines()]


def test_divergence_names_epoch_and_learning_rate_whether_or_not_the_store_is_up(project, run):
    done = run(
        *BRIEF,
        "train.optimizer=sgd",
        "train.lr=1e6",
        "train.weight_decay=0.01",
        "train.warmup_epochs=0",
        "train.schedule=constant",
        "train.epochs=20",
        "model.activation=relu",
        "tracking=server",
        f"tracking.uri=http://127.0.0.1:{free_port()}",
        check=False,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    kept, reason = done.stderr.strip().splitlines()
    assert "in epoch " in reason and "learning rate 1e+06" in reason
    assert "Connection refused" in kept and "python -m pipeline.tracking sync" in kept
    assert events(project)[-1]["status"] == "FAILED" and "diverged" in events(project)[-1]["reason"]
    assert not (project / "models/model.npz").exists()


def test_a_damaged_store_does_not_stop_a_training_and_nothing_is_lost(project, run):
    (project / "mlflow.db").write_bytes(random.Random(0).randbytes(20_000))
    done = run(*BRIEF)
    (line,) = done.stderr.strip().splitlines()
    assert "not a database" in line and "python -m pipeline.tracking sync" in line
    assert (project / "models/model.npz").exists() and events(project)[-1]["status"] == "FINISHED"

    (project / "mlflow.db").unlink()
    assert "uploaded" in run("pipeline.tracking", "sync").stderr
    assert run("pipeline.tracking", "sync").stderr == ""
    with sqlite3.connect(project / "mlflow.db") as store:
        assert store.execute("select status from runs").fetchall() == [("FINISHED",)]
        assert store.execute("select step from metrics where key = 'valid/loss' order by step").fetchall() == [(1,), (2,)]
        assert store.execute("select count(*) from logged_models").fetchone() == (1,)
    assert len(list((project / "mlruns").rglob("config.yaml"))) == 1


@pytest.mark.slow
def test_a_server_that_comes_back_gets_everything_once(project, run):
    port = free_port()
    server = f"http://127.0.0.1:{port}"
    run(*BRIEF, "tracking=server", f"tracking.uri={server}")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--workers",
            "1",
            "--backend-store-uri",
            f"sqlite:///{project}/server.db",
            "--artifacts-destination",
            str(project / "kept"),
        ],
        cwd=project,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:

        def answers() -> bool:
            with suppress(OSError):
                return urllib.request.urlopen(f"{server}/health", timeout=5).status == 200
            return False

        assert wait_for(answers, process)
        for _ in range(2):
            run("pipeline.tracking", "sync")
        run(*BRIEF, "seed=2", "tracking=server", f"tracking.uri={server}")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
    assert not list((project / "outputs/journals").glob("*/"))
    with sqlite3.connect(project / "server.db") as store:
        assert store.execute("select status from runs").fetchall() == [("FINISHED",)] * 2
        assert store.execute("select count(*) from metrics where key = 'valid/loss'").fetchone() == (4,)
        assert store.execute("select count(*) from logged_models").fetchone() == (2,)
    assert len(list((project / "kept").rglob("config.yaml"))) == 2


SILENT = """
import time, mlflow
from pipeline.config.schema import TrackingConfig
from pipeline.tracking import Run
with Run(TrackingConfig("http://127.0.0.1:{port}", "x"), "silent") as run:
    run.metrics({{"a": 1.0}})
    time.sleep(3)
    ended = time.perf_counter()
print(time.perf_counter() - ended)
"""


@pytest.mark.slow
def test_a_server_that_never_answers_delays_the_end_by_seconds(project):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        script = SILENT.format(port=silent.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=project, env=clean_environment(), text=True, capture_output=True, timeout=120
        )
    assert float(done.stdout) < 15 and "timed out" in done.stderr, done.stdout + done.stderr


def test_sync_leaves_a_living_run_alone_and_names_a_damaged_one(project, run):
    journals = project / "outputs/journals"
    start_event = {
        "kind": "start",
        "time": 0,
        "name": "x",
        "weights": None,
        "config": {"uri": "local", "experiment": "x"},
        "carrier": this_process(),
        "tags": {"process": this_process()},
    }
    for name, text in (("living", json.dumps(start_event) + "\n"), ("damaged", "{\n{\n"), ("empty", "")):
        (journals / name).mkdir(parents=True)
        (journals / name / "events.jsonl").write_text(text)
    done = run("pipeline.tracking", "sync", check=False)
    damaged, living = done.stderr.strip().splitlines()
    assert done.returncode == 1 and damaged.endswith("python -m pipeline.tracking discard damaged")
    assert living.startswith("tracking: living: left alone, process ")
    assert (journals / "living/events.jsonl").read_text() == json.dumps(start_event) + "\n"
    assert not (project / "mlflow.db").exists()


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["ui", "--port", "abc"], "abc must be a whole number from 1 to 65535"),
        (["ui", "--port", "99999"], "99999 must be a whole number from 1 to 65535"),
        (["serve", "--workers", "0"], "0 must be a whole number, 1 or more"),
        (["look"], "invalid choice: 'look'"),
        (["discard", "nothing"], "no journal nothing: none waits"),
        (["ui", "tracking.uri=none"], "none records nothing"),
        (["ui", "tracking.uri=http://127.0.0.1:9"], "Connection refused"),
        (["ui", "trakcing=server"], "the nearest is tracking"),
        (["serve"], "there is no champion to serve yet; make one: python -m pipeline.promote"),
    ],
)
def test_a_mistake_at_the_store_is_one_line(project, run, arguments, said):
    one_line(run("pipeline.tracking", *arguments, check=False), said)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["tracking.uri=http://127.0.0.1:9"], "Connection refused"),
        ([], "not a database"),
        (["trakcing=server"], "the nearest is tracking"),
        (["--sweep"], "expected one argument"),
    ],
)
def test_a_mistake_at_promote_is_one_line(project, run, arguments, said):
    """A server that is down; a store that is damaged; words that mean nothing."""
    (project / "mlflow.db").write_bytes(random.Random(0).randbytes(20_000))
    one_line(run("pipeline.promote", *arguments, check=False), said)


def test_the_environment_names_the_store_and_the_command_line_has_the_last_word():
    from pipeline.tracking.__main__ import compose_tracking

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert compose_tracking([]).uri == "local"
        patch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        assert compose_tracking([]).uri == "http://127.0.0.1:9"
        assert compose_tracking(["tracking.uri=local"]).uri == "local"
        assert compose_tracking(["tracking=server"]).uri == "http://127.0.0.1:5000"


def test_a_taken_port_is_one_line(project, run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for option in (["--port", str(port)], [f"--port={port}"]):
            one_line(run("pipeline.tracking", "ui", *option, check=False), f"port {port} is in use")


# Folders and disks


@pytest.mark.parametrize("in_the_way", ["models", "outputs"])
def test_a_folder_that_cannot_be_made(project, run, in_the_way):
    """As root, permissions do not bind, but nobody can make a folder below a file."""
    arguments = BRIEF if in_the_way == "outputs" else [*BRIEF, UNTRACKED]
    (project / in_the_way).write_text("")
    one_line(run(*arguments, check=False), in_the_way, "cannot be written")


def limit_files(size: int) -> Callable[[], None]:
    """For a child: files beyond `size` bytes cannot be written, as on a disk that is full."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_leaves_the_files_from_before(project, run):
    write_characters(project / "characters.npz", per_class=3)  # less than the limit, the checkpoint is more
    (project / "models").mkdir()
    (project / "models/model.npz").write_bytes(b"good")
    one_line(run(*BRIEF, UNTRACKED, check=False, preexec_fn=limit_files(200_000)), "checkpoints/train.npz", "File too large")
    assert (project / "models/model.npz").read_bytes() == b"good" and not leftovers(project)


DATA_REMOTE = Path(__file__).resolve().parent.parent / "storage"


@pytest.mark.skipif(not DATA_REMOTE.is_dir() or not shutil.which("make"), reason="no data remote in the project, or no make")
def test_damaged_raw_data_are_noticed(project):
    root = Path(__file__).resolve().parent.parent
    shutil.copytree(DATA_REMOTE, project / "storage")
    shutil.rmtree(project / "data")
    shutil.copy(root / "Makefile", project)
    (project / ".venv/bin").mkdir(parents=True)
    for name in ("requirements.lock", ".venv/.locked"):  # installed already, as far as make can see
        (project / name).write_text("")
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    objects = project / "storage/files/md5"
    listing = re.search(r"md5: (\w\w)(\S+)", (project / "data.dvc").read_text())
    victim = json.loads((objects / listing[1] / listing[2]).read_text())[0]["md5"]
    file = objects / victim[:2] / victim[2:]
    file.chmod(0o644)
    file.write_bytes(file.read_bytes() + b"damaged")
    done = subprocess.run(["make", "data"], cwd=project, env=clean_environment(), text=True, capture_output=True)
    assert done.returncode != 0 and not (project / "data").exists()
    line, _ = done.stderr.strip().splitlines()  # the second is make's own
    assert line.startswith("make data: data.dvc: missing or damaged"), done.stderr


def test_without_a_git_repository_make_data_says_so(project):
    root = Path(__file__).resolve().parent.parent
    shutil.copy(root / "Makefile", project)
    (project / ".venv/bin").mkdir(parents=True)
    for name in ("requirements.lock", ".venv/.locked"):
        (project / name).write_text("")
    done = subprocess.run(["make", "data"], cwd=project, env=clean_environment(), text=True, capture_output=True)
    assert done.returncode != 0 and done.stderr.splitlines()[0].endswith("DVC needs one: git init"), done.stderr


@pytest.mark.skipif(not shutil.which("make"), reason="no make")
@pytest.mark.parametrize(
    "pages, read",
    [
        ("it's mine.jpg", ["it's mine.jpg"]),
        ('a "quoted" & odd; name.jpg', ['a "quoted" & odd; name.jpg']),
        ("one.jpg two.jpg", ["one.jpg", "two.jpg"]),
        ("*.jpg", ['a "quoted" & odd; name.jpg', "it's mine.jpg", "one.jpg", "two.jpg"]),
    ],
)
def test_make_read_takes_photos_of_any_name_and_several(tmp_path, pages, read):
    shutil.copy(Path(__file__).resolve().parent.parent / "Makefile", tmp_path)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("requirements.lock", ".venv/.locked", "one.jpg", "two.jpg", "it's mine.jpg", 'a "quoted" & odd; name.jpg'):
        (tmp_path / name).write_text("")
    python = tmp_path / ".venv/bin/python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "--no-print-directory", "read", f"PAGES={pages}"],
        cwd=tmp_path,
        env=clean_environment(),
        text=True,
        capture_output=True,
        check=True,
    )
    assert sorted(done.stdout.partition("--\n")[2].splitlines()) == sorted(read)


def test_a_virtual_environment_moves_with_the_project(tmp_path):
    """Its scripts run, and `activate` activates it, in a folder whose name no `#!` line can hold."""
    old, new = tmp_path / "plain/.venv", tmp_path / "my project #2 & more/.venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", old], check=True)
    script = "import sys\nprint(sys.prefix)\n"
    starts = {"direct": f"#!{old}/bin/python\n", "indirect": f"#!/bin/sh\n'''exec' {old}/bin/python \"$0\" \"$@\"\n' '''\n"}
    for name, start in starts.items():
        (old / "bin" / name).write_text(start + script)
        (old / "bin" / name).chmod(0o755)
    for place in (new, tmp_path / "again/.venv"):
        place.parent.mkdir()
        old.rename(place)
        mover = Path(__file__).resolve().parent.parent / "scripts/move_venv.py"
        subprocess.run([place / "bin/python", mover, str(old), str(place)], check=True)
        activated = ["bash", "-c", f". '{place}/bin/activate'; echo $VIRTUAL_ENV"]
        for command in ([place / "bin/direct"], [place / "bin/indirect"], activated):
            assert subprocess.run(command, check=True, text=True, capture_output=True).stdout.strip() == str(place)
        old = place


@pytest.mark.parametrize("name", ["evaluate", "promote", "search"])
def test_in_a_folder_within_the_project_a_command_that_writes_says_where_to_go(project, name):
    environment = {**clean_environment(), "PYTHONPATH": str(project)}
    command = [sys.executable, "-m", f"pipeline.{name}", UNTRACKED]
    done = subprocess.run(command, cwd=project / "data", env=environment, text=True, capture_output=True)
    one_line(done, "cd ..")


@pytest.mark.parametrize("name", ["evaluate", "read", "promote"])
def test_a_package_without_its_project_says_what_is_missing(tmp_path, name):
    """As after `pip install .`: the wheel holds the package alone."""
    shutil.copytree(Path(__file__).resolve().parent.parent / "pipeline", tmp_path / "packages/pipeline")
    environment = {**clean_environment(), "PYTHONPATH": str(tmp_path / "packages")}
    command = [sys.executable, "-m", f"pipeline.{name}", *(["page.jpg"] if name == "read" else [])]
    done = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True)
    one_line(done, "need a clone of the project")


# Data and names


def test_equal_images_are_refused_and_a_missing_class_is_not(project, run):
    np.savez(project / "equal.npz", images=np.full((360, 16, 16), 200, np.uint8), labels=np.repeat(np.arange(36), 10))
    one_line(run(*BRIEF, UNTRACKED, "data.root=equal.npz", check=False), "data.sources", "must differ")
    write_characters(project / "missing.npz", per_class=3, classes=35)
    assert "validation accuracy" in run(*BRIEF, UNTRACKED, "data.root=missing.npz", "train.batch_size=1000").stdout


def test_no_page_is_written_outside_its_folder(project, run):
    names = ["...png", "a b (1).png", 'it\'s "q".png', "März 日本.png", "-x.png", ".hidden.png", "%2e%2e%2fx.png"]
    (project / "pages").mkdir()
    page = Image.new("L", (300, 80), 235)
    ImageDraw.Draw(page).line([(30, 20), (30, 60)], fill=20, width=5)
    for name in names:
        page.save(project / "pages" / name, "PNG")
    options = ModelOptions(
        name="mlp", hidden=[2], activation="relu", dropout=0.0, initializer="xavier", initial_value=0.0, channels=[], kernel=5
    )
    (project / "models").mkdir()
    save_network(
        project / "models/model.npz",
        build_network(options, (32, 32), 36, np.random.default_rng(0)),
        {"alphabet": {"characters": CLASSES, "nothing": False}},
    )
    save_unet(project / "models/ink.npz", build_unet(UNetOptions([4, 4], 5), np.random.default_rng(0)), {})
    words = ModelOptions("cnn", [2], "relu", 0.0, "he", 0.0, [2], 3)
    save_network(project / "models/words.npz", build_network(words, SHAPE, 3, np.random.default_rng(0)), {})
    small = [f"lattice.{key}" for key in ("texts=20", "pages=2", "rounds=1", "sheets=2", "photos=1")]
    run("pipeline.lattice", *small, UNTRACKED)

    def written() -> set[Path]:
        return {path.relative_to(project) for path in project.rglob("*") if path.is_file() and "__pycache__" not in path.parts}

    before = written()
    run("pipeline.ocr", "ocr.pages=pages", "ocr.output=read", "ocr.ink=none", UNTRACKED)
    new = written() - before - {Path("outputs/times/ocr.json")}
    assert {path.parent for path in new} == {Path("read"), Path("read/.read")}
    seen = [name for name in names if not name.startswith(".")]
    assert {path.name for path in new if path.suffix == ".txt"} == {name.removesuffix("png") + "txt" for name in seen}
    run("pipeline.ocr", f"ocr.pages='pages/{names[1]}'", "ocr.output=again", "ocr.ink=none", UNTRACKED)
    assert (project / "again/a b (1).txt").exists()


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))
COMMAND = 'lr: !!python/object/apply:os.system ["touch pwned"]\n'


@pytest.mark.parametrize(
    "text",
    [COMMAND, "lr: !!int 1\n", BOMB, "lr: " + "[" * 5000, "lr: 1\n" * 50_000],
    ids=["tag", "harmless tag", "bomb", "deep", "large"],
)
def test_hostile_configuration_is_refused_before_it_is_composed(tmp_path, text):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match="mine.yaml"):
        check_file(tmp_path / "mine.yaml")


@pytest.mark.parametrize("text, said", [(COMMAND, "tags"), ("lr: 1\nlr: 2\n", "duplicate key lr")])
def test_hostile_configuration_is_one_line(project, run, text, said):
    (project / "conf/train/mine.yaml").write_text(text)
    one_line(run(*BRIEF, "train=mine", check=False), "conf/train/mine.yaml", said)
    assert not (project / "pwned").exists()
