"""Boxes to tick: small boxes that stand alone; with the mark in it, such a box looks like a letter."""

import numpy as np
from scipy import ndimage

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
    inside = np.concatenate([cells.min(1), cells.max(1)], axis=1)  # (n, 4)
    sides, extents = inside[:, 2:] - inside[:, :2], pieces[:, 2:] - pieces[:, :2]
    square = sides.min(1) > SQUARE * sides.max(1)
    small = np.flatnonzero((extents.max(1) < LARGEST * height) & (extents.min(1) >= sides.min(initial=np.inf)))
    box, cell = pieces[small], inside[square][:, None]
    holds = (box[:, :2] <= cell[..., :2]).all(-1) & (box[:, 2:] >= cell[..., 2:]).all(-1)  # (cells, boxes)
    number, held = np.nonzero(holds & (_area(cell) > ENCLOSED * _area(box)))
    ticked = np.zeros(len(pieces), bool)
    ticked[small[held[alone(inside[square][number], inside)]]] = True
    return ticked


def find_marks(ink: np.ndarray, cells: np.ndarray, height: float) -> np.ndarray:
    """(H, W) bool, the pieces of ink (H, W) bool that stand free in a single square cell, which is lower than a letter.

    A letter stands in a larger one.

    Args:
        cells: (n, 4, 2) x, y of the corners of each cell.
        height: of a letter, in pixels.
    """
    inside = np.concatenate([cells.min(1), cells.max(1)], axis=1)  # (n, 4)
    sides = inside[:, 2:] - inside[:, :2]
    small = inside[(sides[:, 1] < height) & (sides.min(1) > SQUARE * sides.max(1))]
    boxes = small[alone(small, inside)]
    marks = np.zeros(ink.shape, bool)
    if len(boxes):
        labels, _ = ndimage.label(ink, np.ones((3, 3), bool))
        places = ndimage.find_objects(labels)
        pieces = np.array([(x.start, y.start, x.stop, y.stop) for y, x in places]).reshape(-1, 4)
        for box in boxes:
            within = (pieces[:, :2] >= box[:2]).all(1) & (pieces[:, 2:] <= box[2:] + 1).all(1)
            marks |= np.isin(labels, np.flatnonzero(within) + 1)
    return marks


def alone(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n,) bool, the boxes (n, 4) that have none of the others (m, 4), but themselves, beside them."""
    x0, y0, x1, y1 = boxes.T[:, :, None]
    left, top, right, bottom = others.T
    level = np.minimum(y1, bottom) - np.maximum(y0, top) > 0.5 * np.minimum(y1 - y0, bottom - top)
    near = np.maximum(x0 - right, left - x1) < BESIDE * np.minimum(x1 - x0, right - left)
    return (level & near).sum(1) <= 1  # itself


def _area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
