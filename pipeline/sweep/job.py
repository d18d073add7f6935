"""Job: one training of a sweep, in the process that runs it."""

import json
import math
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Optional

from hydra.core.hydra_config import HydraConfig

from pipeline import tracking
from pipeline.common.errors import StoppedError, UserError
from pipeline.config.schema import TrackingConfig
from pipeline.nn.history import EpochRecord
from pipeline.sweep.state import FINISHED, PLAN, STATE, is_hopeless, states, sweep_of
from pipeline.tracking.origin import is_gone, this_process

NAMED = {"train.lr", "train.batch_size", "model.hidden", "seed", "trial"}
"""Keys that are part of the name of every run; other swept keys are added to it."""


class Job:
    """One job: its folder holds its state, the sweep's folder above holds the plan."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.sweep = folder, sweep_of(folder) or folder.parent
        self.plan = json.loads((self.sweep / PLAN).read_text(encoding="utf-8"))
        self.state: dict[str, Any] = {"status": "running", "curve": [], "seconds": 0.0}

    @classmethod
    def of(cls, folder: Path) -> Optional["Job"]:
        """The job that runs in `folder`, or None if it does not belong to a sweep."""
        return cls(folder) if is_job(folder) else None

    @classmethod
    def again(cls, folder: Path) -> "Job":
        """The job with the state that it wrote last."""
        job = cls(folder)
        job.state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        return job

    def checkpoint(self, fingerprint: str) -> Path:
        """The checkpoint of the training, where a later sweep that finishes this job finds it."""
        return Path("outputs/checkpoints") / f"{fingerprint}.npz"

    def start(self, name: str, tags: dict[str, str]) -> tracking.Run:
        """Begin the job's run, a child of the sweep's."""
        self.update(name="-".join([as_name(os.path.relpath(self.folder, self.sweep)).zfill(3), name, *self._swept(named=False)]))
        return tracking.Run(
            TrackingConfig(**self.plan["tracking"]),
            self.state["name"],
            carrier=self.plan["process"],
            tags={
                **tags,
                "sweep": self.plan["id"],
                "sweep_command": self.plan["command"],
                "sweep_varied": " ".join(self.plan["varied"]),
            },
        )

    def finished_before(self, fingerprint: str) -> float | None:
        """The validation accuracy of a finished run of the same configuration and data, if there is one."""
        while not (self.sweep / FINISHED).exists():  # the main process is still opening the store
            time.sleep(0.05)
        earlier = json.loads((self.sweep / FINISHED).read_text(encoding="utf-8")).get(fingerprint)
        if earlier is None:
            return None
        self.update(status="skipped", **earlier)
        return earlier["accuracy"]

    def epoch(self, record: EpochRecord, run: tracking.Run) -> None:
        """Record an epoch in the state of the job.

        Raises:
            StoppedError: the median rule finds the job hopeless.
        """
        self.state["curve"].append(record.valid_accuracy)
        self.update(accuracy=max(self.state["curve"]), seconds=self.state["seconds"] + record.seconds)
        if self.plan["prune"] == "median" and record.epoch >= self.plan["prune_after"]:
            others = [state["curve"] for state in states(self.sweep) if state.get("name") != self.state["name"]]
            if is_hopeless(self.state["curve"], others):
                run.tags({"pruned": record.epoch})
                self.update(status="pruned")
                raise StoppedError(f"pruned after epoch {record.epoch}: below the median of the other jobs at that epoch")

    def update(self, **values: Any) -> None:
        """Write the job's state for the progress line and the other jobs to read."""
        self.state |= values
        temporary = self.folder / f".{STATE}"  # no flush to the disk: it is only read while the sweep runs
        temporary.write_text(json.dumps(self.state), encoding="utf-8")
        temporary.replace(self.folder / STATE)

    def _swept(self, named: bool) -> list[str]:
        """`dropout0.2` for each swept key in NAMED, or for each that is not."""
        given = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
        overrides = dict(override.split("=", 1) for override in given if "=" in override)
        named_here = [key for key in self.plan["swept"] if key in overrides and (key in NAMED) == named]
        return [as_name(f"{key.split('.')[-1]}{overrides[key]}") for key in named_here]

    def failed(self, error: Exception) -> None:
        """Record the failure, also of a job that failed before its run began: an impossible value, unreadable data."""
        reason = f"{'' if isinstance(error, UserError) else type(error).__name__ + ': '}{error}".splitlines()[0]
        if "name" not in self.state:
            try:
                with self.start("-".join(self._swept(named=True)), {"stage": "train"}):
                    raise error
            except type(error):
                pass
        self.update(status="failed", reason=reason)
        print(f"sweep: {self.state['name']} failed: {reason}", file=sys.stderr, flush=True)


def as_name(text: str) -> str:
    """A value from the command line as part of a run's name, without characters that are special in a path or an address."""
    return re.sub(r"[^\w.,+\[\]-]+", "_", text)[:60]


def is_job(folder: Path) -> bool:
    """Whether `folder` is that of a job of a sweep."""
    return sweep_of(folder) is not None


def run_job(task: Callable[[], float], folder: Path) -> float:
    """Run one job of a sweep; any failure is recorded, and the sweep continues.

    Returns:
        what the task returns, the validation accuracy; NaN if it failed or was stopped.
    """
    job = Job(folder)
    leave_with(job.plan["process"])
    job.update()
    try:
        accuracy = task()
    except StoppedError:
        return math.nan
    except Exception as error:
        Job.again(folder).failed(error)
        return math.nan
    job = Job.again(folder)
    if job.state["status"] == "running":
        job.update(status="finished", accuracy=accuracy)
    return accuracy


@cache
def leave_with(main: str) -> None:
    """End this process when the main process of the sweep has ended; a worker of joblib would wait for ever.

    The next sweep repeats its job and uploads its journal.
    """

    def watch() -> None:
        while not is_gone(main):
            time.sleep(1)
        os._exit(1)

    if main != this_process():
        threading.Thread(target=watch, daemon=True).start()
