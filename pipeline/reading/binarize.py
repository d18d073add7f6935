"""Binarize: from contrast to ink on nothing, without a network: what stands out from the paper's noise."""

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage
from skimage.filters import threshold_otsu

NOISE_LIMIT = 4.5  # ink stands out by this many standard deviations of the paper's own noise,
FAINT_LIMIT = 3.5  # its fainter parts by this many
TILE = 32  # pixels; side of a tile that noise is measured in


def is_bright_ink(gray: np.ndarray) -> bool:
    """Whether the writing is brighter than what it is written on: chalk, or a photo's negative.

    Ink is the minority, so the details that stand out from their surroundings lie on its side.
    """
    small = gray[::3, ::3].astype(np.float32)
    detail = small - ndimage.uniform_filter(small, max(9, min(small.shape) // 20))
    detail = np.clip(detail / (detail.std() + 1e-6), -6, 6)
    return float((detail * detail * detail).mean()) > 0.6


def binarize(contrast: np.ndarray) -> np.ndarray:
    """Decide which pixels are ink, by their contrast alone: lines, print and dirt are ink too.

    Two thresholds with hysteresis (Canny 1986): a stroke is kept along its whole faint length if part of it is clear.

    Args:
        contrast: (H, W) uint8 from `pixels.flatten`.

    Returns:
        (H, W) bool; all False if nothing stands out from the paper's noise.
    """
    smooth = np.asarray(Image.fromarray(contrast).filter(ImageFilter.BoxBlur(0.7)))
    low: float | np.ndarray
    high: float | np.ndarray
    low, high = find_thresholds(smooth)
    noise = local_noise(contrast)
    if noise.max() * FAINT_LIMIT > low:  # desk, cloth, or a corner too dark for the camera
        noise_at = np.asarray(Image.fromarray(noise).resize(contrast.shape[::-1], Image.Resampling.BILINEAR))
        low, high = np.maximum(low, FAINT_LIMIT * noise_at), np.maximum(high, NOISE_LIMIT * noise_at)
    candidates = smooth > low
    labels, count = ndimage.label(candidates, np.ones((3, 3), bool))
    if not count:
        return candidates
    keep = np.zeros(count + 1, bool)
    keep[labels[smooth > high]] = True
    keep[0] = False
    return keep[labels]


def local_noise(contrast: np.ndarray) -> np.ndarray:
    """(H / TILE, W / TILE) float32 standard deviation of the noise, from differences that ink is too sparse to matter in."""
    difference = np.abs(contrast[2::2, 2::2].astype(np.int16) - contrast[:-2:2, :-2:2])
    side = TILE // 2
    rows, columns = max(1, difference.shape[0] // side), max(1, difference.shape[1] // side)
    tiles = difference[: rows * side, : columns * side]
    tiles = tiles.reshape(rows, -1, columns, tiles.shape[1] // columns).transpose(0, 2, 1, 3).reshape(rows, columns, -1)
    middle = np.partition(tiles, tiles.shape[2] // 2, axis=2)[:, :, tiles.shape[2] // 2]
    return ndimage.median_filter(middle.astype(np.float32), 3) * np.float32(1.05)  # 1 / (0.6745 sqrt 2)


def find_thresholds(contrast: np.ndarray) -> tuple[float, float]:
    """The thresholds that paper noise does not reach (low) and that ink does (high)."""
    sample = contrast[::4, ::4].ravel().astype(np.float32)
    noise = 1.4826 * float(np.median(np.abs(sample - np.median(sample)))) + 0.25
    floor = float(np.median(sample)) + NOISE_LIMIT * noise
    ink = sample[sample > max(floor, 10)]
    if len(ink) < 20:
        return 255.0, 255.0
    level = float(np.quantile(ink, 0.75))
    middle = threshold_otsu(np.clip(sample[sample > floor / 2], 0, level)) if level > floor else floor
    high = max(floor, min(middle, 0.6 * level))
    return max(floor * 0.8, 0.55 * high, 8.0), high
