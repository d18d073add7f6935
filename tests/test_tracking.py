"""The journal and the store: nothing is lost when the store is down, orphans are found, servers work like files."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from pipeline.common import paths
from pipeline.common.errors import StoppedError, StoreError, UserError
from pipeline.config.schema import TrackingConfig
from pipeline.tracking import Run, lease
from pipeline.tracking.journal import Journal, journals
from pipeline.tracking.origin import commit, is_gone, machine, this_process
from pipeline.tracking.orphans import discard, end_orphans, sync
from pipeline.tracking.store import _open, open_store, store_uri
from tests.conftest import clean_environment, copy_project
from tests.servers import free_port, started
from tests.store import runs_of
from tests.test_pipeline import edit

LATE = "import sys; from pipeline.tracking import Run; from pipeline.config.schema import TrackingConfig\n"


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Path:
    """A store without an experiment of ours: to make its tables takes MLflow a second or more."""
    import mlflow

    file = tmp_path_factory.mktemp("fresh") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def store(tmp_path, monkeypatch, fresh) -> TrackingConfig:
    """An empty store of its own."""
    shutil.copy(fresh, tmp_path / "mlflow.db")
    monkeypatch.setattr(paths, "STORE_ROOT", tmp_path)
    return TrackingConfig("local", "handprint")


GONE = f"{machine()}:1:0"
"""A process that has ended: number 1 was started at another time."""


def record(config: TrackingConfig, name: str, **options) -> None:
    with Run(config, name, {"stage": "train"}, **options) as run:
        run.params({"train": {"lr": 0.1}, "tracking": vars(config)})
        run.metrics({"valid/accuracy": 0.5}, step=1)
        run.metrics({"valid/accuracy": 0.6}, step=2)
        run.text("note.txt", "hello")


def test_a_run_ends_as_it_went(store, tmp_path):
    record(store, "good")
    for error in (ValueError("bad luck"), StoppedError("pruned after epoch 3"), KeyboardInterrupt()):
        with pytest.raises(type(error)), Run(store, type(error).__name__, {"stage": "train"}):
            raise error
    client, _, runs = runs_of(tmp_path)
    by_name = {run.info.run_name: run for run in runs}
    assert {name: run.info.status for name, run in by_name.items()} == {
        "good": "FINISHED",
        "ValueError": "FAILED",
        "StoppedError": "KILLED",
        "KeyboardInterrupt": "KILLED",
    }
    assert by_name["ValueError"].data.tags["reason"] == "bad luck"
    good = by_name["good"]
    assert good.data.params == {"train.lr": "0.1"} and good.data.metrics == {"valid/accuracy": 0.6}
    assert [point.step for point in client.get_metric_history(good.info.run_id, "valid/accuracy")] == [1, 2]
    assert not list((tmp_path / "outputs/journals").glob("*/"))


def test_the_store_that_is_open_is_not_what_the_user_asked_for(store, monkeypatch):
    """MLflow writes its address to the environment, which names the store of whatever is composed next."""
    for asked in (None, "http://127.0.0.1:9"):
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        if asked:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", asked)
        _open.cache_clear()
        open_store(store)
        assert os.environ.get("MLFLOW_TRACKING_URI") == asked


def test_none_records_nothing(store, tmp_path):
    record(TrackingConfig("none", "handprint"), "nothing")
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"], "the fixture's"


def test_a_store_that_is_down_costs_nothing_and_loses_nothing(store, tmp_path, capsys):
    """The run goes on; `sync` leaves the journals of the living alone, and uploads all others when the store is back."""
    down = TrackingConfig(f"http://127.0.0.1:{free_port()}", "handprint")
    record(down, "kept")
    assert "it is kept in" in capsys.readouterr().err
    journals = list((tmp_path / "outputs/journals").glob("*/"))
    assert len(journals) == 1
    assert sync() == 0 and journals[0].exists(), "its process, this one, still lives"
    events = journals[0] / "events.jsonl"
    events.write_text(events.read_text().replace(this_process(), GONE))
    assert sync() == 1 and journals[0].exists(), "still down"
    events.write_text(events.read_text().replace(down.uri, "local"))  # the store is back
    assert sync() == 0 and not journals[0].exists()
    (run,) = runs_of(tmp_path)[2]
    assert run.info.status == "FINISHED" and run.data.metrics == {"valid/accuracy": 0.6}


def test_a_killed_process_leaves_no_run_running(store, tmp_path):
    """Its journal is uploaded as KILLED; a run without a journal is marked by its process tag."""
    script = LATE + (
        "from pathlib import Path; from pipeline.common import paths; import os, time\n"
        f"run = Run(TrackingConfig('local', 'handprint'), 'killed', {{'stage': 'train'}}, carrier='{GONE}')\n"
        "run.metrics({'valid/accuracy': 0.5}, step=1); os.kill(os.getpid(), 9)"
    )
    environment = {**clean_environment(), "DVC_ROOT": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", script], cwd=paths.ROOT, env=environment).returncode == -9
    assert sync() == 0
    client, experiment = open_store(store)
    gone = client.create_run(experiment, tags={"process": GONE, "stage": "train"})
    alive = client.create_run(experiment, tags={"process": this_process(), "stage": "train"})
    elsewhere = client.create_run(experiment, tags={"process": "elsewhere:1:0", "stage": "train"})
    assert end_orphans(client, experiment) == 1
    status = {run.info.run_id: run.info.status for run in runs_of(tmp_path)[2]}
    assert status.pop(gone.info.run_id) == "KILLED"
    assert status.pop(alive.info.run_id) == status.pop(elsewhere.info.run_id) == "RUNNING"
    assert list(status.values()) == ["KILLED"], "the killed process's"


def test_the_next_run_uploads_what_a_killed_one_left(store, tmp_path):
    """Of the same store only, and not while a process carries it or the run goes on, on this host or another."""

    def left(name: str, process: str, carrier: str, config: TrackingConfig = store) -> None:
        journal = Journal.create(name)
        journal.append(
            "start", config=vars(config), name=name, weights=None, carrier=carrier, tags={"process": process, "stage": "train"}
        )

    left("killed", GONE, GONE)
    left("carried", GONE, this_process())
    left("going on", this_process(), GONE)
    left("elsewhere", "elsewhere:1:0", GONE)
    left("other store", GONE, GONE, TrackingConfig("http://127.0.0.1:9", "handprint"))
    record(store, "next")
    assert {run.info.run_name: run.info.status for run in runs_of(tmp_path)[2]} == {"killed": "KILLED", "next": "FINISHED"}
    assert {journal.events()[0]["name"] for journal in map(Journal, journals().glob("*/"))} == {
        "carried",
        "going on",
        "elsewhere",
        "other store",
    }


def left_behind(store: TrackingConfig, process: str, since: float | None) -> Path:
    """A journal whose process, on another machine, gave its last sign of life `since` seconds ago; None: never."""
    journal = Journal.create("elsewhere")
    tags = {"process": process, "stage": "train"}
    journal.append("start", config=vars(store), name="elsewhere", weights=None, carrier=process, tags=tags)
    if since is not None:
        file = lease.leases() / quote(process, safe="")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (time.time() - since,) * 2)
    return journal.folder


def test_a_container_that_came_back_under_another_name_ends_its_old_runs(store, tmp_path, capsys):
    """The process is out of sight; its signs of life on the shared disk tell."""
    gone = left_behind(store, "0f3b/another-boot/4026532:7:1", since=lease.SECONDS + 30)
    lives = left_behind(store, "web-2/another-boot/4026533:7:1", since=lease.SECONDS - 60)
    unknown = left_behind(store, "web-3/another-boot/4026533:7:1", since=None)
    client, experiment = open_store(store)
    sweep = client.create_run(experiment, tags={"process": "0f3b/another-boot/4026532:7:1", "stage": "train"})
    assert sync() == 0 and end_orphans(client, experiment) == 1
    assert not gone.exists() and lives.exists() and unknown.exists()
    assert f"{lives.name}: left alone, process 7 on web-2 may still run" in capsys.readouterr().err
    assert {run.info.status for run in runs_of(tmp_path)[2]} == {"KILLED"}
    assert client.get_run(sweep.info.run_id).info.status == "KILLED"


def test_the_same_process_numbers_elsewhere_say_nothing():
    """Process 1 lives here, and in every container."""
    name, boot, namespace = machine().split("/")
    started = f"{psutil.Process(os.getpid()).create_time():.0f}"
    here, renamed, other = (
        f"{where}:{os.getpid()}:{started}"
        for where in (machine(), f"renamed/{boot}/{namespace}", f"{name}/{boot}/{int(namespace) + 1}")
    )
    assert not is_gone(here) and not is_gone(renamed)
    assert not is_gone(other), "unknown, so taken to live, though the number is ours"
    assert is_gone(here.replace(f":{os.getpid()}:", ":4194304:"))


def test_a_process_that_records_gives_signs_of_life(store):
    record(store, "alive")
    assert (lease.leases() / quote(this_process(), safe="")).exists()


def test_a_later_stage_with_other_options_is_a_child_of_its_training(store, tmp_path):
    """MLflow never changes a parameter; the same options again add to the same run."""
    with Run(store, "mlp", {"stage": "train"}) as run:
        run.params({"train": {"lr": 0.1}})
        run.tags({"weights": "abc"})
    for beam, cer in ((8, 0.3), (2, 0.5), (8, 0.2), (2, 0.4)):
        with Run(store, "ocr", {"stage": "ocr"}, weights="abc") as run:
            run.params({"ocr": {"beam": beam, "language": "it's"}})
            run.metrics({"ocr/cer": cer})
    client, experiment = open_store(store)
    training, child = sorted(client.search_runs([experiment]), key=lambda run: run.info.run_name != "mlp")
    assert training.data.params == {"train.lr": "0.1", "ocr.beam": "8", "ocr.language": "it's"}
    assert training.data.metrics["ocr/cer"] == 0.2
    assert child.info.run_name == "ocr beam=2" and child.info.status == "FINISHED"
    assert child.data.params["ocr.beam"] == "2" and child.data.metrics["ocr/cer"] == 0.4
    assert child.data.tags["mlflow.parentRunId"] == training.info.run_id
    assert not list(journals().glob("*/"))


def test_what_the_store_refuses_for_good_is_told_once_kept_and_can_be_dropped(store, tmp_path, capsys):
    """The rest of the run is recorded; a store that is away is another matter."""
    with Run(store, "refused", {"stage": "train"}) as run:
        run.params({"train": {"lr": 0.1}})
        run.params({"train": {"lr": 0.2}})
        run.metrics({"good": 1.0, "in:valid|name": 1.0})
        run.metrics({"also good": 1.0})
    (kept,) = journals().glob("*/")
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "never take part of it" in told and f"pipeline.tracking discard {kept.name}" in told
    (run,) = runs_of(tmp_path)[2]
    assert run.info.status == "FINISHED" and run.data.params == {"train.lr": "0.1"} and "also good" in run.data.metrics
    events = kept / "events.jsonl"
    with pytest.raises(UserError, match="may still run"):
        discard(kept.name)
    events.write_text(events.read_text().replace(this_process(), GONE))
    sync(store)
    assert capsys.readouterr().err == "", "told before"
    assert sync() == 1 and "never take part of it" in capsys.readouterr().err, "who asks is told again"
    discard(kept.name)
    assert sync() == 0 and not kept.exists()
    with pytest.raises(UserError, match="none waits"):
        discard(kept.name)


@pytest.mark.parametrize("name", ["my project #2", "q?x=1", "p%25q", "ä+b&c"])
def test_a_project_with_any_name_can_be_copied_and_moved(tmp_path, monkeypatch, capsys, fresh, name):
    """What is recorded after a move lies in the new place, also of a run from before; the old place is left alone."""
    first, second = tmp_path / name, tmp_path / f"{name} moved"
    first.mkdir()
    if name == "ä+b&c":  # the others make their own
        shutil.copy(fresh, first / "mlflow.db")
    from mlflow.tracking._tracking_service import utils as tracking_utils

    local = TrackingConfig("local", "handprint")
    monkeypatch.setattr(paths, "STORE_ROOT", first)
    with Run(local, "before", {"stage": "train"}) as run:
        run.tags({"weights": "abc"})
        run.text("note.txt", "before")
    assert {path.name for path in first.iterdir()} == {"mlflow.db", "mlflow.db.lock", "mlruns", "outputs"}
    assert {path.name for path in tmp_path.iterdir()} == {name}
    shutil.copytree(first, second)
    files = {path for path in first.rglob("*") if path.is_file()}
    monkeypatch.setattr(paths, "STORE_ROOT", second)
    tracking_utils._artifact_repos_cache.clear()  # what MLflow remembers within a process; a move is between two
    capsys.readouterr()
    with Run(local, "later", weights="abc") as run:
        run.text("later.txt", "later")
    record(local, "after")
    assert capsys.readouterr().err.count("the project was moved") == 1
    assert {path for path in first.rglob("*") if path.is_file()} == files
    client, _ = open_store(local)
    by_name = {run.info.run_name: run for run in runs_of(second, store_uri(local))[2]}
    for run, names in (("before", ["note.txt", "later.txt"]), ("after", ["note.txt"])):
        for file in names:
            assert Path(client.download_artifacts(by_name[run].info.run_id, file, tmp_path)).read_text()
            assert (second / "mlruns" / by_name[run].info.run_id / "artifacts" / file).exists()


def test_without_git_a_run_is_recorded_all_the_same(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit() == "none"


def test_a_deleted_experiment_and_an_older_schema_are_told_with_the_cure(store, tmp_path):
    client, experiment = open_store(store)
    client.delete_experiment(experiment)
    _open.cache_clear()
    with pytest.raises(StoreError, match="mlflow experiments restore -x 1"):
        open_store(store)
    with sqlite3.connect(tmp_path / "mlflow.db") as tables:
        tables.execute("update alembic_version set version_num = '451aebb31d03'")
    script = LATE + "from pipeline.tracking.store import open_store; open_store(TrackingConfig('local', 'x'))"
    environment = {**clean_environment(), "DVC_ROOT": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], cwd=paths.ROOT, env=environment, capture_output=True, text=True)
    assert "python -m mlflow db upgrade sqlite+pysqlite:///" in done.stderr.splitlines()[-1], done.stderr


def test_several_processes_open_a_fresh_store_at_once(tmp_path):
    """Three here; eight, ten times over, in test_sweep.py."""
    script = LATE + "with Run(TrackingConfig('local', 'handprint'), sys.argv[1], {'stage': 'train'}): pass"
    environment = {**clean_environment(), "DVC_ROOT": str(tmp_path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(i)], cwd=paths.ROOT, env=environment, stderr=subprocess.PIPE)
        for i in range(3)
    ]
    for process in processes:
        assert process.wait(200) == 0 and b"kept" not in process.stderr.read()
    ended = sorted((run.info.run_name, run.info.status) for run in runs_of(tmp_path)[2])
    assert ended == [(str(i), "FINISHED") for i in range(3)]


def sweep_while_down_then_on_a_server(folder: Path, backend: str) -> None:
    """One sweep before the server is there, `sync`, one sweep on the server, promote: all runs, the model and its alias."""
    project = copy_project(folder / "project")
    for key, value in (("train_per_class", 6), ("valid_per_class", 3), ("test_per_class", 2)):
        edit(project / "conf/data/strokes.yaml", key, value)
    port = free_port()
    uri = f"http://127.0.0.1:{port}"

    def python(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=project, env=clean_environment(), text=True, capture_output=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    command = [
        "pipeline.train",
        "-m",
        "experiment=grid",
        "tracking=server",
        f"tracking.uri={uri}",
        "train.epochs=1",
        "train.batch_size=8",
        "model.hidden=[8]",
    ]
    assert "the runs are kept" in python(*command, "train.lr=0.01,0.02")
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--backend-store-uri", backend]
    server = [sys.executable, "-m", "mlflow", "server", *options, "--artifacts-destination", str(folder / "artifacts")]
    with started(server, f"http://127.0.0.1:{port}/health", folder, folder / "server.log"):
        python("pipeline.tracking", "sync")
        _, parents, runs = runs_of(project, uri)
        assert len(parents) == 1 and len(runs) == 2 and {run.info.status for run in runs} == {"FINISHED"}
        assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {parents[0].info.run_id}
        assert "2/4 done" in (out := python(*command, "train.lr=0.01,0.02,0.03,0.04")) or "2 skipped" in out
        python("pipeline.promote", "tracking=server", f"tracking.uri={uri}")
        client, _, runs = runs_of(project, uri)
        assert len(runs) == 4
        version = client.get_model_version_by_alias("handprint", "champion")
        assert version.run_id in {run.info.run_id for run in runs}
    assert not (project / "mlflow.db").exists()


@pytest.mark.slow
def test_a_server_that_comes_late(tmp_path):
    sweep_while_down_then_on_a_server(tmp_path, f"sqlite:///{tmp_path}/server.db")


@pytest.mark.slow
def test_a_server_on_postgresql(tmp_path):
    pytest.importorskip("psycopg2", reason="pip install psycopg2-binary")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(p) for p in [shutil.which("initdb")] if p]
    if not found:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    folder, port = Path(tempfile.mkdtemp(prefix="postgres-")), free_port()  # pytest's own folders are closed to other users
    if as_user:
        shutil.chown(folder, "postgres")
    bin_folder = found[-1].resolve().parent
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run([*as_user, bin_folder / "initdb", "-D", folder / "data", "-A", "trust", "-U", "mlflow"], **quiet)
    control = [*as_user, bin_folder / "pg_ctl", "-D", folder / "data", "-w"]
    server_options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    subprocess.run([*control, "-l", folder / "log", "-o", server_options, "start"], **quiet)
    try:
        sweep_while_down_then_on_a_server(tmp_path, f"postgresql+psycopg2://mlflow@127.0.0.1:{port}/postgres")
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(folder)


def test_an_environment_in_a_folder_with_a_percent_sign_is_named(tmp_path):
    """MLflow's migrations cannot be found there: the cause is said, not its traceback."""
    import mlflow

    folder = tmp_path / "50 %"
    folder.mkdir()
    (folder / "packages").symlink_to(Path(mlflow.__file__).parents[1])
    code = (
        "from pipeline.tracking.store import open_store; from pipeline.config.schema import TrackingConfig; import sys\n"
        "try: open_store(TrackingConfig(uri=sys.argv[1], experiment='e'))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"sqlite:///{tmp_path}/mlflow.db"],
        env=clean_environment() | {"PYTHONPATH": f"{folder / 'packages'}:{Path(__file__).parents[1]}"},
        text=True,
        capture_output=True,
    )
    assert done.stdout.startswith("StoreError MLflow opens no store from a folder with %"), done.stdout + done.stderr
