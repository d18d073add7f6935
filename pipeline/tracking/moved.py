"""Moved: corrects the store of a project whose folder was moved, copied or renamed; MLflow stores absolute addresses."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

ADDRESSES = [
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
]
"""The tables and columns of MLflow's schema that hold addresses of files."""


def relocate(root: Path) -> None:
    """Make the addresses in `root`/mlflow.db that point to the mlruns/ of another folder point to `root`/mlruns.

    MLflow has opened the store before, so its tables are there; the files went with the folder. With an old address,
    new artifacts would go into the old folder or, in a copy, into the project it was copied from.
    """
    here = (root / "mlruns").as_uri()
    with closing(sqlite3.connect(root / "mlflow.db", timeout=60)) as store, store:  # one transaction
        found = store.execute("select distinct artifact_location from experiments").fetchall()
        for (there,) in found:
            if there and there != here and there.startswith("file:") and there.endswith("/mlruns"):
                for table, column in ADDRESSES:
                    store.execute(
                        f"update {table} set {column} = ? || substr({column}, ?) "
                        f"where {column} = ? or substr({column}, 1, ?) = ?",
                        (here, len(there) + 1, there, len(there) + 1, f"{there}/"),
                    )
                print(f"tracking: the project was moved: its artifacts are looked for in {here}, not in {there}", file=sys.stderr)
