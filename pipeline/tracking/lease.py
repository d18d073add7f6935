"""Lease: a sign of life on the shared disk, by which other machines and containers know that a process is alive.

A process that records runs touches a file of its own every few seconds. If the file has not been touched for `SECONDS`, by the
clock of the folder it is in, the process was killed. This holds on a network folder too: its server stamps all files by one
clock. A process that was suspended for longer (a laptop that slept) is taken for gone by other machines.
"""

import atexit
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from urllib.parse import quote

from pipeline.common import paths
from pipeline.tracking.journal import journals

BEAT_SECONDS = 20.0
SECONDS = 120.0
"""Network folders show a change up to 60 s late (NFS: `acregmax`), and a beat may be 20 s off, or be missed once."""

KEEP_SECONDS = 30 * 24 * 3600
"""What no process touched for 30 days says nothing any more: a run in a store that is still RUNNING was seen to long before."""


def leases() -> Path:
    """The folder of the signs of life."""
    return paths.STORE_ROOT / "outputs/alive"


def hold(process: str) -> None:
    """Touch the lease of `process` until this process ends."""
    _hold(leases() / quote(process, safe=""))


@cache
def _hold(file: Path) -> None:
    over = threading.Event()

    def beat() -> None:
        while True:
            with suppress(OSError):  # the journal reports a folder that cannot be written
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
            if over.wait(BEAT_SECONDS):
                return

    def end() -> None:
        over.set()
        with suppress(OSError):
            if not any(journals().glob("*/")):  # otherwise one of ours may still wait
                file.unlink()

    with suppress(OSError):
        for old in leases().glob("*"):
            if time.time() - old.stat().st_mtime > KEEP_SECONDS:
                old.unlink()
    threading.Thread(target=beat, daemon=True).start()
    atexit.register(end)


def has_run_out(process: str) -> bool:
    """Whether `process` had a lease in this folder and has not touched it for `SECONDS`."""
    file = leases() / quote(process, safe="")
    try:
        clock = leases() / ".clock"
        clock.touch()  # now, by the clock that stamps the leases
        return clock.stat().st_mtime - file.stat().st_mtime > SECONDS
    except OSError:
        return False
