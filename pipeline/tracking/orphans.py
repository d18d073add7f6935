"""What processes left behind that were killed, or could not reach the store: their journals, and runs that still say RUNNING."""

import os
import sys
from typing import Any

from filelock import FileLock

from pipeline.config.schema import TrackingConfig
from pipeline.tracking.journal import Journal, journals
from pipeline.tracking.origin import is_gone
from pipeline.tracking.store import all_runs, first_line, open_store
from pipeline.tracking.upload import upload

REASON = "its process was killed"


def sync(only: TrackingConfig | None = None) -> int:
    """Upload every journal that no process carries any more, as KILLED if its run had not ended.

    Args:
        only: leave the journals for other stores and experiments where they are.

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
                if not events or only and vars(only) != events[0]["config"] or not is_gone(events[0]["carrier"]):
                    continue
                if events[-1]["kind"] != "end":
                    if not is_gone(events[0]["tags"]["process"]):
                        continue
                    journal.append("end", status="KILLED", reason=REASON)
                client, experiment = open_store(TrackingConfig(**events[0]["config"]))
                upload(journal, client, experiment)
            except Exception as error:  # the next one may lie in another store
                failed += 1
                print(f"tracking: {os.path.relpath(folder)}: {first_line(error)}", file=sys.stderr)
                continue
            journal.discard()
            print(f"tracking: {folder.name}: uploaded", file=sys.stderr)  # standard output may be a page's text
    return failed


def end_orphans(client: Any, experiment: str) -> int:
    """Mark the runs that still say RUNNING though their process on this host is gone as KILLED; return how many."""
    orphans = [
        run
        for run in all_runs(client, experiment, "attributes.status = 'RUNNING'")
        if is_gone(run.data.tags.get("process", ":0:0"))
    ]
    for run in orphans:
        client.set_tag(run.info.run_id, "reason", REASON)
        client.set_terminated(run.info.run_id, "KILLED")
    return len(orphans)
