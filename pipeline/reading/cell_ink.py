"""Cell ink: the ink in each cell of a row, and the characters that it may be."""

from typing import NamedTuple

import numpy as np

from pipeline.reading.cell_rows import OWN, CellRow
from pipeline.reading.glyphs import Model, classify, draw_glyphs
from pipeline.reading.layout import Components
from pipeline.reading.segment import Atom, Candidate

SPECK = 0.2  # heights of a cell; smaller ink, in both directions, is a speck

Box = tuple[int, int, int, int]


class Cell(NamedTuple):
    """A character in its cell.

    Attributes:
        ink: (h, w) bool.
        box: x0, y0, x1, y1 of the ink.
    """

    ink: np.ndarray
    box: Box


def comb_cells(comb: CellRow, found: Components) -> list[Cell | None]:
    """The ink in each cell of a comb; None for an empty cell."""
    pieces = [piece for inside in comb.pieces for piece in inside]
    boxes = found.boxes[pieces]
    (left, top), (right, bottom) = boxes[:, :2].min(0).tolist(), boxes[:, 2:].max(0).tolist()
    window = found.labels[top:bottom, left:right]
    labels = np.where(np.isin(window, np.array(pieces) + 1), window, 0)
    edges = (comb.boxes[1:, 0] + comb.boxes[:-1, 2]) / 2
    return split_cells(labels, (left, top), edges, float(np.median(comb.boxes[:, 3] - comb.boxes[:, 1])))


def split_cells(labels: np.ndarray, start: tuple[int, int], edges: np.ndarray, height: float) -> list[Cell | None]:
    """The ink in each cell of a row; None for an empty cell.

    A piece that is nearly all in one cell belongs to this cell as a whole; others are cut at the lines.

    Args:
        labels: (h, w) int32, of the pieces of ink, 0 elsewhere.
        start: x, y of their first pixel.
        edges: (n - 1,) x of the borders between cells.
        height: of the cells.
    """
    count = len(edges) + 1
    cell_of = np.searchsorted(edges, np.arange(labels.shape[1]) + start[0] + 0.5)
    rows, columns = np.nonzero(labels)
    shares = np.zeros((labels.max(initial=0) + 1, count))
    np.add.at(shares, (labels[rows, columns], cell_of[columns]), 1)
    shares /= np.maximum(shares.sum(1, keepdims=True), 1)
    owner = np.where(shares.max(1) > OWN, shares.argmax(1), -1)[labels[rows, columns]]
    owner = np.where(owner < 0, cell_of[columns], owner)
    cells: list[Cell | None] = []
    for cell in range(count):
        y, x = rows[owner == cell], columns[owner == cell]
        if not len(y) or max(np.ptp(y), np.ptp(x)) < SPECK * height:
            cells.append(None)
            continue
        picture = np.zeros((np.ptp(y) + 1, np.ptp(x) + 1), bool)
        picture[y - y.min(), x - x.min()] = True
        left, top = int(x.min()) + start[0], int(y.min()) + start[1]
        cells.append(Cell(picture, (left, top, left + picture.shape[1], top + picture.shape[0])))
    return cells


def classify_cells(cells: list[Cell], stroke: float, model: Model) -> np.ndarray:
    """(N, len(alphabet)) probabilities of the characters in the cells; each row sums to 1.

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
