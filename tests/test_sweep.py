"""Sweeps as their users run them: real processes, a real SQLite store; kill, restart, prune, fail."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from hydra import compose, initialize_config_dir

from pipeline.config import schema as config
from pipeline.sweep.state import is_hopeless, progress
from pipeline.train import SECTIONS
from tests.conftest import ROOT, clean_environment, copy_project
from tests.store import runs_of
from tests.test_pipeline import edit

TRAIN = [sys.executable, "-m", "pipeline.train", "-m", "experiment=grid"]
JOBLIB = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """A copy of the project with few characters, prepared once."""
    project = copy_project(tmp_path_factory.mktemp("sweep") / "project")
    for key, value in (("train_per_class", 10), ("valid_per_class", 5), ("test_per_class", 2)):
        edit(project / "conf/data/strokes.yaml", key, value)
    return project


def sweep(project: Path, *overrides: str, environment: dict | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*TRAIN, *overrides], cwd=project, env=environment or clean_environment(), text=True, capture_output=True, timeout=600
    )


def statuses(runs: list) -> Counter:
    return Counter(run.info.status for run in runs)


def test_median_rule():
    others = [[0.1, 0.5, 0.6], [0.2, 0.4, 0.9], [0.1, 0.3]]
    assert is_hopeless([0.1, 0.3], others), "0.3 is below the median 0.4 of 0.5, 0.4, 0.3"
    assert not is_hopeless([0.4, 0.1], others), "the best so far counts"
    assert not is_hopeless([0.0, 0.0, 0.0], others), "only two have come as far"


def test_progress_line():
    jobs = [
        {"status": "finished", "accuracy": 0.5, "name": "000-a"},
        {"status": "running", "accuracy": 0.6, "name": "001-b"},
        {"status": "failed", "name": "002-c"},
        {"status": "skipped", "accuracy": 0.4, "name": "003-d"},
    ]
    assert progress(jobs, 7, 10.0) == ("sweep: 3/7 done, 1 running, 1 failed, 1 skipped, best 0.6000 (001-b), 0:20 left")


def test_a_parallel_sweep_on_a_fresh_store_with_failing_jobs(small):
    """One parent; each job a child that says what differs; bad jobs are FAILED with the reason; the exit status counts them."""
    done = sweep(
        small, *JOBLIB, "train.epochs=2", "train.lr=0.02,1e38", "train.batch_size=8,-3", "model.hidden=[8]", "model.dropout=0,0.1"
    )
    assert done.returncode == 6, done.stdout + done.stderr
    assert "sweep: 8/8 done, 0 running, 6 failed" in done.stdout
    client, (parent,), children = runs_of(small)
    assert parent.info.status == "FINISHED" and statuses(children) == {"FINISHED": 2, "FAILED": 6}
    assert {child.data.tags["mlflow.parentRunId"] for child in children} == {parent.info.run_id}
    by_name = {child.info.run_name: child for child in children}
    assert {"000-lr0.02-b8-h8-s1-dropout0", "001-lr0.02-b8-h8-s1-dropout0.1", "004-lr1e+38-b8-h8-s1-dropout0"} <= set(by_name)
    assert by_name["004-lr1e+38-b8-h8-s1-dropout0"].data.tags["reason"].startswith("training diverged in epoch 1")
    assert sum("batch_size: must be a whole number" in child.data.tags.get("reason", "") for child in children) == 4
    good = by_name["000-lr0.02-b8-h8-s1-dropout0"]
    assert good.data.params["train.lr"] == "0.02" and good.data.params["seed"] == "1"
    assert [point.step for point in client.get_metric_history(good.info.run_id, "valid/accuracy")] == [1, 2]
    assert good.data.metrics["best/valid/accuracy"] == max(
        point.value for point in client.get_metric_history(good.info.run_id, "valid/accuracy")
    )
    assert next(iter(good.data.metrics)) == "valid/accuracy", "MLflow's compare page plots the first one"
    view = client.get_experiment(parent.info.experiment_id).tags[f"mlflow.sharedViewState.sweep-{parent.data.tags['sweep_id']}"]
    first = json.loads(view)["compareRunCharts"][0]
    varied = ["train.lr", "train.batch_size", "model.dropout"]
    assert first["selectedParams"] == varied and first["selectedMetrics"] == ["best/valid/accuracy"], "what the sweep varied"
    key = f"viewStateShareKey=sweep-{parent.data.tags['sweep_id']}&compareRunsMode=CHART"
    assert (
        f"{key})" in parent.data.tags["mlflow.note.content"] and "compare its runs: python -m pipeline.tracking ui" in done.stderr
    )
    files = {file.path for file in client.list_artifacts(good.info.run_id)}
    assert files == {"history.csv", "config.yaml"}
    assert not good.outputs.model_outputs, "only the best model is logged, by promote"
    assert "train.lr=0.02" in good.data.tags["mlflow.note.content"]
    assert not list((small / "outputs/journals").glob("*/"))


def test_what_finished_is_skipped_what_failed_is_run_again(small):
    before = {run.info.run_id for run in runs_of(small)[2]}
    command = [*JOBLIB, "train.epochs=2", "train.lr=0.02,1e38", "train.batch_size=8", "model.hidden=[8]", "model.dropout=0,0.1"]
    done = sweep(small, *command)
    assert done.returncode == 2 and "2 failed, 2 skipped" in done.stdout, done.stdout + done.stderr
    _, parents, children = runs_of(small)
    assert statuses([run for run in children if run.info.run_id not in before]) == {"FAILED": 2}
    counted = [run for run in children if parents[0].data.tags["sweep_id"] in run.data.tags["sweep"]]
    assert statuses(counted) == {"FINISHED": 2, "FAILED": 2}, "promote finds the skipped ones among the sweep's"


def test_a_hopeless_job_is_pruned_and_marked_with_the_epoch(small):
    done = sweep(
        small,
        "train.epochs=4",
        "train.lr=0.02,0.03,0.04,1e-7",
        "train.batch_size=8",
        "model.hidden=[8]",
        "sweep.prune=median",
        "sweep.prune_after=2",
        "tracking.experiment=handprint",
    )
    assert done.returncode == 0 and "1 pruned" in done.stdout, done.stdout + done.stderr
    pruned = [run for run in runs_of(small)[2] if "pruned" in run.data.tags]
    assert [(run.info.status, run.data.tags["pruned"]) for run in pruned] == [("KILLED", "2")]
    assert pruned[0].data.tags["reason"].startswith("pruned after epoch 2")


@pytest.mark.parametrize(
    "overrides, said",
    [
        (["sweep.prune=foo"], "train: sweep.prune: must be one of none, median, not 'foo'"),
        (["tracking.uri=sqlite:////nowhere/x.db"], "train: tracking.uri: /nowhere/x.db: cannot be written"),
        (["+trian=1,2"], "train: trian: no such group of conf/; the nearest is train"),
        (["evaluate.on=a,b"], "train: evaluate.on=a: has no effect: train reads"),
        (["train.momentum=0.5,0.9"], "train: train.momentum=0.5: has no effect: it is read where train.optimizer is momentum"),
        (["data=nist36", "strokes.bend=0.5,1"], "train: strokes.bend=0.5: has no effect: it is read where data.sources"),
        (["sweep.prune_after=3"], "train: sweep.prune_after=3: has no effect: it is read where sweep.prune is median"),
    ],
)
def test_a_sweep_that_cannot_begin_starts_nothing(small, overrides, said):
    folder = "outputs/never"
    done = sweep(small, f"hydra.sweep.dir={folder}", *overrides)
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith(said), done.stderr
    assert "Traceback" not in done.stderr and not (small / folder).exists()


def test_equal_configurations_are_one_job_and_values_are_no_paths(small):
    """However deep a job's folder lies, and however the command was started."""
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "cProfile", "-o", os.devnull, "-m", "pipeline.train", "-m", "experiment=grid", "train.epochs=1"),
            *("train.batch_size=8", "model.hidden=[8]", "train.lr=0.031,0.032,3.1e-2", "train.initial=no/such.npz,null"),
            "hydra.sweep.subdir=a/${hydra.job.num}",
        ],
        cwd=small,
        env=clean_environment(),
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert "2 of 6 jobs are not run" in done.stderr, done.stdout + done.stderr
    assert "sweep: 4/4 done, 0 running, 2 failed" in done.stdout
    _, parents, children = runs_of(small)
    assert len(parents[0].data.tags["equal_jobs"].splitlines()) == 2
    mine = [run for run in children if run.data.tags.get("sweep") == parents[0].data.tags["sweep_id"]]
    assert statuses(mine) == {"FINISHED": 2, "FAILED": 2} and not any("/" in run.info.run_name for run in mine)


def seconds_of(process: psutil.Process) -> float:
    """Processor time of a process and its children: unlike wall time it tells how far they are, however busy the machine."""
    spent = 0.0
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            spent += times.user + times.system
    return spent


def test_a_worker_ends_when_the_main_process_is_killed():
    """joblib's would wait for more work for ever."""
    names = "from pipeline.tracking.origin import this_process; print(this_process(), flush=True)"
    main = subprocess.Popen(
        [sys.executable, "-c", f"{names}; input()"], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    name = main.stdout.readline().strip()
    begin = f"import time; from pipeline.sweep.job import leave_with; leave_with({name!r}); print(flush=True)"
    worker = subprocess.Popen([sys.executable, "-c", f"{begin}; time.sleep(100)"], cwd=ROOT, stdout=subprocess.PIPE)
    worker.stdout.readline()
    time.sleep(1.5)
    assert worker.poll() is None, "the main process lives"
    main.kill()
    assert worker.wait(30) == 1
    main.wait()


@pytest.mark.slow
def test_a_job_whose_folder_another_sweep_has_written_into_is_run_again(small):
    brief = ["train.epochs=1", "train.batch_size=8", "model.hidden=[8]"]
    for rate in (0.061, 0.062):
        assert sweep(small, *brief, f"train.lr={rate}", "hydra.sweep.dir=outputs/used").returncode == 0
    done = sweep(small, *brief, "train.lr=0.061,0.062", "hydra.sweep.dir=outputs/other")
    assert "2/2 done" in done.stdout and "1 skipped" in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(5))
def test_killed_at_a_random_moment_and_started_again(small, attempt):
    """Each configuration finishes exactly once, no run is left RUNNING."""
    rates = [f"{0.01 + attempt / 1000 + i / 10000:.4f}" for i in range(3)]
    command = [*TRAIN, *JOBLIB, "train.epochs=30", f"train.lr={','.join(rates)}", "train.batch_size=8", "model.hidden=[8],[12]"]
    process = psutil.Popen(
        command, cwd=small, env=clean_environment(), start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    moment = random.uniform(1, 12)
    with suppress(psutil.NoSuchProcess):  # it may be over before that, on a fast machine
        while process.poll() is None and seconds_of(process) < moment:
            time.sleep(0.05)
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        if attempt % 2:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()  # its workers live on for a moment
    print(f"killed after {moment:.1f} s of work" if process.wait() == -signal.SIGKILL else "over before it could be killed")
    restarted = subprocess.run(command, cwd=small, env=clean_environment(), text=True, capture_output=True, timeout=600)
    assert restarted.returncode == 0, restarted.stdout + restarted.stderr
    _, parents, children = runs_of(small)
    recorded = {str(float(rate)) for rate in rates}
    finished = Counter(
        run.data.tags["fingerprint"]
        for run in children
        if run.info.status == "FINISHED" and run.data.params["train.lr"] in recorded
    )
    assert len(finished) == 6 and set(finished.values()) == {1}, (moment, finished)
    assert not {"RUNNING"} & (set(statuses(children)) | set(statuses(parents))), moment
    assert not list((small / "outputs/journals").glob("*/")), moment


@pytest.mark.slow
@pytest.mark.parametrize("attempt", range(10))
def test_eight_workers_at_once_on_a_store_that_does_not_exist_yet(tmp_path, small, attempt):
    """As the workers of one sweep, and as eight commands."""
    environment = {**clean_environment(), "DVC_ROOT": str(tmp_path)}
    if attempt % 2:
        done = sweep(
            small,
            "hydra/launcher=joblib",
            "hydra.launcher.n_jobs=8",
            "train.epochs=1",
            "train.lr=0.01",
            "train.batch_size=8",
            "model.hidden=[8]",
            "seed=1,2,3,4,5,6,7,8",
            environment=environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    else:
        command = [sys.executable, "-m", "pipeline.train", "experiment=course_mlp", "train.epochs=1"]
        processes = [
            subprocess.Popen(
                [*command, f"seed={seed}", f"hydra.run.dir={tmp_path / str(seed)}"],
                cwd=small,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            for seed in range(1, 9)
        ]
        for process in processes:
            error = process.communicate(timeout=600)[1]
            assert process.returncode == 0 and b"sync" not in error, error.decode()
    client, parents, runs = runs_of(tmp_path)
    assert sorted(run.data.params["seed"] for run in runs) == list("12345678") and statuses(runs) == {"FINISHED": 8}
    assert len(parents) == attempt % 2
    others = [e.experiment_id for e in client.search_experiments() if e.name != "handprint"]
    assert not (others and client.search_runs(others))


def test_random_search_draws_the_same_values_every_time():
    def values(trial: int) -> dict:
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            drawn = compose("config", ["experiment=random", f"trial={trial}"])
            return config.read(drawn, {name: SECTIONS[name] for name in ("model", "train")}).values

    assert values(3) == values(3)
    drawn = [values(trial) for trial in range(12)]
    assert len({trial["train"]["lr"] for trial in drawn}) == 12
    assert all(0.0003 <= trial["train"]["lr"] <= 0.03 for trial in drawn)
    assert {trial["train"]["batch_size"] for trial in drawn} == {24, 48, 96}


@pytest.mark.slow
def test_random_search_runs_and_is_reported(small):
    done = subprocess.run(
        [*TRAIN[:-1], "experiment=random", "trial=range(3)", "train.epochs=1"],
        cwd=small,
        env=clean_environment(),
        text=True,
        capture_output=True,
        timeout=600,
    )
    assert done.returncode == 0 and "3/3 done" in done.stdout, done.stdout + done.stderr
    report = subprocess.run(
        [sys.executable, "-m", "pipeline.promote", "--dry-run"],
        cwd=small,
        env=clean_environment(),
        text=True,
        capture_output=True,
        check=True,
    ).stdout
    assert "3 runs, 3 configurations" in report and "train.lr" in report.splitlines()[0], report


@pytest.mark.slow
def test_submitit_runs_the_same_sweep(small):
    """The launcher for SLURM, in its local form."""
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="pip install hydra-submitit-launcher")
    done = sweep(
        small, "hydra/launcher=submitit_local", "train.epochs=1", "train.lr=0.021,0.022", "train.batch_size=8", "model.hidden=[8]"
    )
    assert done.returncode == 0 and "2/2 done" in done.stdout, done.stdout + done.stderr
    _, parents, children = runs_of(small)
    mine = [run for run in children if run.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id]
    assert statuses(mine) == {"FINISHED": 2}


def test_optuna_searches_an_interval_and_a_list(small):
    """`pip install 'optuna>=4,<5'`, as `.[search]` does."""
    pytest.importorskip("optuna")
    space = ["train.lr=tag(log, interval(0.003, 0.03))", "model.hidden=[8],[12]"]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.search", "--trials", "3", "experiment=course_mlp", "train.epochs=1", *space],
        cwd=small,
        env=clean_environment(),
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0 and "3/3 done" in done.stdout, done.stdout + done.stderr
    _, parents, children = runs_of(small)
    mine = [run for run in children if run.data.tags["sweep"] == parents[0].data.tags["sweep_id"]]
    assert len(mine) == 3 and {run.data.params["model.hidden"] for run in mine} <= {"[8]", "[12]"}
    assert all(0.003 <= float(run.data.params["train.lr"]) <= 0.03 for run in mine)


def test_zero_initialisation_leaves_all_hidden_units_alike(small):
    import numpy as np

    from pipeline.nn.network import load_network

    subprocess.run(
        [sys.executable, "-m", "pipeline.train", "experiment=zero_init", "train.epochs=3", "tracking.uri=none"],
        cwd=small,
        env=clean_environment(),
        check=True,
        capture_output=True,
    )
    network, _ = load_network(small / "outputs/zero_init/models/model.npz")
    first = next(layer.params["weight"] for layer in network.layers if layer.params)  # (1024, units)
    last = network.layers[-1].params["weight"]  # (units, classes)
    assert first.shape == (1024, 64) and np.abs(first).max() > 0
    # alike but for rounding: a BLAS kernel may add up in another order at another column
    assert np.ptp(first, axis=1).max() < 1e-3 * np.abs(first).max() and np.ptp(last, axis=0).max() < 1e-3 * np.abs(last).max()


@pytest.mark.slow
def test_reference_mlp_beats_the_references(real_data, small):
    """75.6 % of validation is what they report."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pipeline.train",
            "experiment=reference_mlp",
            f"data.root={real_data / 'nist36'}",
            "tracking.uri=none",
        ],
        cwd=small,
        env=clean_environment(),
        check=True,
        capture_output=True,
    )
    assert json.loads((small / "outputs/reference_mlp/reports/metrics/train.json").read_text())["valid/accuracy"] > 0.756
