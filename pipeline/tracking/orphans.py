"""Orphans: journals and RUNNING runs of processes that were killed or could not reach the store."""

import sys
from typing import Any

from filelock import FileLock

from pipeline.common.errors import DataError, UserError
from pipeline.config.schema import TrackingConfig
from pipeline.tracking.journal import Journal, journals
from pipeline.tracking.origin import is_gone
from pipeline.tracking.store import all_runs, first_line, open_store
from pipeline.tracking.upload import RefusedError, tell_refused, upload

REASON = "its process was killed"


def sync(only: TrackingConfig | None = None) -> int:
    """Upload every journal whose process has ended; a run without an end becomes KILLED.

    Args:
        only: skip journals of other stores and experiments, and those whose refusal the user knows. None: the user asked
            for it, so try all and report each.

    Returns:
        how many could not be uploaded.
    """
    failed = 0
    if not journals().is_dir():
        return failed
    with FileLock(journals() / ".lock"):  # two at once would upload everything twice
        for folder in sorted(journals().glob("*/")):
            journal = Journal(folder)
            try:
                events = journal.events()
                if not events or only and vars(only) != events[0]["config"]:
                    continue
                if (living := living_process(events)) is not None:
                    if only is None:
                        print(f"tracking: {folder.name}: left alone, {living} may still run", file=sys.stderr)
                    continue
                if events[-1]["kind"] != "end":
                    journal.append("end", status="KILLED", reason=REASON)
                client, experiment = open_store(TrackingConfig(**events[0]["config"]))
                upload(journal, client, experiment, again=only is None)
            except (RefusedError, DataError) as error:
                failed += 1
                tell_refused(journal, error, always=only is None)
                continue
            except Exception as error:  # the next one may lie in another store
                failed += 1
                print(f"tracking: {folder.name}: {first_line(error)}", file=sys.stderr)
                continue
            journal.discard()
            print(f"tracking: {folder.name}: uploaded", file=sys.stderr)  # standard output may be a page's text
    return failed


def living_process(events: list[dict[str, Any]]) -> str | None:
    """The process that uploads or still writes a journal, in words; None if both have ended."""
    processes = [events[0]["carrier"]] + ([events[0]["tags"]["process"]] if events[-1]["kind"] != "end" else [])
    for process in processes:
        if not is_gone(process):
            where, pid, _ = process.rsplit(":", 2)
            return f"process {pid} on {where.partition('/')[0]}"
    return None


def discard(name: str) -> None:
    """Remove the journal called `name`; events that were not uploaded are lost.

    Raises:
        UserError: there is none, or its process may still run.
    """
    waiting = {folder.name: folder for folder in sorted(journals().glob("*/"))}
    if name not in waiting:
        raise UserError(f"no journal {name}: " + (f"there are {', '.join(waiting)}" if waiting else "none waits"))
    journal = Journal(waiting[name])
    try:
        events = journal.events()
    except DataError:
        events = []
    if events and (living := living_process(events)) is not None:
        raise UserError(f"{name}: {living} may still run; stop it first")
    journal.discard()
    print(f"tracking: {name}: discarded", file=sys.stderr)


def end_orphans(client: Any, experiment: str) -> int:
    """Mark as KILLED the runs that are RUNNING although their process has ended; return how many."""
    orphans = [
        run
        for run in all_runs(client, experiment, "attributes.status = 'RUNNING'")
        if is_gone(run.data.tags.get("process", ":0:0"))
    ]
    for run in orphans:
        client.set_tag(run.info.run_id, "reason", REASON)
        client.set_terminated(run.info.run_id, "KILLED")
    return len(orphans)
