"""Boxes to tick: small boxes that stand alone; with the mark in it, such a box looks like a letter."""

import numpy as np
from scipy import ndimage

from pipeline.seeing.cells import Cells
from pipeline.seeing.groups import most_common

LARGEST = 2.0  # letter heights; a larger box holds a word
ENCLOSED = 0.3  # least share of the box that its inside takes up; a mark may reach out of it, and be as large again
SQUARE = 0.6  # least ratio of the sides of its inside, of which the mark may take a part; that of an E on a rule is slimmer
BESIDE = 2.0  # widths; the next box of a comb is closer


def find_tick_boxes(cells: np.ndarray, pieces: np.ndarray, height: float) -> np.ndarray:
    """(M,) bool, the pieces that are the frame of a single small cell, with what is marked in it.

    Args:
        cells: (n, 4, 2) x, y of the corners of each cell.
        pieces: (M, 4) boxes x0, y0, x1, y1 of connected pieces of ink and lines.
        height: of a letter, in pixels.
    """
    inside, square = _insides(cells)
    sides, extents = inside[:, 2:] - inside[:, :2], pieces[:, 2:] - pieces[:, :2]
    small = np.flatnonzero((extents.max(1) < LARGEST * height) & (extents.min(1) >= sides.min(initial=np.inf)))
    box, cell = pieces[small], inside[square][:, None]
    holds = (box[:, :2] <= cell[..., :2]).all(-1) & (box[:, 2:] >= cell[..., 2:]).all(-1)  # (cells, boxes)
    number, held = np.nonzero(holds & (_area(cell) > ENCLOSED * _area(box)))
    ticked = np.zeros(len(pieces), bool)
    ticked[small[held[alone(inside[square][number], inside)]]] = True
    return ticked


def find_marks(ink: np.ndarray, cells: Cells, height: float) -> np.ndarray:
    """(H, W) bool, the pieces of ink (H, W) bool that stand free in a single square cell, which is lower than a letter.

    A letter stands in a larger one.

    Args:
        cells: of the same picture.
        height: of a letter, in pixels.
    """
    labels, count = ndimage.label(ink, np.ones((3, 3), bool))
    if not count:
        return np.zeros(ink.shape, bool)
    owner = most_common(labels[ink] - 1, cells.labels[ink], count)
    inside, square = _insides(cells.corners)
    held = np.unique(owner[owner > 0]) - 1  # a few of all cells of squared paper
    held = held[square[held] & (inside[held, 3] - inside[held, 1] < height)]
    marked = np.isin(owner - 1, held[alone(inside[held], inside)])
    places = ndimage.find_objects(labels)
    for piece in np.flatnonzero(marked):
        (y, x), (x0, y0, x1, y1) = places[piece], inside[owner[piece] - 1]
        marked[piece] = x.start >= x0 and y.start >= y0 and x.stop <= x1 + 1 and y.stop <= y1 + 1
    return np.concatenate([[False], marked])[labels]


def _insides(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4) boxes of cells, (n, 4, 2) corners, and (n,) bool, which are nearly square."""
    inside = np.concatenate([cells.min(1), cells.max(1)], axis=1)
    sides = inside[:, 2:] - inside[:, :2]
    return inside, sides.min(1) > SQUARE * sides.max(1)


def alone(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) bool, the boxes (n, 4) that have none of the others (m, 4), but themselves, beside them."""
    x0, y0, x1, y1 = boxes.T[:, :, None]
    left, top, right, bottom = others.T
    level = np.minimum(y1, bottom) - np.maximum(y0, top) > 0.5 * np.minimum(y1 - y0, bottom - top)
    near = np.maximum(x0 - right, left - x1) < BESIDE * np.minimum(x1 - x0, right - left)
    return (level & near).sum(1) <= 1  # itself


def _area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
