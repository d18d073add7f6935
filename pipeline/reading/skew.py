"""Skew: the rotation that makes lines of text level."""

import numpy as np
from PIL import Image

from pipeline.reading.layout import Components, find_components
from pipeline.seeing.ink import INK

MAX_POINTS = 6000
LEVEL = 0.3  # degrees; lines are followed whatever so small a slope
SLIGHT = 3.0  # degrees; lines with a smaller slope are followed as well as level ones
MANY = 40  # letters; so many do not lie on a slanting line by chance


def skews(ink: np.ndarray) -> list[float]:
    """Rotations in degrees that may make the lines of text level or upright.

    A few letters may lie on a slanting line by chance: then 0 is returned too, and the better reading decides.
    """
    found = find_components(np.asarray(Image.fromarray(ink).reduce(2)) > INK)  # half of the pixels are enough
    skew = skew_of(found)
    if not skew:
        return [0.0]
    return [skew] if found.large.sum() >= MANY or abs(skew) < SLIGHT else [0.0, skew]


def skew_of(found: Components) -> float:
    """Rotation in degrees, from -45 to 45, that makes the lines of text level or upright; 0 if they are level already."""
    if not found.areas.any():
        return 0.0
    boxes = found.boxes[found.areas > 0]
    (left, top), (right, bottom) = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    around = found._replace(labels=found.labels[top:bottom, left:right])
    skew = estimate_skew(around.ink, found.height)
    return 0.0 if abs(skew) < LEVEL else skew


def level_lines(found: Components) -> float:
    """How much more the ink of a page forms level bands than upright ones: above 0 for level lines, below 0 for upright lines.

    The logarithm of the ratio of the two unevennesses, and of the same where each is measured by that of ink that is spread
    evenly as far as this ink is: the smaller of the two, and 0 if they do not agree. A single line, and numbers below each
    other, form bands both ways.
    """
    points = _sample(found.ink)
    if points.shape[1] < 2:
        return 0.0
    bin_width = max(1.0, found.height / 5)
    width, height = points.std(1)
    ratio = float(np.log(_unevenness(points, 0, bin_width) / _unevenness(points, 90, bin_width)))
    spread = ratio + float(np.log((height + bin_width) / (width + bin_width)))
    return float(np.sign(ratio)) * min(abs(ratio), abs(spread)) if ratio * spread > 0 else 0.0


def estimate_skew(ink: np.ndarray, text_height: float) -> float:
    """Rotation in degrees, counter-clockwise, from -45 to 45, that makes the lines of text level or upright.

    Projected along the lines, the ink forms bands (Postl 1986): the search is for the direction in which the projection is most
    uneven, first among all directions, then in fine steps around the best one.
    """
    points = _sample(ink)
    bin_width = max(1.0, text_height / 5)
    coarse = np.arange(-45.0, 135.0, 1.0)
    best = coarse[int(np.argmax([_unevenness(points, angle, bin_width) for angle in coarse]))]
    fine = best + np.arange(-1.0, 1.01, 0.2)
    best = fine[int(np.argmax([_unevenness(points, angle, bin_width) for angle in fine]))]
    return float((best + 45) % 90 - 45)


def _sample(ink: np.ndarray) -> np.ndarray:
    """(2, N) float32, x and y of some of the ink, from its middle."""
    rows, columns = np.nonzero(ink)
    step = max(1, len(rows) // MAX_POINTS)
    points = np.stack([columns[::step], rows[::step]]).astype(np.float32)
    return points - points.mean(1, keepdims=True) if points.size else points


def _unevenness(points: np.ndarray, degrees: float, bin_width: float) -> float:
    """Sum of squares of the ink in bands along the direction of lines that `degrees` would make level."""
    angle = np.deg2rad(degrees)
    across = points[1] * np.cos(angle) - points[0] * np.sin(angle)
    places = (across - across.min()) / bin_width
    whole = places.astype(np.int32)
    share = places - whole  # shared between two bins, so that the borders of the bins do not matter
    bands = np.bincount(whole, 1 - share, whole.max() + 2) + np.bincount(whole + 1, share, whole.max() + 2)
    return float((bands**2).sum())
