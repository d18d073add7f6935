"""Servers that tests start, as processes of their own."""

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.conftest import clean_environment

PATIENCE = 180.0  # seconds for a server to answer


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def started(command: Sequence[str], address: str, folder: Path, log: Path, **environment: str) -> Iterator[None]:
    """A command that runs in `folder` until it is stopped, once it answers at `address`; what it prints goes to `log`."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=folder, env=clean_environment() | environment, stdout=file, stderr=file, start_new_session=True
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(address, timeout=5)
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.3)
        yield
    finally:
        with suppress(psutil.NoSuchProcess):
            for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
                with suppress(psutil.NoSuchProcess):
                    one.terminate()
        process.wait()
