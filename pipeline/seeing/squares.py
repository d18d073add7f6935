"""Squares: the lines of squared paper, each longer than any stroke of a letter."""

import numpy as np
from scipy import ndimage

from pipeline.seeing.outline import close_gaps

LONG = 4.0  # letter heights; no stroke of a letter is as long
GRID = 5  # lines in each direction; a table or a form of fewer is no squared paper


def find_squares(lines: np.ndarray, pen: float, height: float) -> np.ndarray | None:
    """(h, w) bool, the lines that cross a page from side to side and from top to bottom; None if few do in one direction.

    Args:
        lines: (h, w) bool, pixels that show a line, or a stroke of a letter that looks like one.
        pen, height: width of the pen and height of a letter, in pixels.
    """
    across, rows = _long_lines(lines, pen, height)
    down, columns = _long_lines(lines.T, pen, height)
    return across | down.T if min(rows, columns) >= GRID else None


def _long_lines(lines: np.ndarray, pen: float, height: float) -> tuple[np.ndarray, int]:
    """(h, w) bool, the lines that run about level, and how many: they may slope, and have gaps where others cross them."""
    thick = int(2 * pen) + 2  # what is taller runs down
    level = lines & close_gaps(~lines.T, thick, outside=True).T
    near = level.copy()
    near[1:] |= level[:-1]
    near[:-1] |= level[1:]
    pieces, count = ndimage.label(close_gaps(near, thick + 1), np.ones((3, 3), bool))
    long = np.array([False, *(x.stop - x.start >= LONG * height for _, x in ndimage.find_objects(pieces))])
    return long[pieces] & lines, int(long.sum())
