"""Polarity: find bright writing on a dark ground, and make it dark."""

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.filters import threshold_otsu

SMALL = 300  # pixels; longer side of the picture in which grounds are told apart
APART = 1.6  # ratio of the brightness of two grounds; a shadow makes less of a difference
LEAST = 0.05  # least share of the picture of a ground; the inside of a letter has less
BRIGHT = 0.3  # skewness of the details above which writing is bright; that of dark writing is 0.1 or less, of bright 0.5 or more


def darken_ink(gray: np.ndarray) -> np.ndarray:
    """Invert the grounds that hold bright writing: a board, a negative, a dark band on a label.

    Ink covers less than its ground, so most details that differ from their surroundings are ink.

    Args:
        gray: (H, W) uint8.

    Returns:
        (H, W) uint8; `gray` itself if all writing is dark.
    """
    detail = find_detail(gray)
    grounds = find_grounds(gray)
    bright = [ground for ground in grounds if _skewness(detail, ground) > BRIGHT]
    if not bright:
        return gray
    if len(bright) == len(grounds):
        return 255 - gray
    mask = Image.fromarray(np.any(bright, axis=0).astype(np.uint8) * 255).resize(gray.shape[::-1], Image.Resampling.BILINEAR)
    return np.where(np.asarray(mask) > 127, 255 - gray, gray)


def find_detail(gray: np.ndarray) -> np.ndarray:
    """(H / 3, W / 3) float32, brightness of each place relative to its surroundings, in standard deviations."""
    small = gray[::3, ::3].astype(np.float32)
    detail = small - ndimage.uniform_filter(small, max(9, min(small.shape) // 20))
    return np.clip(detail / (detail.std() + 1e-6), -6, 6)


def find_grounds(gray: np.ndarray) -> list[np.ndarray]:
    """The grounds of a small picture, (h, w) bool each: parts that differ in brightness as paper and a dark band do, or all."""
    factor = max(1.0, max(gray.shape) / SMALL)
    size = max(8, round(gray.shape[1] / factor)), max(8, round(gray.shape[0] / factor))
    smooth = np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX))
    for window in ((15, 1), (1, 15)):  # the median of medians: that of 15 x 15 pixels takes seven times as long
        smooth = ndimage.median_filter(smooth, window)
    dark = smooth < threshold_otsu(smooth) if smooth.min() < smooth.max() else np.zeros(smooth.shape, bool)
    if not dark.any() or np.median(smooth[~dark]) < APART * np.median(smooth[dark]):
        return [np.ones(smooth.shape, bool)]
    grounds = []
    for side in (dark, ~dark):
        labels, _ = ndimage.label(side)
        grounds += [labels == 1 + i for i in np.flatnonzero(np.bincount(labels.ravel())[1:] > LEAST * side.size)]
    return grounds


def _skewness(detail: np.ndarray, ground: np.ndarray) -> float:
    """Mean cube of the details well within a ground; 0 if there are none."""
    inside = ndimage.binary_erosion(ground, iterations=4, border_value=1)
    mask = np.asarray(Image.fromarray(inside).resize(detail.shape[::-1], Image.Resampling.NEAREST))
    within = detail[mask]
    return float((within**3).mean()) if within.size else 0.0
