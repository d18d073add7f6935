"""What the tests of files and folders share: the trained model, and a start of `pipeline.read`."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.common.paths import MODEL
from tests.conftest import ROOT, clean_environment


@pytest.fixture
def trained_model() -> Path:
    if not (ROOT / MODEL).exists():
        pytest.skip("no trained model; `dvc repro` makes one")
    return ROOT / MODEL


def start(folder: Path, *arguments: str, **options) -> subprocess.Popen:
    """A process that reads what the arguments say into `folder`/read."""
    line = [sys.executable, "-m", "pipeline.read", *arguments, "--out", str(folder / "read")]
    options = {"stdout": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen(line, cwd=ROOT, env=clean_environment(), **options)
