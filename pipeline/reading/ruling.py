"""Ruling: take the lines of ruled and squared paper out, leaving what is written across them.

A printed line is followed from strip to strip of the page, for perspective spreads the lines of a sheet like a fan, and is
blanked where it runs alone: what crosses it makes the column of dark pixels longer than the line is thick (as in the removal
of staff lines, Carter and Bacon 1992).
"""

import numpy as np
from scipy import ndimage

STRIPS = 40  # along the page; a printed line is straight within one
RUN = 12  # neighbouring strips a line has to go through: longer than any stroke of a letter
FILLED = 0.6  # share of a strip's row that is dark where a line runs,
PARTLY = 0.25  # and where it begins or ends
SLOPE = 0.12  # steepest line, in pixels a pixel
DARKER = 1.4  # times as dark as the line: ink in any case


def remove_ruling(contrast: np.ndarray, low: float) -> np.ndarray:
    """Blank printed lines, but neither what crosses them nor what is clearly darker than they are.

    Args:
        contrast: (H, W) uint8 from `flatten`, lines within 7 degrees of level and upright.
        low: contrast that most of a printed line exceeds, and most of the paper does not.

    Returns:
        (H, W) uint8; the same object if there are no such lines.
    """
    level = _lines(contrast, low)
    if level is not None:
        contrast = np.where(level, 0, contrast)
    upright = _lines(contrast.T, low)  # now, for where they cross, level lines were not alone
    return contrast if upright is None else np.where(upright.T, 0, contrast)


def _lines(contrast: np.ndarray, low: float) -> np.ndarray | None:
    """(H, W) bool, the pixels of lines that run about level and of nothing else; None if there are no lines."""
    height, width = contrast.shape
    side = width // STRIPS
    if side < 8:
        return None
    dark = contrast > low
    share = dark[:, : side * STRIPS].reshape(height, STRIPS, side).mean(2)  # (H, STRIPS)
    climb = int(np.ceil(SLOPE * side))
    through = _follow(share > FILLED, climb)
    if not through.any():
        return None
    through |= (share > PARTLY) & ndimage.maximum_filter(through, (2 * climb + 1, 3))
    thickness = _thickness(dark[:, side // 2 : side * STRIPS : side], through)
    strips = contrast[:, : side * STRIPS].reshape(height, STRIPS, side)
    limit = _draw(_limits(strips, through, climb), climb, side, width)
    limit = ndimage.maximum_filter1d(limit, thickness + 2, axis=0)
    thicker = ndimage.grey_opening(dark.view(np.uint8), (thickness + 3, 1), mode="constant").view(bool)
    return dark & (contrast <= limit) & ~thicker


def _limits(strips: np.ndarray, through: np.ndarray, climb: int) -> np.ndarray:
    """(H, STRIPS) uint8 contrast up to which a pixel in a cell of a line is the line's, 0 in other cells.

    A line is as dark as the lightest of five strips along it: no stroke that runs on it is as long as that.
    """
    strength = np.zeros(through.shape)
    strength[through] = np.quantile(strips[through], 1 - FILLED / 2, axis=1)
    strength = ndimage.maximum_filter1d(strength, 4 * climb + 1, axis=0)  # in its middle row
    strength = ndimage.minimum_filter1d(np.where(strength > 0, strength, 255), 5)
    return np.where(through, np.minimum(DARKER * strength, 255), 0).astype(np.uint8)


def _draw(values: np.ndarray, climb: int, side: int, width: int) -> np.ndarray:
    """(H, W) uint8: `values`, (H, STRIPS), on straight lines from cell to cell of neighbouring strips."""
    drawn = np.zeros((len(values), width + side), np.uint8)
    first = side // 2  # a strip's middle
    steps = np.arange(side)
    for strip in range(STRIPS):
        rows, after = np.flatnonzero(values[:, strip]), np.flatnonzero(values[:, min(strip + 1, STRIPS - 1)])
        if len(rows) and len(after):
            nearest = after[np.abs(rows[:, None] - after).argmin(1)]
            rise = np.where(np.abs(nearest - rows) <= climb, nearest - rows, 0)
            along = rows[:, None] + np.round(rise[:, None] * steps / side).astype(int)  # (rows, side)
            drawn[along, strip * side + first + steps] = values[rows, strip, None]
    drawn[:, :first] = drawn[:, first : first + 1]
    last = (STRIPS - 1) * side + first
    drawn[:, last:] = drawn[:, last : last + 1]
    return drawn[:, :width]


def _follow(filled: np.ndarray, climb: int) -> np.ndarray:
    """The cells, (H, STRIPS) bool, of those paths of filled cells that go through RUN strips, `climb` rows at most from one to
    the next."""

    def lengths(cells: np.ndarray) -> np.ndarray:
        """Of the longest path that ends in each cell."""
        found = np.zeros(cells.shape, np.int16)
        reach = np.zeros(cells.shape[0], np.int16)
        for strip in range(cells.shape[1]):
            found[:, strip] = np.where(cells[:, strip], reach + 1, 0)
            reach = ndimage.maximum_filter1d(found[:, strip], 2 * climb + 1)
        return found

    return filled & (lengths(filled) + lengths(filled[:, ::-1])[:, ::-1] > RUN)


def _thickness(columns: np.ndarray, through: np.ndarray) -> int:
    """Median length in pixels of the runs in dark columns, (H, STRIPS) bool, one from each strip, that cells of lines lie in."""
    labels, count = ndimage.label(columns, np.array([[0, 1, 0]] * 3))
    met = np.unique(labels[through & columns])
    lengths = np.bincount(labels.ravel(), minlength=count + 1)[met]
    return max(1, round(float(np.median(lengths)))) if len(met) else 1
