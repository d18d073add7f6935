"""Polarity: where a picture shows bright writing on a dark ground, and the picture with all of its writing dark."""

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.filters import threshold_otsu

SMALL = 300  # pixels; longer side of the picture that grounds are told apart in
APART = 1.6  # times brighter that one ground is than another beside it; a shadow takes less
LEAST = 0.05  # share of the picture that a ground takes at least; what a letter encloses takes less
BRIGHT = 0.6  # skewness of the details of a ground with bright writing; with dark writing it is below 0


def darken_ink(gray: np.ndarray) -> np.ndarray:
    """The picture with the grounds inverted that hold bright writing: a board, a negative, a dark band on a label.

    Ink is the minority, so the details that stand out from their surroundings lie on its side.

    Args:
        gray: (H, W) uint8.

    Returns:
        (H, W) uint8; `gray` itself where all writing is dark.
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
    """(H / 3, W / 3) float32, how much brighter than its surroundings each place is, in standard deviations."""
    small = gray[::3, ::3].astype(np.float32)
    detail = small - ndimage.uniform_filter(small, max(9, min(small.shape) // 20))
    return np.clip(detail / (detail.std() + 1e-6), -6, 6)


def find_grounds(gray: np.ndarray) -> list[np.ndarray]:
    """(h, w) bool each: the parts of a small picture that differ in brightness as paper and a dark band do; or all of it."""
    factor = max(1.0, max(gray.shape) / SMALL)
    size = max(8, round(gray.shape[1] / factor)), max(8, round(gray.shape[0] / factor))
    smooth = ndimage.median_filter(np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX)), 15)
    dark = smooth < threshold_otsu(smooth) if smooth.min() < smooth.max() else np.zeros(smooth.shape, bool)
    if not dark.any() or np.median(smooth[~dark]) < APART * np.median(smooth[dark]):
        return [np.ones(smooth.shape, bool)]
    grounds = []
    for side in (dark, ~dark):
        labels, _ = ndimage.label(side)
        grounds += [labels == 1 + i for i in np.flatnonzero(np.bincount(labels.ravel())[1:] > LEAST * side.size)]
    return grounds


def _skewness(detail: np.ndarray, ground: np.ndarray) -> float:
    """Mean cube of the details well within a ground; 0 where there are none."""
    inside = ndimage.binary_erosion(ground, iterations=4, border_value=1)
    mask = np.asarray(Image.fromarray(inside).resize(detail.shape[::-1], Image.Resampling.NEAREST))
    within = detail[mask]
    return float((within**3).mean()) if within.size else 0.0
