"""Pen: how wide the strokes of the ink are."""

import numpy as np
from scipy import ndimage

from pipeline.seeing.outline import outline


def pen_width(ink: np.ndarray) -> float:
    """Width of the pen in pixels, as `stroke_widths` measures it; 0 without ink. The dark edge of a desk does not count."""
    pieces, count = ndimage.label(ink, np.ones((3, 3), bool))
    return stroke_widths(ink, pieces, np.bincount(pieces.ravel(), minlength=count + 1)[1:])[1]


def stroke_widths(ink: np.ndarray, labels: np.ndarray, areas: np.ndarray) -> tuple[np.ndarray, float]:
    """Width of the strokes of each piece, (M,), and of the pen, in pixels: a stroke of length L and width w has an area of w L
    and an edge of 2 L.

    The width of the pen is the median, weighted by the edges: a blot, or the dark ground beside the paper, has a short edge.
    """
    edges = np.bincount(labels[outline(ink)], minlength=len(areas) + 1)[1:]
    widths = 2.0 * areas / np.maximum(edges, 1)
    return widths, weighted_median(widths, edges) if len(widths) else 0.0


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """The value (M,) below which half of the weights (M,) lie."""
    order = np.argsort(values)
    mass = np.cumsum(weights[order].astype(float))
    return float(values[order[np.searchsorted(mass, mass[-1] / 2)]])
