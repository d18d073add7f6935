"""Export: the files of a page that was read."""

import contextlib
import csv
import errno
import io
import json
import os
import platform
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.common.files import writing
from pipeline.output.annotation import annotate
from pipeline.output.markup import to_alto, to_hocr
from pipeline.output.page_xml import to_page_xml
from pipeline.output.pdf import to_pdf
from pipeline.reading.page import Line, Page, Place, Word, whole

SUFFIXES = {
    "txt": ".txt",
    "json": ".json",
    "hocr": ".hocr",
    "alto": ".xml",
    "page": ".page.xml",
    "csv": ".csv",
    "pdf": ".pdf",
    "png": ".png",
}
"""Format -> the ending of the name of its file."""
Column = tuple[Place | None, list[str]]
"""A column of a row of a table: of which cell, and the texts in it."""
COLUMN_GAP = 1.5  # heights of a line; words further apart are in different columns


def export(
    page: Page, image: np.ndarray, stem: Path, name: str, formats: Iterable[str] = tuple(SUFFIXES), dpi: float | None = None
) -> list[Path]:
    """Write the page in each of the formats, `stem` with the format's ending: all of them, or none.

    Args:
        image: (H, W, 3) uint8, the photo that was read.
        name: the photo's file name, for the files that refer to it.
        formats: keys of `SUFFIXES`.
        dpi: dots per inch of the photo, None if not known.

    Raises:
        DataError: the folder cannot be written, or the disk is full.
    """
    name = name.encode("utf-8", "replace").decode("utf-8")  # a name on disk may not be valid text
    made = {beside(stem, kind): _content(kind, page, image, name, dpi) for kind in formats}
    with writing(stem):
        stem.parent.mkdir(parents=True, exist_ok=True)
        ours = f"{platform.node()}.{os.getpid()}"  # a process writes one page at a time
        waiting = {path: path.with_name(f".{number}.{ours}") for number, path in enumerate(made)}
        for path in made:
            _check_place(path)
        try:
            for path, content in made.items():
                with open(waiting[path], "wb") as file:
                    file.write(content)
            for path, temporary in waiting.items():
                os.replace(temporary, path)
        finally:
            for temporary in waiting.values():
                temporary.unlink(missing_ok=True)
    return list(made)


def _check_place(path: Path) -> None:
    """Raise the OSError that putting a file there would raise: nothing is replaced if one of several files cannot be."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(path.lstat().st_mode):
            raise IsADirectoryError(errno.EISDIR, f"{path.name} is a folder")


def remove_leftovers(folder: Path) -> None:
    """Remove what processes of this host left half-written in a folder when they were killed."""
    for path in folder.glob(f".*.{platform.node()}.*"):
        pid = path.name.rpartition(".")[2]
        if pid.isdecimal():
            import psutil  # not above: hardly anybody needs it

            if not psutil.pid_exists(int(pid)):
                path.unlink(missing_ok=True)


def beside(stem: Path, kind: str) -> Path:
    """The path of the file of a page in a format."""
    return stem.with_name(stem.name + SUFFIXES[kind])  # not with_suffix: a stem may hold a dot


def _content(kind: str, page: Page, image: np.ndarray, name: str, dpi: float | None) -> bytes:
    if kind == "pdf":
        return to_pdf(page, image, dpi)
    if kind == "png":
        stream = io.BytesIO()
        picture = annotate(page, image).quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        picture.save(stream, "PNG", compress_level=1)  # a fifth of the size and a quarter of the time of 16 million colours
        return stream.getvalue()
    if kind == "txt":
        return (page.text + "\n" if page.lines else "").encode()
    made = {"json": to_json, "hocr": to_hocr, "alto": to_alto, "page": to_page_xml, "csv": to_csv}[kind]
    return made(page, name).encode()


def to_csv(page: Page, name: str) -> str:
    """A row for each line or row of a table, a column for each cell or group of words; empty cells are empty columns."""
    rows: list[list[Column]] = []
    for line in page.lines:
        columns = _columns(line)
        known = {place: texts for place, texts in rows[-1] if place} if rows else {}
        if all(place and any(place.row == other.row for other in known) for place, _ in columns):
            for place, texts in columns:  # a cell of several lines
                known[place] += texts  # type: ignore[index]
        else:
            rows.append(columns)
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([" ".join(texts) for _, texts in row] for row in rows)
    return stream.getvalue()


def _columns(line: Line) -> list[Column]:
    """The words of a line column by column: all cells of a row of cells, and groups of words that stand far apart."""
    far = COLUMN_GAP * (line.box[3] - line.box[1])
    columns: list[Column] = []
    last: Word | None = None
    for word in line.words:
        place = word.place
        if place and (last is None or last.place is None or last.place.row != place.row):
            columns += [(place._replace(column=column), []) for column in range(place.columns)]
        elif not place and (last is None or last.place or word.box[0] - last.box[2] > far):
            columns.append((None, []))
        where = next((texts for other, texts in columns if place and other == place), columns[-1][1])
        where.append(word.text)
        last = word
    return columns


def to_json(page: Page, name: str) -> str:
    """Lines > words > characters, with the next best readings of each.

    Boxes are x0, y0, x1, y1 in whole pixels of the upright photo, confidences 0..1.
    """
    lines = [
        {
            "text": line.text,
            "box": whole(line.box),
            "words": [
                {
                    "text": word.text,
                    "box": whole(word.box),
                    "confidence": round(word.confidence, 4),
                    "printed": word.printed,
                    "alternatives": _listed(word.alternatives),
                    "characters": [
                        {
                            "text": c.text,
                            "box": whole(c.box),
                            "confidence": round(c.confidence, 4),
                            "rejected": c.rejected,
                            "alternatives": _listed(c.alternatives),
                        }
                        for c in word.characters
                    ],
                }
                for word in line.words
            ],
        }
        for line in page.lines
    ]
    value = {
        "image": name,
        "width": page.width,
        "height": page.height,
        "rotation": round(page.rotation, 2),
        "text": page.text,
        "lines": lines,
    }
    return json.dumps(value, indent=1) + "\n"


def _listed(alternatives: tuple[tuple[str, float], ...]) -> list[dict[str, Any]]:
    return [{"text": text, "confidence": round(confidence, 4)} for text, confidence in alternatives]
