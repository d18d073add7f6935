"""A short run of `python -m tests.fuzz`, and proof that it would notice."""

import time
from pathlib import Path

import pytest

from pipeline.common.errors import DataError
from tests.fuzz import fuzz as fuzz_module
from tests.fuzz.fuzz import fuzz
from tests.fuzz.targets import Target, make_targets, plain

READERS = ("mat", "idx", "npz", "splits", "model", "checkpoint", "image", "photo", "pages", "language", "strokes", "conf")


@pytest.fixture(scope="module")
def targets(tmp_path_factory) -> dict[str, Target]:
    return make_targets(tmp_path_factory.mktemp("fuzz"))


def test_no_reader_is_left_out(targets):
    assert set(targets) == set(READERS)


@pytest.mark.parametrize("name", READERS)
def test_whole_files_are_read(targets, tmp_path, name):
    """Otherwise the fuzzing would only ever see the first check of a reader."""
    for content, pack in targets[name].seeds:
        if not content.startswith(b"%!PS"):
            (tmp_path / "whole").write_bytes(pack(content))
            targets[name].read(tmp_path / "whole")


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_only_raise_the_projects_errors(targets, tmp_path, name):
    assert not list(fuzz(targets[name], 300, 0, tmp_path / "damaged"))


def test_the_fuzzer_notices(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz_module, "SECONDS", 0.05)

    def read(path: Path):
        content = path.read_bytes()
        if len(content) < 20:
            raise KeyError("leaked")
        if len(content) > 40:
            time.sleep(60)
        raise DataError("one line" if content[0] else "two\nlines")

    failures = " ".join(fuzz(Target([(bytes(range(40)), plain)], read), 60, 0, tmp_path / "damaged"))
    assert "KeyError" in failures and "TooSlow" in failures and "not one line" in failures
