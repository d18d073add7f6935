"""Store of runs and models: opens it, queries it, adds to it. MLflow is imported when it is first opened."""

import logging
import os
import shlex
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipeline.common import paths
from pipeline.common.errors import StoreError, UserError
from pipeline.config.schema import TrackingConfig
from pipeline.tracking import views
from pipeline.tracking.moved import relocate
from pipeline.tracking.origin import where_it_ran

MODEL_NAME = "handprint"


def store_uri(config: TrackingConfig) -> str:
    """The store's address; `local` is a SQLite file in the project, absolute so that it holds from any folder."""
    if config.uri != "local":
        return config.uri
    from sqlalchemy import (
        URL,  # quotes what an address cannot hold; at a plain `sqlite:`, MLflow makes a folder of the quoted name
    )

    return URL.create("sqlite+pysqlite", database=str(paths.STORE_ROOT / "mlflow.db")).render_as_string()


def open_store(config: TrackingConfig) -> tuple[Any, str]:
    """Return `(MlflowClient, experiment id)`, creating store and experiment where they do not exist yet; once a process.

    A fresh SQLite store crashes when several processes migrate it at once, hence the lock.
    """
    return _open(store_uri(config), config.experiment, config.uri == "local")


@cache
def _open(uri: str, name: str, is_ours: bool) -> tuple[Any, str]:
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "6")  # twice this is what a dead store may cost at the end of a run
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    warnings.filterwarnings("ignore", module="mlflow")
    import mlflow

    for talkative in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    asked = os.environ.pop("MLFLOW_TRACKING_URI", None)
    mlflow.set_tracking_uri(uri)  # writes it to the environment, where conf/tracking/ would take it for the user's
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    os.environ.update({} if asked is None else {"MLFLOW_TRACKING_URI": asked})
    with FileLock(paths.STORE_ROOT / "mlflow.db.lock", timeout=120):
        try:
            client = mlflow.MlflowClient()
            experiment = client.get_experiment_by_name(name)
        except mlflow.MlflowException as error:
            if "out-of-date database schema" not in str(error):
                raise
            upgrade = f"python -m mlflow db upgrade {shlex.quote(uri)}"
            raise StoreError(
                f"it was made by another version of MLflow; back it up, then bring it up to date: {upgrade}"
            ) from None
        except ValueError:  # its migrations read their own place as a setting, in which % is a sign
            place = Path(mlflow.__file__).parent
            if "%" not in str(place):
                raise
            raise StoreError(
                f"MLflow opens no store from a folder with % in its name, as {place}; rename it, then `make setup`"
            ) from None
        if is_ours:
            relocate(paths.STORE_ROOT)
        if experiment is not None:
            if experiment.lifecycle_stage == "deleted":
                command = f"MLFLOW_TRACKING_URI={shlex.quote(uri)} mlflow experiments restore -x {experiment.experiment_id}"
                raise StoreError(f"experiment {name} is deleted; bring it back: {command}")
            return client, experiment.experiment_id
        location = (paths.STORE_ROOT / "mlruns").as_uri() if uri.startswith("sqlite") else None
        return client, client.create_experiment(
            name,
            artifact_location=location,
            tags={"mlflow.experimentKind": "custom_model_development", **views.runs_view()},
        )


def all_runs(client: Any, experiment: str, filter_string: str) -> list[Any]:
    """All runs that match, the newest first."""
    runs, token = [], None
    while token != "":
        page = client.search_runs([experiment], filter_string, max_results=1000, page_token=token)
        runs += page
        token = page.token or ""
    return runs


def sweep_run(client: Any, experiment: str, sweep: str, command: str, varied: Sequence[str], jobs: int = 0) -> str:
    """The id of the parent run of a sweep; if there is none, it is made, with the page that compares its runs.

    Args:
        varied: parameters in which the runs differ.
        jobs: how many runs it will have, where that is known.
    """
    found = client.search_runs([experiment], f"tags.sweep_id = '{sweep}'", max_results=1)
    if found:
        return found[0].info.run_id
    for key, value in views.sweep_view(sweep, varied, jobs).items():
        client.set_experiment_tag(experiment, key, value)
    note = sweep_note("A sweep; `python -m pipeline.promote` chooses the best of its runs", experiment, sweep, command)
    tags = {**where_it_ran(), "stage": "sweep", "sweep_id": sweep, "command": command, "mlflow.note.content": note}
    name = command.removeprefix("python -m pipeline.").removeprefix("train -m ")  # experiment=grid ...
    return client.create_run(experiment, run_name=f"sweep {name}"[:250], tags=tags).info.run_id


def sweep_note(summary: str, experiment: str, sweep: str, command: str) -> str:
    """The description of a sweep's run, in Markdown."""
    return f"{summary}. [Compare its runs]({views.sweep_page(experiment, sweep)}). Reproduce the sweep: `{command}`"


def log(
    client: Any,
    run_id: str,
    metrics: dict[str, float] | None = None,
    params: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
) -> None:
    """Add metrics, parameters and tags to a run at once."""
    from mlflow.entities import Metric, Param, RunTag

    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        [Metric(key, value, now, 0) for key, value in (metrics or {}).items()],
        [Param(key, value[:6000]) for key, value in (params or {}).items()],
        [RunTag(key, value[:5000]) for key, value in (tags or {}).items()],
    )


@contextmanager
def answering(config: TrackingConfig) -> Iterator[None]:
    """Turn an exception of MLflow inside the context into one line that names the store and says what to do.

    Raises:
        StoreError: the store is away, damaged, of another schema, or refuses to answer.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if not isinstance(error, OSError) and type(error).__module__.split(".")[0] not in ("mlflow", "sqlalchemy", "sqlite3"):
            raise
        raise StoreError(f"{store_uri(config)}: {first_line(error)}") from error


CURES = {
    "Invalid Host header": "start the server with --allowed-hosts and the name it is called by",
    "not authenticated": "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    "Connection refused": "is the server running?",
}
"""What to do, by a part of what MLflow says."""


def first_line(error: BaseException) -> str:
    """The first line of the message of an error's first cause, with what can be done about it."""
    while not isinstance(error, UserError) and (cause := error.__cause__ or error.__context__):
        error = cause
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    cures = [cure for part, cure in CURES.items() if part in line]
    return "; ".join([line[: 160 if cures else 500], *cures])
