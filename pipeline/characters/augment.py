"""Augmentation: in every epoch each character has another position, another shape and another pen."""

from functools import cache

import numpy as np
from scipy import ndimage

from pipeline.characters import SIZE
from pipeline.characters.normalise import change_width
from pipeline.characters.options import AugmentOptions

CHUNK = 128  # images at once: their arrays stay in the processor's cache
FIELDS = 256  # smooth displacement fields, made once
POOL = 1 << 20  # numbers of noise, made once


def augment(images: np.ndarray, rng: np.random.Generator, options: AugmentOptions) -> np.ndarray:
    """Changed copies (N, 32, 32) uint8 of `images` (N, 32, 32) uint8; the same generator state gives the same bytes."""
    result = np.empty_like(images)
    for start in range(0, len(images), CHUNK):
        chunk = images[start : start + CHUNK]
        if options.width:
            chunk = change_width(chunk, rng.uniform(-options.width, options.width, len(chunk)))
        if any((options.rotation, options.slant, options.scale, options.aspect, options.shift, options.elastic)):
            chunk = sample(chunk, *positions(len(chunk), rng, options))
        result[start : start + CHUNK] = develop(chunk, rng, options)
    return result


def positions(count: int, rng: np.random.Generator, options: AugmentOptions) -> tuple[np.ndarray, np.ndarray]:
    """Where every pixel of the result comes from: rows and columns (N, 32, 32) float32."""
    angle = np.radians(rng.normal(0, options.rotation, count))
    slant = rng.normal(0, options.slant, count)
    size = np.exp(rng.normal(0, options.scale, count))
    aspect = np.exp(rng.normal(0, options.aspect, count) / 2)
    cos, sin = np.cos(angle), np.sin(angle)
    to_row = np.stack([cos, -sin], 1) * (aspect / size)[:, None]  # (N, 2) factors of (row, column)
    to_column = np.stack([sin + slant * cos, cos - slant * sin], 1) / (aspect * size)[:, None]
    centre = (SIZE - 1) / 2
    grid = (np.mgrid[:SIZE, :SIZE].reshape(2, -1) - centre).astype(np.float32)  # (2, 1024)
    shift = centre + rng.normal(0, options.shift, (2, count, 1))
    rows = to_row.astype(np.float32) @ grid + shift[0].astype(np.float32)  # (N, 1024)
    columns = to_column.astype(np.float32) @ grid + shift[1].astype(np.float32)
    if options.elastic:
        fields = displacement_fields()
        chosen = rng.integers(FIELDS, size=(2, count))
        sign = rng.choice(np.array([-1, 1], np.float32), (2, count, 1)) * np.float32(options.elastic)
        rows += fields[chosen[0]] * sign[0]
        columns += fields[chosen[1]] * sign[1]
    return rows, columns


@cache
def displacement_fields() -> np.ndarray:
    """Smooth fields (FIELDS, 1024) float32 of unit variance: white noise blurred (Simard, Steinkraus & Platt 2003)."""
    rng = np.random.default_rng(2003)
    white = rng.normal(size=(FIELDS, 2 * SIZE, 2 * SIZE))
    smooth = np.stack([ndimage.gaussian_filter(w, 4.5, mode="wrap")[:SIZE, :SIZE] for w in white])
    return (smooth / smooth.std()).reshape(FIELDS, -1).astype(np.float32)


def sample(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Bilinear samples (N, 32, 32) uint8 at positions (N, 1024); outside the images is 0.

    The four neighbours of a pixel are packed into one number first, so that every sample is one look-up.
    """
    count, side = len(images), SIZE + 3
    padded = np.zeros((count, side + 1, side + 1), np.uint32)
    padded[:, 2 : 2 + SIZE, 2 : 2 + SIZE] = images
    packed = padded[:, :-1, :-1] | padded[:, :-1, 1:] << 8 | padded[:, 1:, :-1] << 16 | padded[:, 1:, 1:] << 24
    rows = np.clip(rows + 2, 0, side - 1.001)
    columns = np.clip(columns + 2, 0, side - 1.001)
    top, left = rows.astype(np.int32), columns.astype(np.int32)
    down, right = rows - top, columns - left
    index = top * side + left + (np.arange(count, dtype=np.int32) * (side * side))[:, None]
    corners = packed.ravel()[index].view(np.uint8).reshape(count, -1, 4)
    upper = corners[..., 0] + right * (corners[..., 1].astype(np.float32) - corners[..., 0])
    lower = corners[..., 2] + right * (corners[..., 3].astype(np.float32) - corners[..., 2])
    return (upper + down * (lower - upper) + 0.5).astype(np.uint8).reshape(count, SIZE, SIZE)


def develop(images: np.ndarray, rng: np.random.Generator, options: AugmentOptions) -> np.ndarray:
    """Images (N, 32, 32) uint8 as another camera would see them: blur, contrast, noise, a lost piece."""
    count = len(images)
    picture = images.astype(np.float32)
    if options.blur:
        share = rng.uniform(0, options.blur, (count, 1, 1)).astype(np.float32)
        across = picture.copy()
        across[:, :, 1:-1] = 0.5 * picture[:, :, 1:-1] + 0.25 * (picture[:, :, :-2] + picture[:, :, 2:])
        both = across.copy()
        both[:, 1:-1] = 0.5 * across[:, 1:-1] + 0.25 * (across[:, :-2] + across[:, 2:])
        picture += share * (both - picture)
    if options.contrast:
        table = np.arange(256, dtype=np.float32) / 255
        exponent, loss = rng.uniform(-options.contrast, options.contrast, count), rng.uniform(0, options.contrast, count)
        tables = 255 * (1 - loss[:, None]) * table ** np.exp(exponent[:, None])  # (N, 256)
        index = picture.astype(np.int32) + (np.arange(count, dtype=np.int32) * 256)[:, None, None]
        picture = tables.astype(np.float32).ravel()[index]
    if options.erase:
        picture[erased(count, rng, options.erase)] = 0
    if options.noise:
        pool = noise_pool()
        start = rng.integers(POOL - SIZE * SIZE, size=count)
        strength = rng.uniform(0, options.noise, (count, 1, 1)).astype(np.float32)
        picture += strength * np.lib.stride_tricks.sliding_window_view(pool, SIZE * SIZE)[start].reshape(picture.shape)
    return np.clip(picture, 0, 255, out=picture).astype(np.uint8)


def erased(count: int, rng: np.random.Generator, probability: float) -> np.ndarray:
    """Mask (N, 32, 32) of one rectangle of 2 to 5 pixels a side in some of the images."""
    low = rng.integers(3, SIZE - 6, (2, count, 1))
    high = low + rng.integers(2, 6, (2, count, 1))
    high[:, rng.random(count) >= probability] = 0
    at = np.arange(SIZE)
    rows, columns = (at >= low) & (at < high)
    return rows[:, :, None] & columns[:, None, :]


@cache
def noise_pool() -> np.ndarray:
    """Normal noise (POOL,) float32."""
    return np.random.default_rng(0).standard_normal(POOL, np.float32)
