"""State: the files by which the processes of a sweep exchange information, and what follows from them."""

import json
import os
import statistics
from pathlib import Path
from typing import Any

PLAN, FINISHED, STATE = "sweep.json", "finished.json", "state.json"
"""The plan of the main process; the runs that need not be repeated; in the folder of each job, its progress."""

FEWEST_PEERS = 3
"""Jobs that must have come as far before the median rule says anything."""


def states(folder: Path) -> list[dict[str, Any]]:
    """The states of the jobs of the sweep in `folder` that have begun."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.rglob(STATE))]


def sweep_of(folder: Path) -> Path | None:
    """The folder of the sweep that contains `folder`, at any depth; None if there is none."""
    return next((above for above in Path(os.path.abspath(folder)).parents if (above / PLAN).exists()), None)


def is_hopeless(curve: list[float], others: list[list[float]]) -> bool:
    """The median rule: whether a job's best accuracy lies below the median of what the others had reached by the same epoch.

    Golovin et al. 2017, "Google Vizier", section 3.2.2, with the best so far in place of the running average.

    >>> is_hopeless([0.1, 0.3], [[0.2, 0.5], [0.4, 0.4, 0.9], [0.3, 0.2]])
    True

    Args:
        curve: validation accuracy of the job after each of its epochs.
        others: the same of the other jobs; those that have not come as far do not count.
    """
    peers = [max(other[: len(curve)]) for other in others if len(other) >= len(curve)]
    return len(peers) >= FEWEST_PEERS and max(curve) < statistics.median(peers)


def progress(jobs: list[dict[str, Any]], total: int, seconds: float) -> str:
    """One line: how many are done, run, failed; the best so far; the time left."""
    count = {
        status: sum(job["status"] == status for job in jobs) for status in ("running", "finished", "skipped", "pruned", "failed")
    }
    done = len(jobs) - count["running"]
    parts = [f"sweep: {done}/{total} done", f"{count['running']} running", f"{count['failed']} failed"]
    parts += [f"{count[status]} {status}" for status in ("skipped", "pruned") if count[status]]
    good = [job for job in jobs if job.get("accuracy") is not None and job["status"] != "failed"]
    if good:
        best = max(good, key=lambda job: job["accuracy"])
        parts.append(f"best {best['accuracy']:.4f} ({best['name']})")
    worked = done - count["skipped"]
    if worked and done < total:
        left = seconds / worked * (total - done)
        parts.append(f"{int(left // 60)}:{int(left % 60):02d} left")
    return ", ".join(parts)
