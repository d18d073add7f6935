"""What a sweep costs beside the training in it: `python -m benchmarks.bench_sweep [--jobs 2] [--epochs 40]`.

Runs the 27 jobs of `experiment=grid` on two workers, into a store of its own that holds one run, as after `make repro`, and
prints the wall time, all included, over the pure training time divided by the workers. 1 would be no overhead at all; the
floor is 1.5. It says something only on a machine that does nothing else.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.common.paths import ROOT


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=2, help="workers")
    parser.add_argument("--epochs", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DVC_ROOT": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # or every worker would compile the project anew
        train = [sys.executable, "-m", "pipeline.train"]
        subprocess.run(
            [*train, "experiment=course_mlp", "train.epochs=1", f"hydra.run.dir={folder}/warm"],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
        )  # the data are prepared, the files in the cache
        started = time.perf_counter()
        subprocess.run(
            [
                *train,
                "-m",
                "experiment=grid",
                f"train.epochs={arguments.epochs}",
                "hydra/launcher=joblib",
                f"hydra.launcher.n_jobs={arguments.jobs}",
                f"hydra.sweep.dir={folder}/sweep",
            ],
            cwd=ROOT,
            env=environment,
            check=True,
        )
        wall = time.perf_counter() - started
        seconds = [json.loads(file.read_text())["seconds"] for file in Path(folder, "sweep").glob("*/state.json")]
    ratio = wall / (sum(seconds) / arguments.jobs)
    print(
        f"{len(seconds)} jobs of {arguments.epochs} epochs on {arguments.jobs} workers: wall {wall:.1f} s, pure training "
        f"{sum(seconds):.1f} s; wall / (training / workers) = {ratio:.2f} (floor 1.5)"
    )
    sys.exit(ratio > 1.5)


if __name__ == "__main__":
    main()
