"""Where a run comes from: which code, which data, which process, and whether that process still lives."""

import os
import subprocess
from functools import cache

import psutil

from pipeline.common import paths, processor
from pipeline.common.files import md5


@cache
def where_it_ran() -> dict[str, str]:
    """Tags that say which code, on which data, in which process: enough to reproduce a run and to recognise an orphan."""
    git = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"], cwd=paths.ROOT, capture_output=True, text=True
    )
    pointer = paths.ROOT / "data.dvc"
    return {
        "git.commit": git.stdout.strip() or "none",
        "data.version": md5(pointer) if pointer.exists() else "none",
        "processor": processor.kernels(),
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
