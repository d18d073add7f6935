"""Blanks: empty forms, drawn from the list of their fields."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from pipeline.synthesis.typefaces import TYPEFACES, load_typeface

WIDTH, HEIGHT = 1240, 1754
"""Pixels of a blank: A4 at 150 dots per inch."""
FINE = 2  # drawn this much larger, then averaged
PEN = 2  # pixels; width of a printed line, a third of a millimetre
LABEL = 13  # pixels; height of a label's capitals, two millimetres
TITLE = 26  # the same of the title
PRINT = TYPEFACES["test"][0]  # copies of a form are test data
GREY = 40  # of 255; what a laser printer's black looks like on a scan


class Entry(NamedTuple):
    """A place to write in.

    Attributes:
        label: printed above it, beside it if it is a check box; above the first of several rows.
        box: (x0, y0, x1, y1) in shares of the blank's sides.
        cells: how many characters it has a cell for; 0: none.
        rows: how many times it stands there, one below the other.
        checkbox: a box to tick.
    """

    label: str
    box: tuple[float, float, float, float]
    cells: int = 0
    rows: int = 1
    checkbox: bool = False


def draw_blank(title: str, entries: Sequence[Entry]) -> np.ndarray:
    """(HEIGHT, WIDTH) uint8, black print on white."""
    page = Image.new("L", (WIDTH * FINE, HEIGHT * FINE), 255)
    pencil = ImageDraw.Draw(page)
    left = min((entry.box[0] for entry in entries), default=0.08) * WIDTH
    _text(pencil, title, left, 0.07 * HEIGHT, TITLE)
    pencil.rectangle(_fine(left, 0.08 * HEIGHT, WIDTH - left, 0.08 * HEIGHT + 2 * PEN), fill=GREY)
    for entry in entries:
        x0, y0, x1, y1 = np.array(entry.box) * (WIDTH, HEIGHT, WIDTH, HEIGHT)
        if entry.checkbox:
            _text(pencil, entry.label, x1 + LABEL, (y0 + y1 + LABEL) / 2, LABEL)
        else:
            _text(pencil, entry.label, x0, y0 - 0.6 * LABEL, LABEL)
        for y in np.linspace(y0, y1, entry.rows + 1):
            pencil.line(_fine(x0, y, x1, y), fill=GREY, width=PEN * FINE)
        for x in np.linspace(x0, x1, max(entry.cells, 1) + 1):
            pencil.line(_fine(x, y0, x, y1), fill=GREY, width=PEN * FINE)
    return np.asarray(page.reduce(FINE))


def _text(pencil: ImageDraw.ImageDraw, text: str, x: float, y: float, capital: int) -> None:
    pencil.text((x * FINE, y * FINE), text, font=load_typeface(PRINT, capital * FINE), fill=GREY, anchor="ls")


def _fine(*values: float) -> list[int]:
    return [round(value * FINE) for value in values]
