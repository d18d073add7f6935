"""Origin of a run: its code, its data and its process, and whether that process is still alive."""

import os
import platform
import subprocess
from functools import cache
from pathlib import Path

import psutil

from pipeline.common import paths, processor
from pipeline.common.files import md5
from pipeline.tracking import lease


@cache
def where_it_ran() -> dict[str, str]:
    """Tags with the code, the data and the process of a run: enough to reproduce it, and to recognise an orphan."""
    pointer = paths.ROOT / "data.dvc"
    return {
        "git.commit": commit(),
        "data.version": md5(pointer) if pointer.exists() else "none",
        "processor": processor.kernels(),
        "process": this_process(),
    }


def commit() -> str:
    """The commit of the project's code, `-dirty` if files differ from it; `none` without git or outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True).stdout.strip() or "none"
    except OSError:  # no git here, as in a slim image
        return "none"


@cache
def machine() -> str:
    """The space in which process numbers are unique, as `host name/boot/process namespace`.

    A container that is started again is another machine, whatever its host name; so is a host that was booted again.
    Beyond Linux the host name is all there is.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        return platform.node()
    return f"{platform.node()}/{boot}/{namespace.strip('pid:[]')}"


def this_process() -> str:
    """This process as `machine:pid:start time`, which identifies no other process."""
    return f"{machine()}:{os.getpid()}:{psutil.Process().create_time():.0f}"


def is_gone(process: str) -> bool:
    """Whether a process as named by `this_process` has ended.

    On this machine, the process number decides. On another machine, or in a container that has ended, the process is gone when
    its lease has run out; without a lease in this folder it counts as alive.
    """
    where, pid, started = process.rsplit(":", 2)
    if where.partition("/")[2] != machine().partition("/")[2] or "/" not in where and where != platform.node():
        return lease.has_run_out(process)
    try:
        other = psutil.Process(int(pid))
        return other.status() == psutil.STATUS_ZOMBIE or abs(other.create_time() - float(started)) > 2
    except psutil.NoSuchProcess:
        return True
