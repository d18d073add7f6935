"""Ruling: take the lines of ruled and squared paper out, leaving what is written across them."""

import numpy as np
from scipy import ndimage

STRIPS = 20          # along the page; a printed line is straight and level within one
RUN = 6              # neighbouring strips a line has to go through: longer than any stroke of a letter
FILLED = 0.6         # share of a strip's row that is dark where a line runs
DRIFT = 2            # pixels; how far a line may climb from one strip to the next


def remove_ruling(contrast: np.ndarray, low: float) -> np.ndarray:
    """Blank printed lines, but not what is clearly darker than they are.

    Args:
        contrast: (H, W) uint8 from `flatten`, lines within a few degrees of level and upright.
        low: contrast that most of a printed line exceeds, and most of the paper does not.

    Returns:
        (H, W) uint8; the same object if there are no such lines.
    """
    level = _lines(contrast, low)
    upright = _lines(contrast.T, low)
    for lines in (level, None if upright is None else upright.T):
        if lines is not None:
            contrast = np.where(contrast > lines, contrast, 0)
    return contrast


def _lines(contrast: np.ndarray, low: float) -> np.ndarray | None:
    """(H, W) uint8 contrast up to which a pixel belongs to a level line; None if there are none."""
    height, width = contrast.shape
    side = width // STRIPS
    if side < 12:
        return None
    strips = contrast[:, :side * STRIPS].reshape(height, STRIPS, side)
    filled = (strips > low).mean(2) > FILLED                                    # (H, STRIPS)
    if filled.sum() < RUN:
        return None
    drifting = ndimage.maximum_filter1d(filled, 2 * DRIFT + 1, axis=0)
    through = ndimage.binary_opening(drifting, np.ones((1, RUN), bool)) & filled
    if not through.any():
        return None
    rows, columns = np.nonzero(through)
    strength = np.zeros((height, STRIPS), np.float32)
    strength[rows, columns] = 1.4 * np.median(strips[rows, columns], axis=1)    # above the line's own grain
    strength = ndimage.maximum_filter1d(strength, 3, axis=0)                    # and its soft edges
    lines = np.zeros(contrast.shape, np.uint8)
    lines[:, :side * STRIPS] = np.repeat(np.minimum(strength, 255).astype(np.uint8), side, axis=1)
    lines[:, side * STRIPS:] = lines[:, side * STRIPS - 1:side * STRIPS]
    return lines
