"""Outline: the border of a region."""

import numpy as np


def outline(region: np.ndarray) -> np.ndarray:
    """(H, W) bool, the pixels of a region (H, W) bool that are next to a pixel outside of it, or at the border of the picture."""
    edge = region.copy()
    edge[1:-1, 1:-1] &= ~(region[:-2, 1:-1] & region[2:, 1:-1] & region[1:-1, :-2] & region[1:-1, 2:])
    return edge
