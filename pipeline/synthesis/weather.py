"""Weather: how a photo changes ink: uneven and faint, blurred, noisy; many pictures at once."""

import numpy as np
from scipy import ndimage

GRAIN = 256  # side of a tile of paper grain
REACH = 3  # pixels that blur looks at on each side, two and a half deviations of 1 pixel and more


def weather(pictures: np.ndarray, rng: np.random.Generator, faint: float, blur: float, noise: float) -> np.ndarray:
    """Photos (N, H, W) uint8 of ink (N, H, W) float32 in [0, 1]; each strength is the largest that a picture gets."""
    count = (len(pictures), 1, 1)
    pictures = pictures * 255
    if faint:
        pictures *= 1 - rng.uniform(0, faint, count).astype(np.float32) * grain(pictures.shape, rng)
    if blur:
        pictures = soften(pictures, rng.uniform(0, blur, len(pictures)))
    if noise:
        pictures += rng.uniform(0, noise, count).astype(np.float32) * snow(pictures.shape, rng)
    return np.clip(pictures, 0, 255, out=pictures).astype(np.uint8)


def grain(shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Windows (N, H, W) float32 in [0, 1] of paper grain, fine or coarse."""
    count, height, width = shape
    windows = np.lib.stride_tricks.sliding_window_view(_TILES, (height, width), axis=(1, 2))
    return windows[rng.integers(len(_TILES), size=count), rng.integers(GRAIN, size=count), rng.integers(GRAIN, size=count)]


def snow(shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Windows (N, H, W) float32 of normal noise, cut from one long array."""
    count, height, width = shape
    windows = np.lib.stride_tricks.sliding_window_view(_SNOW, height * width)
    return windows[rng.integers(len(windows), size=count)].reshape(shape)


def soften(pictures: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W) float32, each blurred by a Gaussian of its own standard deviation (N,) in pixels."""
    at = np.arange(-REACH, REACH + 1)
    weights = np.exp(-0.5 * (at / np.maximum(deviations, 0.1)[:, None]) ** 2)  # (N, 2 REACH + 1)
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)[:, :, None, None]
    for axis in (1, 2):
        size = pictures.shape[axis]
        around = [(0, 0), (0, 0), (0, 0)]
        around[axis] = (REACH, REACH)
        padded = np.pad(pictures, around)
        window = (slice(None),) * axis
        pictures = weights[:, REACH] * pictures
        for k in range(2 * REACH + 1):
            if k != REACH:
                pictures += weights[:, k] * padded[(*window, slice(k, k + size))]
    return pictures


def _make_tiles() -> np.ndarray:
    """Grain (4, 2 GRAIN, 2 GRAIN) float32, repeated once so that a window may begin anywhere in the tile."""
    rng = np.random.default_rng(0)
    tiles = []
    for sigma in (0.6, 1.2, 3.0, 8.0):
        tile = ndimage.gaussian_filter(rng.normal(size=(GRAIN, GRAIN)), sigma, mode="wrap")
        tiles.append(np.tile(np.clip(0.5 + 0.4 * tile / tile.std(), 0, 1).astype(np.float32), (2, 2)))
    return np.stack(tiles)


_TILES = _make_tiles()
_SNOW = np.random.default_rng(1).standard_normal(1 << 20, np.float32)
