"""The only door to MLflow. Importing it costs seconds, so it is imported late and in a background thread.

A `Run` writes its events to a local journal; the thread carries them to the store every few seconds, so a live run can
be watched, and a store that is down costs nothing: `python -m pipeline.tracking sync` uploads what is still waiting.
The jobs of a sweep only write journals; the sweep's main process carries them, so that workers never import MLflow.
"""

import hashlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import warnings
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Optional

import psutil
from filelock import FileLock

from pipeline import paths
from pipeline.config import TrackingConfig, flatten
from pipeline.errors import StoppedError
from pipeline.journal import Journal

JOURNALS = paths.STORE_ROOT / "outputs/journals"
FLUSH_SECONDS = 2.0
MODEL_NAME = "handprint"
VIEW = "sweeps"
"""The view of the runs that `python -m pipeline.tracking ui` opens with: the columns that matter."""

COLUMNS = ["attributes.`Duration`", "metrics.`best/valid/accuracy`", "metrics.`best/epoch`", "metrics.`test/accuracy`",
           "params.`model.name`", "params.`model.hidden`", "params.`train.lr`", "params.`train.batch_size`", "params.`seed`",
           "tags.`pruned`", "tags.`reason`"]
BEST = "best/valid/accuracy"
"""What runs are compared by: the validation accuracy of the epoch whose weights are kept."""


def store_uri(config: TrackingConfig) -> str:
    """The store's address; `local` is a SQLite file in the project, absolute so that it holds from any folder."""
    return f"sqlite:///{paths.STORE_ROOT / 'mlflow.db'}" if config.uri == "local" else config.uri


def open_store(config: TrackingConfig) -> tuple[Any, str]:
    """Return `(MlflowClient, experiment id)`, creating store and experiment where they do not exist yet; once a process.

    A fresh SQLite store crashes when several processes migrate it at once, hence the lock.
    """
    return _open(store_uri(config), config.experiment)


@cache
def _open(uri: str, name: str) -> tuple[Any, str]:
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "6")  # twice this is what a dead store may cost at the end of a run
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    warnings.filterwarnings("ignore", module="mlflow")
    import mlflow

    for talkative in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    mlflow.set_tracking_uri(uri)
    with FileLock(paths.STORE_ROOT / "mlflow.db.lock", timeout=120):
        client = mlflow.MlflowClient()
        experiment = client.get_experiment_by_name(name)
        if experiment is not None:
            return client, experiment.experiment_id
        location = f"file://{paths.STORE_ROOT / 'mlruns'}" if uri.startswith("sqlite:") else None
        return client, client.create_experiment(name, artifact_location=location, tags={
            "mlflow.experimentKind": "custom_model_development",
            f"mlflow.sharedViewState.{VIEW}": json.dumps({"selectedColumns": COLUMNS, "orderByKey": "attributes.start_time"})})


class Run:
    """One MLflow run as a context manager: FINISHED at the end, FAILED or KILLED with the reason on an exception.

    Args:
        config: which store, which experiment; with the uri `none` nothing is recorded at all.
        name: of the run, and tags for it.
        weights: md5 of a model's weights: add to the newest run that has this tag `weights`, if there is one.
        carry: False leaves the journal to another process, which carries it to the store.
    """

    def __init__(self, config: TrackingConfig, name: str, tags: Optional[dict[str, str]] = None,
                 weights: Optional[str] = None, carry: bool = True) -> None:
        self.config = config
        self.journal: Optional[Journal] = None
        self.error: Optional[Exception] = None
        self._carrier: Optional[threading.Thread] = None
        if config.uri == "none":
            return
        self.journal = Journal.create(JOURNALS, name)
        self._append("start", config={"uri": config.uri, "experiment": config.experiment}, name=name,
                     weights=weights, tags={**where_it_ran(), **(tags or {})})
        if carry:
            self._finished = threading.Event()
            self._carrier = threading.Thread(target=self._carry, daemon=True)
            self._carrier.start()

    def params(self, values: dict[str, Any]) -> None:
        """Record a nested dict of configuration values, flattened: `train.lr`."""
        self._append("params", values={key: str(value) for key, value in flatten(values).items()})

    def metrics(self, values: dict[str, float], step: int = 0) -> None:
        """Record numbers, at an epoch or once."""
        self._append("metrics", values={key: float(value) for key, value in values.items()}, step=step)

    def tags(self, values: dict[str, Any]) -> None:
        """Record words about the run."""
        self._append("tags", values={key: str(value) for key, value in values.items()})

    def artifact(self, path: Path, folder: str = "") -> None:
        """Record a file, or a folder with all it holds, as it is now, below `folder`."""
        if self.journal is not None:
            self._append("artifact", file=self.journal.keep(path), folder=folder)

    def text(self, name: str, text: str) -> None:
        """Record a text as the file `name`."""
        if self.journal is not None:
            self._append("artifact", file=self.journal.write(name, text), folder="")

    def dataset(self, name: str, digest: str, source: Path, profile: dict[str, Any]) -> None:
        """Record which data the run learned from."""
        self._append("dataset", name=name, digest=digest[:36], source=str(source), profile=profile)

    def model(self, weights: Path) -> None:
        """Record the model, loadable with `mlflow.pyfunc.load_model`."""
        if self.journal is not None:
            self._append("model", file=self.journal.keep(weights))

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, kind: Optional[type], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        if self.journal is None:
            return
        self._append("end", reason=error and (str(error) or kind.__name__), status="FINISHED" if error is None else
                     "KILLED" if isinstance(error, (KeyboardInterrupt, StoppedError)) else "FAILED")
        if self._carrier is None:
            return
        self._finished.set()
        try:
            self._carrier.join()
        except KeyboardInterrupt:
            self.error = InterruptedError("interrupted")
        if self.error is None:
            self.journal.discard()
        else:
            print(f"tracking: the run could not be uploaded to {store_uri(self.config)} ({first_line(self.error)}); it is kept in "
                  f"{os.path.relpath(self.journal.folder)}; once the store works: python -m pipeline.tracking sync", file=sys.stderr)

    def _append(self, kind: str, **fields: Any) -> None:
        if self.journal is not None:
            self.journal.append(kind, **fields)

    def _carry(self) -> None:
        """Upload what is new every few seconds until the run ends; what fails is tried again the next time."""
        over = False
        while not over:
            try:
                client, experiment = open_store(self.config)
                over = self._finished.wait(FLUSH_SECONDS)
                upload(self.journal, client, experiment)
                self.error = None
            except Exception as error:  # whatever the store throws must not end a training
                self.error = error
                over = over or self._finished.wait(FLUSH_SECONDS)


def upload(journal: Journal, client: Any, experiment: str) -> None:
    """Carry the events the store does not have yet; safe to repeat after a failure."""
    state = journal.state
    events = journal.events()
    while state["uploaded"] < len(events):
        event = events[state["uploaded"]]
        batch = 1
        if event["kind"] == "metrics":
            while (state["uploaded"] + batch < len(events) and events[state["uploaded"] + batch]["kind"] == "metrics"
                   and batch < 100):
                batch += 1
            _log_metrics(client, state["run_id"], events[state["uploaded"]:state["uploaded"] + batch])
        else:
            _UPLOADS[event["kind"]](journal, client, experiment, state, event)
        state["uploaded"] += batch
        journal.state = state


def _start(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    if event["weights"]:
        found = client.search_runs([experiment], f"tags.weights = '{event['weights']}'", max_results=1)
        if found:
            state.update(run_id=found[0].info.run_id, joined=True)
            return
    found = client.search_runs([experiment], f"tags.journal = '{journal.folder.name}'", max_results=1)
    if found:  # made before, and the answer was lost
        state.update(run_id=found[0].info.run_id, joined=False)
        return
    tags = {**event["tags"], "journal": journal.folder.name}
    if "sweep" in tags:
        tags["mlflow.parentRunId"] = sweep_run(client, experiment, tags["sweep"], tags["sweep_command"])
    run = client.create_run(experiment, start_time=event["time"], run_name=event["name"], tags=tags)
    state.update(run_id=run.info.run_id, joined=False)


def log(client: Any, run_id: str, metrics: Optional[dict[str, float]] = None, params: Optional[dict[str, str]] = None,
        tags: Optional[dict[str, str]] = None) -> None:
    """Add metrics, parameters and tags to a run at once."""
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    client.log_batch(run_id, [Metric(key, value, now, 0) for key, value in (metrics or {}).items()],
                     [Param(key, value[:6000]) for key, value in (params or {}).items()],
                     [RunTag(key, value[:5000]) for key, value in (tags or {}).items()])


def _log_metrics(client: Any, run_id: str, events: list[dict]) -> None:
    from mlflow.entities import Metric

    client.log_batch(run_id, metrics=[Metric(key, value, event["time"], event["step"])
                                      for event in events for key, value in event["values"].items()])


def _log_params(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    log(client, state["run_id"], params=event["values"])


def _log_tags(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    log(client, state["run_id"], tags=event["values"])


def _log_artifact(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    client.log_artifact(state["run_id"], str(journal.folder / event["file"]), event["folder"] or None)


def _log_dataset(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(name=event["name"], digest=event["digest"], source_type="local",
                      source=json.dumps({"uri": event["source"]}), profile=json.dumps(event["profile"]))
    client.log_inputs(state["run_id"], [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])


def _log_model(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    from pipeline.serving import log_model

    for rest in client.search_logged_models([experiment], f"source_run_id = '{state['run_id']}'"):  # of an upload cut short
        client.delete_logged_model(rest.model_id)
    log_model(state["run_id"], journal.folder / event["file"])


def _end(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    if state["joined"]:
        return
    if event.get("reason"):
        client.set_tag(state["run_id"], "reason", event["reason"][:5000])
    client.set_terminated(state["run_id"], event["status"], event["time"])


_UPLOADS = {"start": _start, "params": _log_params, "tags": _log_tags, "artifact": _log_artifact,
            "dataset": _log_dataset, "model": _log_model, "end": _end}


def sweep_run(client: Any, experiment: str, sweep: str, command: str) -> str:
    """The id of the run that the runs of a sweep are children of; it is made if need be."""
    found = client.search_runs([experiment], f"tags.sweep_id = '{sweep}'", max_results=1)
    if found:
        return found[0].info.run_id
    tags = {**where_it_ran(), "stage": "sweep", "sweep_id": sweep, "command": command,
            "mlflow.note.content": f"A sweep; `python -m pipeline.promote` chooses the best of its runs. Reproduce it: `{command}`"}
    return client.create_run(experiment, run_name=f"sweep {sweep}", tags=tags).info.run_id


def adopt(client: Any, run_id: str, sweep: str) -> None:
    """Note that a sweep counts a run of an earlier one among its own, instead of running it again."""
    client.set_tag(run_id, "sweep", f"{client.get_run(run_id).data.tags.get('sweep', '')} {sweep}".strip())


def all_runs(client: Any, experiment: str, filter_string: str) -> list[Any]:
    """Every run that matches, however many there are; the newest first."""
    runs, token = [], None
    while token != "":
        page = client.search_runs([experiment], filter_string, max_results=1000, page_token=token)
        runs += page
        token = page.token or ""
    return runs


@cache
def where_it_ran() -> dict[str, str]:
    """Tags that say which code, on which data, in which process: enough to reproduce a run and to recognise an orphan."""
    git = subprocess.run(["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"], cwd=paths.ROOT,
                         capture_output=True, text=True)
    pointer = paths.ROOT / "data.dvc"
    return {
        "git.commit": git.stdout.strip() or "none",
        "data.version": md5(pointer) if pointer.exists() else "none",
        "process": this_process(),
    }


def this_process() -> str:
    """This process as `host:pid:start time`, which no later process will be."""
    return f"{os.uname().nodename}:{os.getpid()}:{psutil.Process().create_time():.0f}"


def is_gone(process: str) -> bool:
    """Whether a process as named by `this_process` has ended; one on another host is taken to live."""
    host, pid, started = process.rsplit(":", 2)
    if host != os.uname().nodename:
        return False
    try:
        other = psutil.Process(int(pid))
        return other.status() == psutil.STATUS_ZOMBIE or abs(other.create_time() - float(started)) > 2
    except psutil.NoSuchProcess:
        return True


def md5(path: Path) -> str:
    """The md5 of a file, as DVC names it."""
    return hashlib.md5(path.read_bytes()).hexdigest()


def first_line(error: Exception) -> str:
    """The first line of the message of an error's first cause, short enough for a terminal."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


def sync() -> int:
    """Upload every journal whose process has ended, as KILLED if the run had not; return how many could not be uploaded."""
    failed = 0
    if not JOURNALS.is_dir():
        return failed
    with FileLock(JOURNALS / ".lock"):  # two at once would upload everything twice
        for folder in sorted(JOURNALS.glob("*/")):
            journal = Journal(folder)
            try:
                events = journal.events()
                if not events or not is_gone(events[0]["tags"]["process"]):
                    continue
                if events[-1]["kind"] != "end":
                    journal.append("end", status="KILLED", reason="its process was killed")
                client, experiment = open_store(TrackingConfig(**events[0]["config"]))
                upload(journal, client, experiment)
            except Exception as error:  # the next one may lie in another store
                failed += 1
                print(f"tracking: {os.path.relpath(folder)}: {first_line(error)}", file=sys.stderr)
                continue
            journal.discard()
            print(f"tracking: {folder.name}: uploaded")
    return failed


def end_orphans(client: Any, experiment: str) -> int:
    """Mark the runs that still say RUNNING though their process on this host is gone as KILLED; return how many."""
    orphans = [run for run in all_runs(client, experiment, "attributes.status = 'RUNNING'")
               if is_gone(run.data.tags.get("process", ":0:0"))]
    for run in orphans:
        client.set_tag(run.info.run_id, "reason", "its process was killed")
        client.set_terminated(run.info.run_id, "KILLED")
    return len(orphans)


def main() -> None:
    """`sync`, or a command of MLflow's own with the project's store: `ui`, `serve`."""
    store = store_uri(TrackingConfig("local", ""))
    commands = {"ui": ["ui", "--backend-store-uri", store, "--host", "127.0.0.1"],
                "serve": ["models", "serve", "-m", f"models:/{MODEL_NAME}@champion", "--env-manager", "local", "--host", "127.0.0.1"]}
    command, *rest = sys.argv[1:] or [""]
    if command == "sync":
        sys.exit(1 if sync() else 0)
    if command not in commands:
        sys.exit("usage: python -m pipeline.tracking sync                # upload runs kept while the store could not be reached\n"
                 "       python -m pipeline.tracking ui [--port 5000]    # look at the runs\n"
                 "       python -m pipeline.tracking serve [--port 5000] # answer images with text, with the champion")
    port = int(rest[rest.index("--port") + 1]) if "--port" in rest[:-1] else 5000
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            sys.exit(f"tracking: port {port} is in use; choose another one: python -m pipeline.tracking {command} --port {port + 1}")
    if command == "ui":
        experiment = open_store(TrackingConfig("local", "handprint"))[1]
        print(f"The runs: http://127.0.0.1:{port}/#/experiments/{experiment}/runs?viewStateShareKey={VIEW}", flush=True)
    os.environ.setdefault("MLFLOW_TRACKING_URI", store)
    os.execvp(sys.executable, [sys.executable, "-m", "mlflow", *commands[command], *rest])


if __name__ == "__main__":
    main()
