"""Cells: the ink of a form's fields, cell by cell."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from pipeline.reading.glyphs import Model, classify, draw_glyphs
from pipeline.reading.layout import Components
from pipeline.reading.segment import Atom, Candidate

AROUND = 0.35  # heights of a field; how far writing may reach beyond it
INSIDE = 0.5  # share of a piece of ink that lies within the field it belongs to
OWN = 0.75  # share of a piece within one cell that makes it that cell's; a smaller share is cut at the cells' borders
SPECK = 0.2  # heights of a cell; ink that is smaller in both directions is a speck, not a character

Box = tuple[int, int, int, int]


class Cell(NamedTuple):
    """Attributes: ink: (h, w) bool, of one character; box: where it lies, x0, y0, x1, y1 in pixels of the form."""

    ink: np.ndarray
    box: Box


def field_ink(ink: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """The pieces of ink that are written in a field, wherever they reach beyond it.

    Args:
        ink: (H, W) bool, of the whole form, its print left out.
        box: of the field, in pixels of the form.

    Returns:
        (h, w) int32 labels of the pieces, 0 elsewhere, and the x, y of their first pixel.
    """
    x0, y0, x1, y1 = box
    reach = AROUND * (y1 - y0)
    left, top = max(0, int(x0 - reach)), max(0, int(y0 - reach))
    window = ink[top : int(np.ceil(y1 + reach)), left : int(np.ceil(x1 + reach))]
    labels, count = ndimage.label(window, np.ones((3, 3), bool))
    rows, columns = np.nonzero(labels)
    within = (rows + top >= y0) & (rows + top < y1) & (columns + left >= x0) & (columns + left < x1)
    pieces = labels[rows, columns]
    share = np.bincount(pieces[within], minlength=count + 1) / np.maximum(np.bincount(pieces, minlength=count + 1), 1)
    return np.where((share > INSIDE)[labels], labels, 0), (left, top)


def split_cells(labels: np.ndarray, start: tuple[int, int], box: np.ndarray, count: int) -> list[Cell | None]:
    """What is written in each of a field's cells, None where that is nothing.

    A piece that lies nearly all in one cell is its own as a whole, whatever line it crosses; others are cut at the lines.
    """
    cell_of = np.clip(
        ((np.arange(labels.shape[1]) + start[0] + 0.5 - box[0]) / (box[2] - box[0]) * count).astype(int), 0, count - 1
    )
    rows, columns = np.nonzero(labels)
    shares = np.zeros((labels.max() + 1, count))
    np.add.at(shares, (labels[rows, columns], cell_of[columns]), 1)
    shares /= np.maximum(shares.sum(1, keepdims=True), 1)
    owner = np.where(shares.max(1) > OWN, shares.argmax(1), -1)[labels[rows, columns]]
    owner = np.where(owner < 0, cell_of[columns], owner)
    speck = SPECK * (box[3] - box[1])
    cells: list[Cell | None] = []
    for cell in range(count):
        y, x = rows[owner == cell], columns[owner == cell]
        if not len(y) or max(np.ptp(y), np.ptp(x)) < speck:
            cells.append(None)
            continue
        picture = np.zeros((np.ptp(y) + 1, np.ptp(x) + 1), bool)
        picture[y - y.min(), x - x.min()] = True
        left, top = int(x.min()) + start[0], int(y.min()) + start[1]
        cells.append(Cell(picture, (left, top, left + picture.shape[1], top + picture.shape[0])))
    return cells


def classify_cells(cells: list[Cell], stroke: float, model: Model) -> np.ndarray:
    """(N, len(alphabet)) probabilities of the characters in the cells, a row sums to 1.

    Args:
        stroke: width of the pen in pixels.
    """
    width = sum(cell.ink.shape[1] for cell in cells)
    sheet = np.zeros((max((len(cell.ink) for cell in cells), default=0), width), np.int32)  # side by side
    atoms, x = [], 0
    for number, cell in enumerate(cells, 1):
        height, width = cell.ink.shape
        sheet[:height, x : x + width] = cell.ink * np.int32(number)
        atoms.append(Atom((number,), (x, 0, x + width, height)))
        x += width
    found = Components(sheet, np.array([atom.box for atom in atoms], int).reshape(-1, 4), np.ones(len(atoms)), stroke, 0.0)
    glyphs = draw_glyphs(found, atoms, [Candidate(i, i + 1, atom.box) for i, atom in enumerate(atoms)])
    known = classify(glyphs, model)[:, : len(model.alphabet)]
    return known / np.maximum(known.sum(1, keepdims=True), 1e-30)
