"""Cells: the spaces between the printed lines of a page."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from pipeline.seeing.outline import close_gaps, grow

BREAK = 11  # pixels of the network's look; a stroke that crosses a line is up to 7 wide there, and leaves such a gap in it
SMALLEST = 8  # the same; sides of a cell: what is smaller lies within a letter
TOOTH = 13  # the same; height of an upright line that may be a comb's tooth
SEEN = 0.7  # share of the line from tooth to tooth that is seen, above or below, where they are of one comb
LARGEST = 0.5  # share of the picture; a larger space is the page itself
FULL = 0.75  # least share of its quadrangle that a cell fills; a space around other boxes is not a cell
ALIKE = 0.7  # ratio of the heights of neighbours in a row, and share of the lower one's height that they have in common
SLIM = 1.5  # heights; a cell for one character is no wider
THIN = 0.35  # heights; a narrower space is the gap between two boxes


class Cells(NamedTuple):
    """The cells of a photo.

    Attributes:
        labels: (h, w) int32, number of the cell that each pixel lies in, from 1; 0 on lines and outside of cells.
        corners: (n, 4, 2) float x, y of each cell's corners in `labels`.
        to_photo: (3, 3), takes (x, y, 1) of these pixels to the photo's, up to scale.
    """

    labels: np.ndarray
    corners: np.ndarray
    to_photo: np.ndarray


def find_cells(lines: np.ndarray) -> Cells | None:
    """The spaces that lines enclose, even if crossing writing leaves gaps in the lines; None if there are none.

    Args:
        lines: (h, w) bool, pixels that show a line; `to_photo` takes them to themselves.
    """
    if lines.sum() < 4 * SMALLEST:
        return None
    closed = close_gaps(lines, BREAK) | close_gaps(lines.T, BREAK).T
    labels, count = ndimage.label(~(_with_lids(closed) | _with_lids(closed.T).T))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    corners, numbers = [], np.zeros(count + 1, np.int32)
    for label, place in enumerate(ndimage.find_objects(labels), 1):
        (top, bottom), (left, right) = ((side.start, side.stop) for side in place)
        short, long = sorted((bottom - top, right - left))
        at_edge = min(top, left) == 0 or bottom == labels.shape[0] or right == labels.shape[1]
        if short < SMALLEST or sizes[label] > LARGEST * labels.size or (at_edge and long > SLIM * short):
            continue  # the picture may cut a comb, but what lies between rules and its edge is no cell
        quadrangle = _corners(labels[place] == label) + (left, top)
        if sizes[label] > FULL * _area(quadrangle):
            corners.append(quadrangle)
            numbers[label] = len(corners)
    return Cells(numbers[labels], np.array(corners, float), np.eye(3)) if corners else None


def _with_lids(lines: np.ndarray) -> np.ndarray:
    """The lines, and another from tooth to tooth of a comb that is open above or below, or whose line is not seen there."""
    teeth, _ = ndimage.label(~close_gaps(~lines.T, TOOTH, outside=True).T)  # without what is not as tall as a tooth
    places = ndimage.find_objects(teeth)
    if len(places) < 2:
        return lines
    ends = np.array([(y.start, y.stop - 1) for y, _ in places])
    at = np.array(
        [
            [np.flatnonzero(teeth[row, x] == number)[0] + x.start for row in (y.start, y.stop - 1)]
            for number, (y, x) in enumerate(places, 1)
        ]
    )
    near, closed = grow(grow(lines)), lines.copy()
    heights = ends[:, 1] - ends[:, 0] + 1
    for tooth in range(len(places)):
        aside = at[:, 0] - at[tooth, 0]
        alike = (np.abs(ends - ends[tooth]).max(1) < (1 - ALIKE) * heights[tooth]) & (aside > THIN * heights[tooth])
        alike &= aside < 2 * SLIM * heights[tooth]
        if not alike.any():
            continue
        other = int(np.argmin(np.where(alike, aside, np.inf)))
        sides = []
        for end in (0, 1):
            x = np.arange(at[tooth, end], at[other, end] + 1)
            sides.append((np.rint(np.linspace(ends[tooth, end], ends[other, end], len(x))).astype(int), x))
        if any(len(x) and near[y, x].mean() > SEEN for y, x in sides):
            for y, x in sides:
                closed[y, x] = True
    return closed


def _corners(region: np.ndarray) -> np.ndarray:
    """(4, 2) x, y of a region's corners, clockwise from top left."""
    y, x = np.nonzero(region)
    return np.array([(x[i], y[i]) for i in ((x + y).argmin(), (x - y).argmax(), (x + y).argmax(), (x - y).argmin())])


def _area(corners: np.ndarray) -> float:
    x, y = corners.T
    return abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2
