"""A round pen: from points with a width each to grey pictures, many at once.

The ink is the union of discs, one at each point. On a scan line a disc is an interval; sorted, the intervals of a line are
merged in one pass, and what they cover of each pixel is exact. All of that is whole numbers: the same on every processor.
"""

import numpy as np

LINES = 3  # scan lines in a pixel's height
PARTS = 64  # steps in a pixel's width


def draw(points: np.ndarray, radii: np.ndarray, owners: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Pictures (N, H, W) float32 in [0, 1]: the share of each pixel that ink covers.

    Args:
        points: (P, 2) float32, (x, y) in pixels, the corner of the first pixel at (0, 0).
        radii: (P,) float32, in pixels.
        owners: (P,) index of the picture that each point belongs to.
        shape: N, H, W. Discs must lie within.
    """
    count, height, width = shape
    line, start, end = scan(points, radii, owners, height)
    row = width * PARTS  # length of a scan line
    order = np.sort((line * row + start) << 16 | (end - start))  # a disc's width stays below 2^16 parts
    start = order >> 16
    reach = np.maximum.accumulate(start + (order & 0xFFFF))  # as far as the ink reaches so far; a line never reaches the next
    fresh = np.append(True, start[1:] > reach[:-1])
    start, end = start[fresh], reach[np.append(np.flatnonzero(fresh)[1:] - 1, len(reach) - 1)]
    line, at = np.divmod(np.concatenate([start, end]), row)
    pixel, part = np.divmod(at, PARTS)
    cell = line // LINES * width + pixel
    begun = np.repeat([1.0, -1.0], len(start))  # ink begins, ink ends: the rest of this pixel, and all of the next ones
    steps = np.bincount(np.append(cell, cell + 1), np.append(begun * (PARTS - part), begun * part), count * height * width)
    covered = steps.reshape(-1, width).cumsum(axis=1)
    return (covered / (LINES * PARTS)).astype(np.float32).reshape(shape)


def scan(points: np.ndarray, radii: np.ndarray, owners: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The scan lines (Q,) that discs cross, counted through all pictures; where on them, in parts: start (Q,), end (Q,)."""
    x, y = points.T
    top = np.ceil((y - radii) * LINES - 0.5).astype(np.int64)
    bottom = np.ceil((y + radii) * LINES - 0.5).astype(np.int64)
    counts = bottom - top
    first = np.cumsum(counts) - counts
    line = np.arange(counts.sum()) + np.repeat(top - first, counts)
    down = (line + 0.5).astype(np.float32) / LINES - np.repeat(y, counts)
    half = np.sqrt(np.maximum(np.repeat(radii * radii, counts) - down * down, 0))
    across = np.repeat(x, counts)
    start = np.rint((across - half) * PARTS).astype(np.int64)
    end = np.rint((across + half) * PARTS).astype(np.int64)
    return line + np.repeat(owners * (height * LINES), counts), start, end
