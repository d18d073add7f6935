"""Outline: where a region ends."""

import numpy as np


def outline(region: np.ndarray) -> np.ndarray:
    """(H, W) bool, the pixels of a region, (H, W) bool, that lie beside one outside of it or at the picture's border."""
    edge = region.copy()
    edge[1:-1, 1:-1] &= ~(region[:-2, 1:-1] & region[2:, 1:-1] & region[1:-1, :-2] & region[1:-1, 2:])
    return edge
