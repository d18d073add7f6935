"""Fixtures shared by all tests: a small copy of the project to run commands in, and the real data where they are."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.common.processor import NATIVE

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real characters and pages, kept outside the project."""
    folder = Path(os.environ.get("HANDPRINT_REAL_DATA", ROOT.parent / "shared/real"))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; set HANDPRINT_REAL_DATA")
    return folder


def copy_project(target: Path) -> Path:
    """A copy of what git tracks or would track (not what stages wrote), with the raw data."""
    target.mkdir(parents=True, exist_ok=True)
    for name in ("conf", "pipeline", "data", ".dvc"):
        shutil.copytree(
            ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "cache", "config.local", "tmp", "*.pyc")
        )
    for name in ("dvc.yaml", "data.dvc", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, target / name)
    return target


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh copy of the project."""
    return copy_project(tmp_path / "project")


@pytest.fixture
def run(project: Path) -> Callable[..., subprocess.CompletedProcess]:
    """`run("pipeline.train", "train.lr=1")` runs a module in the copy of the project and returns what it printed."""

    def run_module(*arguments: str, check: bool = True, **options) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=project,
            env=clean_environment(),
            text=True,
            capture_output=True,
            timeout=300,
            **options,
        )
        assert not check or done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done

    return run_module


def clean_environment() -> dict[str, str]:
    """This process's environment without what would point a child at other stores or stages."""
    foreign = ("DVC_", "MLFLOW_", "HANDPRINT_")
    kept = {key: value for key, value in os.environ.items() if key == NATIVE or not key.startswith(foreign)}
    return {**kept, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONWARNINGS": "ignore"}
