"""Files are written whole or not at all: under a temporary name first, then renamed, so that nobody reads half a file."""

import csv
import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.common.errors import DataError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError inside the context into one line that names `path`.

    Raises:
        DataError: the folder cannot be written, or the disk is full.
    """
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error}); what was there before is intact") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on failure it is removed.

    Raises:
        DataError: the folder cannot be written or the disk is full; what was at `path` before is intact.
    """
    path = Path(path)
    with writing(path):
        temporary = _temporary(path)
        temporary.touch(0o644)
        try:
            yield temporary
            with open(temporary, "r+b") as written:  # Windows flushes what is open for writing only
                os.fsync(written.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside `path`; on success it replaces `path`, on failure it is removed."""
    path = Path(path)
    with writing(path):
        temporary = _temporary(path)
        temporary.mkdir()
        try:
            yield temporary
            shutil.rmtree(path, ignore_errors=True)
            os.replace(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def restored_on_failure(folder: Path) -> Iterator[None]:
    """Undo all changes to the YAML files of `folder` if an exception leaves the context."""
    before = {file: file.read_bytes() for file in folder.rglob("*.yaml")}
    try:
        yield
    except BaseException:
        for file in set(folder.rglob("*.yaml")) - set(before):
            file.unlink()
        for file, content in before.items():
            if not file.exists() or file.read_bytes() != content:
                file.write_bytes(content)
        raise


def _temporary(path: Path) -> Path:
    """A hidden path beside `path` that no other process uses.

    Temporary files that killed processes of this host left for the same `path` are removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    start = f".{hashlib.md5(os.fsencode(path.name)).hexdigest()[:12]}.{platform.node()}."  # short, even for a long name
    for rest in path.parent.glob(f"{start}*"):
        pid = rest.name.removeprefix(start).removesuffix(path.suffix)
        if pid.isdecimal() and (int(pid) == os.getpid() or not _is_alive(int(pid))):  # otherwise it belongs to a longer host name
            shutil.rmtree(rest) if rest.is_dir() else rest.unlink(missing_ok=True)
    return path.parent / f"{start}{os.getpid()}{path.suffix}"


def _is_alive(pid: int) -> bool:
    import psutil  # here, for the model that MLflow serves does without it

    try:
        return psutil.pid_exists(pid)
    except OverflowError:  # larger than any process number
        return False


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON that a person can read and `git diff` can compare."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8", newline="\n")


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_table(path: Path, rows: Sequence[dict[str, Any]], columns: Sequence[str] = ()) -> None:
    """Write rows with the same keys as CSV, for DVC's plots and for spreadsheets.

    Args:
        columns: the heading where there are no rows.
    """
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def md5(path: Path) -> str:
    """The md5 of a file, as DVC names it."""
    return hashlib.md5(path.read_bytes()).hexdigest()
