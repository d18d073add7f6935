"""`python -m tests.fuzz [reader ...] [--count N] [--seed N]`: the long run. Exits with 1 if any reader failed."""

import argparse
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.fuzz import run
from tests.fuzz.targets import make_targets


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        names = list(make_targets(Path(scratch)))
        parser = argparse.ArgumentParser(description="Feed damaged files to every reader.")
        parser.add_argument("readers", nargs="*", help=f"any of: {', '.join(names)} (default: all)")
        parser.add_argument("--count", type=int, default=10_000, help="damaged files for each reader")
        parser.add_argument("--seed", type=int, default=1, help="another seed gives other damage")
        arguments = parser.parse_args()
        if unknown := set(arguments.readers) - set(names):
            parser.error(f"no such reader: {', '.join(sorted(unknown))}; choose from {', '.join(names)}")
        failed = []
        for name in arguments.readers or names:
            started = time.perf_counter()
            process = multiprocessing.get_context("spawn").Process(
                target=run, args=(name, arguments.count, arguments.seed, scratch)
            )
            process.start()
            process.join()
            if process.exitcode:
                failed.append(name)
            outcome = "ok" if not process.exitcode else f"FAILED (exit {process.exitcode})"
            print(f"{name}: {arguments.count:,} files, seed {arguments.seed}, {time.perf_counter() - started:.0f} s: {outcome}")
        sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
