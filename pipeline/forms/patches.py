"""Patches: small parts of a blank that are sought on the photo, each near its place."""

import numpy as np
from scipy import ndimage
from skimage.feature import corner_harris, match_template

SIDE = 15  # pixels; half of the side of the patches of the blank that are sought on the photo
PATCHES = 120
REACH = 40, 12, 6  # pixels; the distance within which a patch is sought, in each round
ALIKE = 0.5  # least correlation of a patch with its place on the photo; with writing and noise it is higher
DOUBT = 0.3  # gain in correlation that a place at the distance `reach` needs: the next cell of a row looks the same
SAME = 0.75  # correlation above which two patches cannot be told apart on a photo


def find_patches(contrast: np.ndarray) -> np.ndarray:
    """(P, 2) int x, y of the strongest corners, at most one for each patch."""
    strength = corner_harris(ndimage.gaussian_filter(contrast.astype(np.float32), 1))
    peaks = (strength == ndimage.maximum_filter(strength, 2 * SIDE + 1)) & (strength > 1e-4 * strength.max())
    peaks[:SIDE] = peaks[-SIDE:] = peaks[:, :SIDE] = peaks[:, -SIDE:] = False
    rows, columns = np.nonzero(peaks)
    strongest = np.argsort(-strength[rows, columns], kind="stable")[: 4 * PATCHES]
    return np.column_stack([columns, rows])[strongest]


def is_unique(contrast: np.ndarray, at: np.ndarray) -> bool:
    """Whether the patch around `at` (x, y) differs from all others within the first `REACH`."""
    (alike, left, top), (x, y) = _compare(contrast, contrast, at, REACH[0]), at
    row, column = y - SIDE - top, x - SIDE - left
    alike[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5] = 0
    return bool(alike.max() < SAME)


def look(blank: np.ndarray, seen: np.ndarray, at: np.ndarray, reach: int) -> tuple[float, float] | None:
    """The place on the picture, within `reach`, of the patch around `at` (x, y); None if nothing there looks like it."""
    (alike, left, top), (x, y) = _compare(blank, seen, at, reach), at
    rows, columns = np.ogrid[: alike.shape[0], : alike.shape[1]]
    away = np.hypot(rows + top + SIDE - y, columns + left + SIDE - x) / reach
    row, column = divmod(int((alike - DOUBT * away**2).argmax()), alike.shape[1])
    if alike[row, column] < ALIKE:
        return None
    return left + column + SIDE + _peak(alike[row], column), top + row + SIDE + _peak(alike[:, column], row)


def _compare(blank: np.ndarray, seen: np.ndarray, at: np.ndarray, reach: int) -> tuple[np.ndarray, int, int]:
    """Correlation of the patch around `at` with each place within `reach`, and x, y of the corner of the first place."""
    x, y = at
    patch = blank[y - SIDE : y + SIDE + 1, x - SIDE : x + SIDE + 1]
    top, left = max(0, y - SIDE - reach), max(0, x - SIDE - reach)
    window = seen[top : y + SIDE + reach + 1, left : x + SIDE + reach + 1]
    return match_template(window.astype(np.float32), patch.astype(np.float32)), left, top


def _peak(values: np.ndarray, at: int) -> float:
    """Offset from the largest of equally spaced values to the maximum of the parabola through it and its neighbours."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, here, after = values[at - 1 : at + 2]
    curve = before - 2 * here + after
    return float((before - after) / (2 * curve)) if curve < 0 else 0.0
