"""Pixels: the kinds of things that a pixel shows, and the removal of uneven light from a photo."""

import numpy as np
from PIL import Image
from scipy import ndimage

PAPER, WRITTEN, PRINTED, LINE, CLUTTER = range(5)
KINDS = ("paper", "written", "printed", "line", "clutter")
"""Kinds of pixels: paper; ink of a pen; printed text; ruling, boxes, tables, frames; desk, edges, blots, holes."""

BLOCK = 8
"""Side in pixels of the blocks for which the brightness of the paper is estimated."""


def flatten(gray: np.ndarray) -> np.ndarray:
    """Contrast: how much darker each pixel is than the paper around it.

    >>> page = np.full((64, 64), 200, np.uint8)
    >>> page[30:33, 10:50] = 50
    >>> contrast = flatten(page)
    >>> int(contrast[0, 0]), int(contrast[31, 30])
    (0, 191)

    Args:
        gray: (H, W) uint8, dark ink.

    Returns:
        (H, W) uint8, about 0 on paper, up to 255 for black on white.
    """
    contrast = np.multiply(gray, 255 / np.maximum(estimate_paper(gray), 8), dtype=np.float32)
    np.subtract(255, contrast, out=contrast)
    return np.clip(contrast, 0, 255, out=contrast).astype(np.uint8)


def estimate_paper(gray: np.ndarray) -> np.ndarray:
    """(H, W) float32 brightness of the paper, as if nothing were written on it."""
    height, width = gray.shape
    rows, columns = -(-height // BLOCK), -(-width // BLOCK)
    padded = np.pad(gray, ((0, rows * BLOCK - height), (0, columns * BLOCK - width)), mode="edge")
    side = BLOCK // 2
    blocks = padded[::2, ::2].reshape(rows, side, columns, side).transpose(0, 2, 1, 3).reshape(rows, columns, side * side)
    bright = np.partition(blocks, 13, axis=2)[:, :, 13].astype(np.float32)  # 4 in 5 pixels are darker: thin ink does not count
    closed = ndimage.grey_closing(bright, size=(7, 7))  # nor does thick ink
    smooth = ndimage.gaussian_filter(ndimage.median_filter(closed, 5), 2)
    image = Image.fromarray(smooth).resize((columns * BLOCK, rows * BLOCK), Image.Resampling.BILINEAR)
    return np.asarray(image)[:height, :width]
