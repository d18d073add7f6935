"""Run: one MLflow run, as used by the code that trains or measures."""

import os
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from pipeline.common.errors import StoppedError
from pipeline.config.schema import TrackingConfig, flatten
from pipeline.tracking import lease
from pipeline.tracking.journal import Journal
from pipeline.tracking.origin import this_process, where_it_ran
from pipeline.tracking.orphans import sync
from pipeline.tracking.store import first_line, open_store, store_uri
from pipeline.tracking.upload import RefusedError, tell_refused, upload

FLUSH_SECONDS = 2.0


class Run:
    """One MLflow run as a context manager: FINISHED at the end, FAILED or KILLED with the reason on an exception.

    Args:
        config: which store, which experiment; with the uri `none` nothing is recorded at all.
        name: of the run, and tags for it.
        weights: md5 of a model's weights. The run continues the newest run with this tag `weights`, if there is one; if that
            run has other values of the same parameters, it becomes a child of it.
        carrier: the process that uploads the journal, if it is not this one.
    """

    def __init__(
        self,
        config: TrackingConfig,
        name: str,
        tags: dict[str, str] | None = None,
        weights: str | None = None,
        carrier: str | None = None,
    ) -> None:
        self.config = config
        self.journal: Journal | None = None
        self.error: Exception | None = None
        self._carrier: threading.Thread | None = None
        if config.uri == "none":
            return
        self.journal = Journal.create(name)
        lease.hold(this_process())
        self._append(
            "start",
            config=vars(config),
            name=name,
            weights=weights,
            carrier=carrier or this_process(),
            tags={**where_it_ran(), **(tags or {})},
        )
        if carrier is None:
            self._finished = threading.Event()
            self._carrier = threading.Thread(target=self._carry, daemon=True)
            self._carrier.start()

    def params(self, values: dict[str, Any]) -> None:
        """Record a nested dict of configuration values under names such as `train.lr`; addresses of the store are left out."""
        flat = flatten({key: value for key, value in values.items() if key != "tracking"})
        self._append("params", values={key: str(value) for key, value in flat.items()})

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
        """Record the data set that the run learned from."""
        self._append("dataset", name=name, digest=digest[:36], source=str(source), profile=profile)

    def model(self, weights: Path) -> None:
        """Record the model, loadable with `mlflow.pyfunc.load_model`."""
        if self.journal is not None:
            self._append("model", file=self.journal.keep(weights))

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.journal is None:
            return
        self._append(
            "end",
            reason=error and (str(error) or type(error).__name__),
            status="FINISHED"
            if error is None
            else "KILLED"
            if isinstance(error, (KeyboardInterrupt, StoppedError))
            else "FAILED",
        )
        if self._carrier is None:
            return
        self._finished.set()
        try:
            self._carrier.join()
        except KeyboardInterrupt:
            self.error = InterruptedError("interrupted")
        if self.error is None:
            self.journal.discard()
        elif isinstance(self.error, RefusedError):
            tell_refused(self.journal, self.error)
        else:
            print(
                f"tracking: the run could not be uploaded to {store_uri(self.config)} ({first_line(self.error)}); "
                f"it is kept in {os.path.relpath(self.journal.folder)}; "
                "once the store works: python -m pipeline.tracking sync",
                file=sys.stderr,
            )

    def _append(self, kind: str, **fields: Any) -> None:
        if self.journal is not None:
            self.journal.append(kind, **fields)

    def _carry(self) -> None:
        """Upload new events every few seconds until the run ends; a failed upload is repeated."""
        assert self.journal is not None  # the thread is started for a run with a journal only
        over = cleared = False
        while not over:
            try:
                client, experiment = open_store(self.config)
                if not cleared:
                    sync(self.config)  # runs that were killed, or met a store that was down
                    cleared = True
                over = self._finished.wait(FLUSH_SECONDS)
                upload(self.journal, client, experiment)
                self.error = None
            except Exception as error:  # whatever the store throws must not end a training
                self.error = error
                over = over or self._finished.wait(FLUSH_SECONDS)
