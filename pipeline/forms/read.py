"""Read: read a photo of a form, field by field."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PIL import Image

from pipeline.common.errors import ConfigError, PageError
from pipeline.forms.ink import field_ink, find_drawn, written_ink
from pipeline.forms.options import TICKED, Field, FormOptions
from pipeline.forms.reading import Reading
from pipeline.forms.register import Blank, register, warp
from pipeline.reading import straighten
from pipeline.reading.blocks import find_rows
from pipeline.reading.cell_ink import Cell, classify_cells, split_cells
from pipeline.reading.combs import comb_words
from pipeline.reading.constraint import matches
from pipeline.reading.decode import decode_cells
from pipeline.reading.layout import find_components
from pipeline.reading.lines import read_lines
from pipeline.reading.models import Models
from pipeline.reading.options import OcrOptions
from pipeline.reading.page import Line, Page, Word, reject
from pipeline.reading.reader import line_in_photo, rotation

TICK = 0.18  # sides of a check box; strokes of this length, about that of a dot, are a tick with a probability of one half
DOUBT = 0.03  # the same; this much more makes the odds e times larger


class FormPage(NamedTuple):
    """A form that was read: as a page with one line for each field that is not empty, and field by field."""

    page: Page
    fields: dict[str, Reading]


class FormReader:
    """Reads photos of one form.

    Args:
        form: its fields.
        blank: (H, W) uint8, the form with nothing written on it.
        models: that are needed to read pages.
    """

    def __init__(self, form: FormOptions, blank: np.ndarray, models: Models, options: OcrOptions) -> None:
        self.models, self.options = models, options
        self.fields = form.each()
        check_characters(self.fields, models.characters.alphabet.characters)
        self.blank = Blank(blank)
        height, width = blank.shape
        scale = min(1.0, (options.work_pixels / blank.size) ** 0.5)
        self.size = max(1, round(width * scale)), max(1, round(height * scale))
        self.shown = np.asarray(Image.fromarray(blank).resize(self.size, Image.Resampling.BOX))
        self.to_blank = np.diag([width / self.size[0], height / self.size[1], 1.0])

    def __call__(self, image: np.ndarray) -> FormPage:
        """Read a photo, (H, W, 3) uint8.

        Raises:
            PageError: the form is not on the photo.
        """
        view = straighten.prepare(image, 2 * self.options.work_pixels)
        matrix = self._find(view.pixels) @ self.to_blank
        view = straighten.View(warp(view.pixels, matrix, self.shown.shape, 255), view.to_photo @ matrix)
        ink = written_ink(view.pixels, self.shown, self.models.ink)
        stroke = find_components(ink).stroke
        height, width = image.shape[:2]
        boxes = {name: np.array(field.box) * (self.size * 2) for name, field in self.fields.items()}
        cells = {
            name: self._cells(field, ink, boxes[name])
            for name, field in self.fields.items()
            if field.cells and field.kind == "text"
        }
        rows = iter(classify_cells([cell for row in cells.values() for cell in row if cell], stroke, self.models.characters))
        readings: dict[str, Reading] = {}
        lines: list[Line] = []
        for name, field in self.fields.items():
            if field.kind == "checkbox":
                readings[name] = read_checkbox(ink, boxes[name], stroke)
                continue
            if field.cells:
                readings[name], line = self._read_cells(field, cells[name], rows)
            else:
                readings[name], line = self._read_line(field, ink, boxes[name])
            if line:
                lines.append(line_in_photo(line, view, width, height))
        page = Page(width, height, rotation(view), lines)
        return FormPage(reject(page, self.options.reject_below), readings)

    def _find(self, gray: np.ndarray) -> np.ndarray:
        """(3, 3) matrix that maps (x, y, 1) of the blank to the photo's pixels; see `register`.

        A rough or patterned desk has more corners than a form: then only what the network takes for drawn counts.
        """
        try:
            return register(gray, self.blank)
        except PageError:
            if self.models.ink is None:
                raise
            return register(255 - find_drawn(gray, self.models.ink), self.blank)

    @staticmethod
    def _cells(field: Field, ink: np.ndarray, box: np.ndarray) -> list[Cell | None]:
        """What is written in each of a field's cells."""
        edges = np.linspace(box[0], box[2], field.cells + 1)[1:-1]
        return split_cells(*field_ink(ink, box), edges, float(box[3] - box[1]))

    def _read_cells(self, field: Field, cells: list[Cell | None], rows: Iterator[np.ndarray]) -> tuple[Reading, Line | None]:
        """Read a field in which each character has a cell; empty cells at its ends are not part of the text."""
        filled = [number for number, cell in enumerate(cells) if cell]
        if not filled:
            return Reading("", 1.0, []), None
        used = cells[filled[0] : filled[-1] + 1]
        alphabet = self.models.characters.alphabet.characters
        language = None if field.pattern or field.alphabet == "digits" else self.models.language
        given = [next(rows) if cell else None for cell in used]
        decoded = decode_cells(given, alphabet, field.constraint, language, self.options.language_weight)
        return Reading(*decoded), Line(comb_words(decoded, used, given, alphabet))

    def _read_line(self, field: Field, ink: np.ndarray, box: np.ndarray) -> tuple[Reading, Line | None]:
        """Read a field for any number of characters."""
        labels, (left, top) = field_ink(ink, box)
        found = find_components(labels > 0)
        lines: list[Line] = []
        for constraint in (field.constraint, None):  # a text that the field does not allow is read as it is, and flagged
            if found.areas.any() and not lines:
                copy = found._replace(labels=found.labels.copy())  # reading marks its cuts in the labels
                lines = read_lines(copy, find_rows(copy), self.models, self.options, constraint)[0]
        words = [
            Word([replace(c, box=(c.box[0] + left, c.box[1] + top, c.box[2] + left, c.box[3] + top)) for c in word.characters])
            for line in lines
            for word in line.words
        ]
        if not words:
            return Reading("", 1.0, []), None
        line = Line(words)
        confidence = math.prod(word.confidence for word in words)
        each = [1.0 if c is None else c.confidence for word in words for c in (*word.characters, None)][:-1]
        return Reading(line.text, confidence, each, matches(field.constraint, line.text)), line


def check_characters(fields: Mapping[str, Field], characters: str) -> None:
    """Refuse a field of which nothing can be read.

    Raises:
        ConfigError: the field allows no text of the characters that the network reads.
    """
    for name, field in fields.items():
        if field.kind == "text" and not field.allows_some(characters):
            key, value = ("pattern", field.pattern) if field.pattern else ("alphabet", field.alphabet)
            raise ConfigError(f"form.fields.{name}.{key}: {value!r} allows no text of the characters of the model, {characters}")


def read_checkbox(ink: np.ndarray, box: np.ndarray, stroke: float) -> Reading:
    """Read a check box: whether it is ticked, by the length of the strokes in it."""
    x0, y0, x1, y1 = (int(round(value)) for value in box)
    length = ink[y0:y1, x0:x1].sum() / max(stroke, 1.0) / max(y1 - y0, 1)
    ticked = 1 / (1 + math.exp(min((TICK - length) / DOUBT, 500)))
    return Reading(TICKED, ticked, [ticked]) if ticked > 0.5 else Reading("", 1 - ticked, [])
