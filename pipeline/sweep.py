"""Sweeps: many trainings, `python -m pipeline.train -m ...`, as the children of one MLflow run.

The main process writes `sweep.json` into the sweep's folder; a job finds it beside its own folder, tells how it fares in
`state.json`, and writes its run's journal. Only the main process opens the store: it makes the parent run before a job begins,
carries the journals there, and prints the progress. So jobs work the same in this process, in workers, on a cluster.
"""

import atexit
import json
import logging
import math
import secrets
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Optional

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from pipeline import config as schema
from pipeline import paths, tracking
from pipeline.config import TrackingConfig
from pipeline.errors import StoppedError, UserError
from pipeline.files import write_json
from pipeline.journal import Journal
from pipeline.nn.training import EpochRecord

PLAN, FINISHED, STATE = "sweep.json", "finished.json", "state.json"
CARRY_SECONDS = 2.0
NAMED = {"train.lr", "train.batch_size", "model.hidden", "seed", "trial"}
"""What a run's name tells in any case; other swept keys are added to it."""

FEWEST_PEERS = 3
"""Jobs that must have come as far before the median rule says anything."""


# What a job does


class Job:
    """One training of a sweep, in the process that does it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plan = json.loads((folder.parent / PLAN).read_text(encoding="utf-8"))
        self.state: dict[str, Any] = {"status": "running", "curve": [], "seconds": 0.0}

    @classmethod
    def of(cls, folder: Path) -> Optional["Job"]:
        """The job that runs in `folder`, or None if it is no sweep's."""
        return cls(folder) if is_job(folder) else None

    @classmethod
    def again(cls, folder: Path) -> "Job":
        """The job as it told its state last."""
        job = cls(folder)
        job.state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        return job

    def checkpoint(self, fingerprint: str) -> Path:
        """Where the training keeps its checkpoint: found again by a later sweep that does what this one did not finish."""
        return Path("outputs/checkpoints") / f"{fingerprint}.npz"

    def start(self, name: str, tags: dict[str, str]) -> tracking.Run:
        """Begin the job's run, a child of the sweep's."""
        self.update(name="-".join([self.folder.name.zfill(3), name, *self._swept(named=False)]))
        return tracking.Run(TrackingConfig(**self.plan["tracking"]), self.state["name"], carry=False,
                            tags={**tags, "sweep": self.plan["id"], "sweep_command": self.plan["command"]})

    def finished_before(self, fingerprint: str) -> Optional[float]:
        """The validation accuracy of a finished run of the same configuration and data, if there is one."""
        while not (self.folder.parent / FINISHED).exists():  # the main process is still opening the store
            self.stop_if_alone()
            time.sleep(0.05)
        earlier = json.loads((self.folder.parent / FINISHED).read_text(encoding="utf-8")).get(fingerprint)
        if earlier is None:
            return None
        self.update(status="skipped", **earlier)
        return earlier["accuracy"]

    def epoch(self, record: EpochRecord, run: tracking.Run) -> None:
        """Tell how the job fares.

        Raises:
            StoppedError: the median rule finds the job hopeless, or the sweep's main process is gone.
        """
        self.state["curve"].append(record.valid_accuracy)
        self.update(accuracy=max(self.state["curve"]), seconds=self.state["seconds"] + record.seconds)
        self.stop_if_alone()
        if self.plan["prune"] == "median" and record.epoch >= self.plan["prune_after"]:
            others = [state["curve"] for state in states(self.folder.parent) if state.get("name") != self.state["name"]]
            if is_hopeless(self.state["curve"], others):
                run.tags({"pruned": record.epoch})
                self.update(status="pruned")
                raise StoppedError(f"pruned after epoch {record.epoch}: below the median of the other jobs at that epoch")

    def stop_if_alone(self) -> None:
        """Raise StoppedError if the sweep's main process is gone: the next sweep runs this job again."""
        if tracking.is_gone(self.plan["process"]):
            self.update(status="killed")
            raise StoppedError("the sweep's main process is gone")

    def update(self, **values: Any) -> None:
        """Write the job's state for the progress line and the other jobs to read."""
        self.state |= values
        temporary = self.folder / f".{STATE}"  # no flush to the disk: it is only read while the sweep runs
        temporary.write_text(json.dumps(self.state), encoding="utf-8")
        temporary.replace(self.folder / STATE)

    def _swept(self, named: bool) -> list[str]:
        """`dropout0.2` for each swept key that a run's name has anyway, or has not."""
        given = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
        overrides = dict(override.split("=", 1) for override in given if "=" in override)
        return [f"{key.split('.')[-1]}{overrides[key]}" for key in self.plan["swept"] if key in overrides and (key in NAMED) == named]

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


def is_job(folder: Path) -> bool:
    """Whether what runs in `folder` is a job of a sweep."""
    return (folder.parent / PLAN).exists()


def run_job(task: Callable[[], float], folder: Path) -> float:
    """Run one job of a sweep; whatever goes wrong in it is recorded, and the sweep goes on.

    Returns:
        what the task returns, the validation accuracy; NaN if it failed or was stopped.
    """
    Job(folder).update()
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


def is_hopeless(curve: list[float], others: list[list[float]]) -> bool:
    """The median rule: the best so far lies below the median of what the others had reached by the same epoch.

    Golovin et al. 2017, "Google Vizier", section 3.2.2, with the best so far in place of the running average.
    """
    peers = [max(other[:len(curve)]) for other in others if len(other) >= len(curve)]
    return len(peers) >= FEWEST_PEERS and max(curve) < statistics.median(peers)


# What the main process does


def states(folder: Path) -> list[dict[str, Any]]:
    """How the jobs of the sweep in `folder` fare, those that have begun."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob(f"*/{STATE}"))]


class Main:
    """A sweep in its main process: the parent run, the journals carried to the store, the progress."""

    def __init__(self, folder: Path, tracking_config: TrackingConfig, options: schema.SweepConfig, total: int,
                 swept: list[str], command: str) -> None:
        self.folder, self.tracking, self.options, self.total, self.command = folder, tracking_config, options, total, command
        self.id = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        self.started = time.monotonic()
        self.client: Any = None
        self.error: Optional[Exception] = None
        self.printed = ""
        folder.mkdir(parents=True, exist_ok=True)
        for stale in (*folder.glob(f"*/{STATE}"), *folder.glob(FINISHED)):
            stale.unlink()
        write_json(folder / PLAN, {
            "id": self.id, "command": command, "process": tracking.this_process(), "tracking": vars(tracking_config),
            "swept": swept, "prune": options.prune, "prune_after": options.prune_after})
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        atexit.register(self.end, "KILLED")

    def _watch(self) -> None:
        """What the main process does beside the launcher."""
        write_json(self.folder / FINISHED, self._open())
        while not self._over.wait(CARRY_SECONDS):
            self._carry()
            self._report()

    def _open(self) -> dict[str, Any]:
        """Open the store, clear up after what was killed, make the parent run; return what need not be run again."""
        if self.tracking.uri == "none":
            return {}
        try:
            tracking.sync()
            client, self.experiment = tracking.open_store(self.tracking)
            tracking.end_orphans(client, self.experiment)
            finished = {} if self.options.rerun else finished_runs(client, self.experiment, self.options.prune != "none")
            self.parent = tracking.sweep_run(client, self.experiment, self.id, self.command)
            self.client = client
            return finished
        except Exception as error:  # the sweep goes on without a store, its runs are kept
            self.error = error
            return {}

    def _carry(self) -> None:
        """Upload what the jobs' journals have that the store has not."""
        if self.client is None:
            return
        try:
            for folder in sorted(tracking.JOURNALS.glob("*/")):
                journal = Journal(folder)
                events = journal.events()
                if events and events[0]["tags"].get("sweep") == self.id:
                    tracking.upload(journal, self.client, self.experiment)
                    if events[-1]["kind"] == "end":
                        journal.discard()
        except Exception as error:  # tried again the next time
            self.error = error
        else:
            self.error = None

    def _report(self) -> None:
        """Print the progress: over itself on a terminal, else a line whenever a job has ended."""
        line = progress(states(self.folder), self.total, time.monotonic() - self.started)
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        elif line.split(",")[0] != self.printed.split(",")[0]:
            print(line, flush=True)
        self.printed = line

    def end(self, status: str) -> int:
        """Carry what is left and end the parent run; return how many jobs failed."""
        if self._over.is_set():
            return 0
        self._over.set()
        self._thread.join()
        self._carry()
        self._report()
        if sys.stderr.isatty():
            print(file=sys.stderr)
        ended = states(self.folder)
        try:
            if self.client is not None:
                for state in ended:
                    if state["status"] == "skipped":
                        tracking.adopt(self.client, state["run"], self.id)
                self.client.set_terminated(self.parent, status)
        except Exception as error:
            self.error = error
        if self.error is not None:
            print(f"sweep: the store cannot be reached ({tracking.first_line(self.error)}); the runs are kept; upload them with: "
                  "python -m pipeline.tracking sync", file=sys.stderr)
        return sum(state["status"] == "failed" for state in ended)


def progress(jobs: list[dict[str, Any]], total: int, seconds: float) -> str:
    """One line: how many are done, run, failed; the best so far; the time left."""
    count = {status: sum(job["status"] == status for job in jobs)
             for status in ("running", "finished", "skipped", "pruned", "failed", "killed")}
    done = len(jobs) - count["running"]
    parts = [f"sweep: {done}/{total} done", f"{count['running']} running", f"{count['failed']} failed"]
    parts += [f"{count[status]} {status}" for status in ("skipped", "pruned", "killed") if count[status]]
    good = [job for job in jobs if job.get("accuracy") is not None and job["status"] != "failed"]
    if good:
        best = max(good, key=lambda job: job["accuracy"])
        parts.append(f"best {best['accuracy']:.4f} ({best['name']})")
    worked = done - count["skipped"]
    if worked and done < total:
        left = seconds / worked * (total - done)
        parts.append(f"{int(left // 60)}:{int(left % 60):02d} left")
    return ", ".join(parts)


def finished_runs(client: Any, experiment: str, with_pruned: bool) -> dict[str, dict[str, Any]]:
    """Fingerprint -> run, name and accuracy of the sweeps' runs that need not be run again: their weights are still there."""
    found = {}
    for run in tracking.all_runs(client, experiment, "tags.fingerprint != ''"):
        tags = run.data.tags
        if tracking.BEST not in run.data.metrics and "pruned" not in tags:
            continue
        if (run.info.status == "FINISHED" and (Path(tags["folder"]) / paths.MODEL).exists()) or (with_pruned and "pruned" in tags):
            found[tags["fingerprint"]] = {"run": run.info.run_id, "name": run.info.run_name,
                                          "accuracy": run.data.metrics.get(tracking.BEST)}
    return found


_main: Optional[Main] = None  # not an attribute of the callback, for that is sent to the workers


class Sweep(Callback):
    """What Hydra tells about a multirun of `pipeline.train`."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        global _main
        if Path(sys.argv[0]).stem != "train":  # the multirun of another stage is only Hydra's
            return
        logging.getLogger("hydra").setLevel(logging.WARNING)  # the launcher's line for every job
        read = schema.read(config, ("tracking", "sweep"))
        given = list(config.hydra.overrides.task)
        parsed = OverridesParser.create().parse_overrides(
            [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()] + given)
        choices = {o.get_key_element(): len(list(o.sweep_string_iterator())) if o.is_sweep_override() else 1 for o in parsed}
        _main = Main(Path(config.hydra.sweep.dir), read.tracking, read.sweep, math.prod(choices.values()),
                     [key for key, count in choices.items() if count > 1], f"python -m pipeline.train -m {' '.join(given)}")

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        if _main is not None:
            failed = _main.end("FINISHED")
            if failed:
                sys.exit(min(failed, 100))
