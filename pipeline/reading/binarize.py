"""Binarize: from a photo under any light to ink on nothing.

The paper's brightness is estimated where there is no ink and divided out, so that shadows and lamps vanish and what is left
is contrast: how much darker than the paper around it a pixel is.
"""

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage
from skimage.filters import threshold_otsu

from pipeline.reading.ruling import remove_ruling

BLOCK = 8  # pixels; side of a block that the paper's brightness is estimated for
NOISE_LIMIT = 4.5  # ink stands out by this many standard deviations of the paper's own noise,
FAINT_LIMIT = 3.5  # its fainter parts by this many
TILE = 32  # pixels; side of a tile that noise is measured in


def flatten(gray: np.ndarray) -> np.ndarray:
    """Contrast against the paper.

    Args:
        gray: (H, W) uint8, ink of either polarity.

    Returns:
        (H, W) uint8, about 0 on paper, up to 255 for black ink on white (or chalk on a blackboard).
    """
    if is_bright_ink(gray):
        gray = 255 - gray
    contrast = np.multiply(gray, 255 / np.maximum(estimate_paper(gray), 8), dtype=np.float32)
    np.subtract(255, contrast, out=contrast)
    return np.clip(contrast, 0, 255, out=contrast).astype(np.uint8)


def is_bright_ink(gray: np.ndarray) -> bool:
    """Whether the writing is brighter than what it is written on: chalk, or a photo's negative.

    Ink is the minority, so the details that stand out from their surroundings lie on its side.
    """
    small = gray[::3, ::3].astype(np.float32)
    detail = small - ndimage.uniform_filter(small, max(9, min(small.shape) // 20))
    detail = np.clip(detail / (detail.std() + 1e-6), -6, 6)
    return float((detail * detail * detail).mean()) > 0.6


def estimate_paper(gray: np.ndarray) -> np.ndarray:
    """(H, W) float32 brightness of the paper, as if nothing were written on it."""
    height, width = gray.shape
    rows, columns = -(-height // BLOCK), -(-width // BLOCK)
    padded = np.pad(gray, ((0, rows * BLOCK - height), (0, columns * BLOCK - width)), mode="edge")
    side = BLOCK // 2
    blocks = padded[::2, ::2].reshape(rows, side, columns, side).transpose(0, 2, 1, 3).reshape(rows, columns, side * side)
    bright = np.partition(blocks, 13, axis=2)[:, :, 13].astype(np.float32)  # 4 in 5 pixels are darker: beyond thin ink
    closed = ndimage.grey_closing(bright, size=(7, 7))  # beyond thick ink
    smooth = ndimage.gaussian_filter(ndimage.median_filter(closed, 5), 2)
    image = Image.fromarray(smooth).resize((columns * BLOCK, rows * BLOCK), Image.BILINEAR)
    return np.asarray(image)[:height, :width]


def find_ink(contrast: np.ndarray, border: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
    """Decide which pixels are ink.

    Two thresholds with hysteresis (Canny 1986): a stroke is kept along its whole faint length if part of it is clear.

    Args:
        contrast: (H, W) uint8 from `flatten`.
        border: rows and columns along the photo's border; what reaches it is the desk, or the edge of a sheet.

    Returns:
        (H, W) bool; all False if nothing stands out from the paper's noise.
    """
    contrast = remove_ruling(contrast, 0.6 * find_thresholds(contrast)[0])  # a printed line is seen in its sum
    smooth = np.asarray(Image.fromarray(contrast).filter(ImageFilter.BoxBlur(0.7)))
    low, high = find_thresholds(smooth)
    noise = local_noise(contrast)
    if noise.max() * FAINT_LIMIT > low:  # desk, cloth, or a corner too dark for the camera
        noise = np.asarray(Image.fromarray(noise).resize(contrast.shape[::-1], Image.BILINEAR))
        low, high = np.maximum(low, FAINT_LIMIT * noise), np.maximum(high, NOISE_LIMIT * noise)
    candidates = smooth > low
    labels, count = ndimage.label(candidates, np.ones((3, 3), bool))
    if not count:
        return candidates
    keep = np.zeros(count + 1, bool)
    keep[labels[smooth > high]] = True
    if border is not None:
        keep[labels[border]] = False
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
