"""Run damaged files through one reader and tell which of them it did not take as it should."""

import faulthandler
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.common.errors import UserError
from tests.fuzz.mutate import mutate
from tests.fuzz.targets import Target, make_targets

SECONDS = 10
"""Longest that one file may take."""
MEMORY = 2 * 2**30
"""Most bytes the process may use while reading."""


class TooSlow(BaseException):
    """Not an Exception, so that no reader can swallow it."""


def fuzz(target: Target, count: int, seed: int, path: Path) -> Iterator[str]:
    """Read `count` damaged files, each written to `path` first; yield one line for each failure.

    File `n` depends on `seed` and `n` alone. A damaged file may still be a valid one: then the reader just returns.
    """
    signal.signal(signal.SIGALRM, _raise_too_slow)
    for n in range(count):
        rng = np.random.default_rng([seed, n])
        content, pack = target.seeds[rng.integers(len(target.seeds))]
        path.write_bytes(pack(mutate(content, rng)))
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        started = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                target.read(path)
        except UserError as error:
            if "\n" in str(error) or not str(error):
                yield f"file {n}: message is not one line: {str(error)!r}"
        except (Exception, TooSlow) as error:
            yield f"file {n}: {type(error).__name__}: {str(error)[:200]} after {time.perf_counter() - started:.1f} s"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if (used := resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024) > MEMORY:
            yield f"file {n}: {used / 2**30:.1f} GB of memory"
            return


def _raise_too_slow(*_: object) -> None:
    raise TooSlow


def run(name: str, count: int, seed: int, scratch: str) -> None:
    """Fuzz one reader in a process of its own: a crash of a library then is one reader's failure, not the end."""
    terminal = os.fdopen(os.dup(2), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # image libraries write a line there for each damaged file
    faulthandler.enable(terminal)
    with tempfile.TemporaryDirectory(dir=scratch) as workspace:
        target = make_targets(Path(workspace))[name]
        faulthandler.dump_traceback_later(count * SECONDS, exit=True, file=terminal)
        failures = list(fuzz(target, count, seed, Path(scratch) / f"{name}.bin"))
    for line in failures[:20]:
        print(f"{name}: {line}")
    sys.exit(bool(failures))
