"""Sources: the pages that the names on a command line stand for, and the names of their results."""

import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.common.errors import PageError
from pipeline.output.export import SUFFIXES as FORMATS
from pipeline.reading.photo import SUFFIXES, Photo, count_pages, load_page

STDIN = Path("-")
RECORDS = ".read"  # folder of records within a folder of results
LONGEST = 220  # bytes of a name, of the 255 that file systems allow: numbers and `.page.xml` are added to it


@dataclass(frozen=True)
class Source:
    """One page to read.

    Attributes:
        path: the file, or `-`.
        index: of the page in the file.
        count: number of pages in the file.
        document: name of the results of the file as a whole.
        given: whether the file was named itself, not found in a folder.
        content: of standard input, so that another process can read it.
    """

    path: Path
    index: int
    count: int
    document: str
    given: bool
    content: bytes | None = None

    @property
    def name(self) -> str:
        """The name of the results of the page."""
        return _page_name(self.document, self.index, self.count)

    @property
    def shown(self) -> str:
        """The file, and the page if there are several; a name on disk may not be valid text."""
        text = os.fsencode(self.path).decode("utf-8", "replace")
        return text if self.count == 1 else f"{text}, page {self.index + 1}"

    def load(self) -> Photo:
        """The photo.

        Raises:
            PageError: it cannot be read.
        """
        if self.content is not None:
            return load_page(io.BytesIO(self.content), self.index, "standard input")
        return load_page(self.path, self.index)


def find_sources(named: Any, recursive: bool = False, taken: Iterable[str] = ()) -> list[Source]:
    """All pages of a name or a list of names: of files, folders and `-` (standard input).

    Args:
        taken: names of files among the results that are not of one page.

    Raises:
        PageError: a name does not exist, or holds no photo.
    """
    files: list[tuple[Path, bool]] = []
    for path in (_expand(name) for name in (named if isinstance(named, (list, tuple)) else [named])):
        if path.is_dir():
            found = sorted(_photos(path, recursive), key=natural)
            if not found:
                raise PageError(f"{path}: holds no photos ({' '.join(SUFFIXES)})")
            files += [(photo, False) for photo in found]
        elif path.exists() or path == STDIN:
            files.append((path, True))
        else:
            raise PageError(f"{path}: no such file or folder; name a photo, or a folder of photos")
    if not files:
        raise PageError("ocr.pages: names no photos; name files, folders, or - for standard input")
    return list(_named(files, set(taken)))


def natural(path: Path) -> list[Any]:
    """Sort key: page2 comes before page10, folder by folder."""
    return [(part.isdecimal(), int(part) if part.isdecimal() else part) for part in re.split(r"(\d+|/)", str(path)) if part]


def _expand(name: Any) -> Path:
    """A path as it was typed (2024 may be a folder); `~` is expanded unless a file has this name."""
    path = Path(str(name))
    return path if path.exists() else path.expanduser()


def _photos(folder: Path, recursive: bool) -> Iterator[Path]:
    """The photos in a folder, without hidden files (macOS writes a `._*` for every file) and results."""
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if recursive and not (path / RECORDS).exists():
                yield from _photos(path, recursive)
        elif path.suffix.lower() in SUFFIXES:
            yield path


def _named(files: list[tuple[Path, bool]], taken: set[str]) -> Iterator[Source]:
    """The pages of all files.

    The name of a file's results is its stem. A number is added if one of the files that may be written for it, in any format, has
    a name that is `taken`: by a file of another page, or of the whole batch.
    """
    for path, given in files:
        content = _standard_input() if path == STDIN else None
        try:
            count = count_pages(path if content is None else io.BytesIO(content))
        except PageError:
            count = 1  # the error appears when it is read
        stem = "page" if path == STDIN else path.stem
        while len(os.fsencode(stem)) > LONGEST:
            stem = stem[:-1]
        document, number = stem, 1
        while not taken.isdisjoint(written := _results(document, count)):
            number += 1
            document = f"{stem}-{number}"
        taken |= written
        for index in range(count):
            yield Source(path, index, count, document, given, content)


def _page_name(document: str, index: int, count: int) -> str:
    return document if count == 1 else f"{document}-{index + 1}"


def _results(document: str, count: int) -> set[str]:
    """The names of all files that may be written for a file of so many pages: those of its pages, and one PDF of all."""
    pages = [_page_name(document, index, count) for index in range(count)]
    return {f"{document}{FORMATS['pdf']}"} | {page + suffix for page in pages for suffix in FORMATS.values()}


def _standard_input() -> bytes:
    return sys.stdin.buffer.read()
