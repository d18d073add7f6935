"""Main: what the main process of a sweep does while jobs run."""

import atexit
import json
import secrets
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.common.errors import UserError
from pipeline.common.files import write_json, writing
from pipeline.config.schema import Config, SweepConfig, TrackingConfig
from pipeline.sweep.state import FINISHED, PLAN, STATE, progress, states
from pipeline.sweep.store import finished_runs
from pipeline.tracking import lease
from pipeline.tracking.journal import Journal, journals
from pipeline.tracking.origin import this_process
from pipeline.tracking.orphans import end_orphans, sync
from pipeline.tracking.store import first_line, open_store, store_uri, sweep_run
from pipeline.tracking.upload import RefusedError, tell_refused, upload
from pipeline.tracking.views import sweep_page

CARRY_SECONDS = 4.0


class Main:
    """The main process of a sweep: makes the parent run, uploads the journals, prints the progress."""

    def __init__(
        self,
        folder: Path,
        tracking_config: TrackingConfig,
        options: SweepConfig,
        total: int,
        swept: list[str],
        command: str,
        equal: Sequence[str] = (),
        varied: Sequence[str] = (),
    ) -> None:
        """Write the plan and open the store.

        Args:
            swept: keys that the command line gives several values.
            equal: for each job that is not run, the job with the same configuration.
            varied: parameters in which the jobs differ; `swept` where it is not known before they run.
        """
        self.folder, self.tracking, self.options, self.total, self.command = folder, tracking_config, options, total, command
        self.id = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        self.started = time.monotonic()
        self.client: Any = None
        self.error: Exception | None = None
        self.printed = ""
        self.equal, self.varied = equal, varied or swept
        self.skipped = 0
        self._finished: dict[str, Any] | None = None
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        for stale in (*folder.rglob(STATE), *folder.glob(FINISHED)):
            stale.unlink()
        write_json(
            folder / PLAN,
            {
                "id": self.id,
                "command": command,
                "process": this_process(),
                "tracking": vars(tracking_config),
                "swept": swept,
                "varied": [*self.varied],
                "prune": options.prune,
                "prune_after": options.prune_after,
            },
        )
        lease.hold(this_process())
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        atexit.register(self.end, "KILLED")

    def _watch(self) -> None:
        """Open the store, then upload and report until the sweep ends; runs in a thread of its own."""
        write_json(self.folder / FINISHED, self._open())
        while not self._over.wait(CARRY_SECONDS):
            self._carry()
            self._report()

    def _open(self) -> dict[str, Any]:
        """Open the store, end orphans, make the parent run; return the runs that need not be repeated."""
        if self.tracking.uri == "none":
            return {}
        try:
            client, self.experiment = open_store(self.tracking)
            sync(self.tracking)
            end_orphans(client, self.experiment)
            finished = {} if self.options.rerun else finished_runs(client, self.experiment, self.options.prune != "none")
            self.parent = sweep_run(client, self.experiment, self.id, self.command, self.varied, self.total)
            self.client = client
            return finished
        except Exception as error:  # the sweep goes on without a store, its runs are kept
            self.error = error
            return {}

    def skip(self, config: Config) -> bool:
        """Whether an earlier run has the configuration of a job; it then counts as a run of this sweep."""
        from pipeline.train import fingerprint  # which imports this package

        while not (self.folder / FINISHED).exists():  # the store is still being opened
            time.sleep(0.02)
        if self._finished is None:
            self._finished = json.loads((self.folder / FINISHED).read_text(encoding="utf-8"))
        try:
            earlier = self._finished and self._finished.get(fingerprint(config))
        except UserError:  # the job will say what it misses
            return False
        if not earlier:
            return False
        self.skipped += 1
        state = {"status": "skipped", "curve": [], "seconds": 0.0, **earlier}
        write_json(self.folder / "skipped" / str(self.skipped) / STATE, state)
        return True

    def _carry(self) -> None:
        """Upload new events of the jobs' journals."""
        if self.client is None:
            return
        try:
            for folder in sorted(journals().glob("*/")):
                journal = Journal(folder)
                events = journal.events()
                if events and events[0]["tags"].get("sweep") == self.id:
                    try:
                        upload(journal, self.client, self.experiment)
                    except RefusedError as error:
                        tell_refused(journal, error)
                    else:
                        if events[-1]["kind"] == "end":
                            journal.discard()
        except Exception as error:  # tried again the next time
            self.error = error
        else:
            self.error = None

    def _report(self) -> None:
        """Print the progress: on a terminal in place, otherwise a line each time a job ends."""
        line = progress(states(self.folder), self.total, time.monotonic() - self.started)
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        elif line.split(",")[0] != self.printed.split(",")[0]:
            print(line, flush=True)
        self.printed = line

    def _adopt(self, run_id: str) -> None:
        """Tag a run of an earlier sweep as a run of this one, instead of repeating it."""
        sweeps = self.client.get_run(run_id).data.tags.get("sweep", "")
        self.client.set_tag(run_id, "sweep", f"{sweeps} {self.id}".strip())

    def end(self, status: str) -> int:
        """Upload the rest and end the parent run; return how many jobs failed."""
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
                        self._adopt(state["run"])
                if self.equal:
                    self.client.set_tag(self.parent, "equal_jobs", "\n".join(self.equal)[:5000])
                self.client.set_terminated(self.parent, status)
        except Exception as error:
            self.error = error
        if self.error is not None:
            print(
                f"sweep: the store cannot be reached ({first_line(self.error)}); the runs are kept; upload them with: "
                "python -m pipeline.tracking sync",
                file=sys.stderr,
            )
        elif self.client is not None:
            uri = store_uri(self.tracking)
            server = uri.rstrip("/") if uri.startswith("http") else ""
            page = f"{server}/{sweep_page(self.experiment, self.id)}" if server else "python -m pipeline.tracking ui"
            print(f"sweep: compare its runs: {page}", file=sys.stderr)
        return sum(state["status"] == "failed" for state in ended)
