"""Regions: where a photo is bright, the places that could be a sheet of paper."""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

SMALL = 400  # pixels; longer side of the picture the sheet is sought in
LEVELS = 9  # thresholds tried: a shadow on the sheet may be darker than the ground in the light


class Regions(NamedTuple):
    """Where a photo is bright: `smooth` (h, w) float32, the photo made small, its writing closed; `sheets`, what is brighter
    than each of LEVELS thresholds and connected, (h, w) bool, the largest such region of each."""

    smooth: np.ndarray
    sheets: list[np.ndarray]


def find_regions(gray: Image.Image) -> Regions:
    """The bright regions of a photo of mode L."""
    smooth = _without_writing(gray)
    opened = ndimage.grey_opening(smooth, size=(5, 5))  # without what is thin, at all thresholds at once
    found = (_largest_region(opened > level) for level in _levels(smooth))
    return Regions(smooth, [region for region in found if region is not None])


def _without_writing(gray: Image.Image) -> np.ndarray:
    """(h, w) float32 small picture in which dark strokes are closed."""
    factor = max(gray.size) / SMALL
    small = gray.resize(
        (max(8, round(gray.width / factor)), max(8, round(gray.height / factor))), Image.Resampling.BOX, reducing_gap=1.0
    )
    return ndimage.grey_closing(ndimage.gaussian_filter(np.asarray(small, np.float32), 1), size=(9, 9))


def _levels(smooth: np.ndarray) -> np.ndarray:
    """Brightnesses that could part sheet and ground, from dark to bright."""
    dark, bright = np.quantile(smooth, [0.02, 0.9])
    return np.linspace(dark, bright, LEVELS + 2)[1:-1]


def _largest_region(bright: np.ndarray) -> np.ndarray | None:
    """(h, w) bool, without holes."""
    labels, count = ndimage.label(bright)
    if not count:
        return None
    return _fill_holes(labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:])))


def _fill_holes(region: np.ndarray) -> np.ndarray:
    """(h, w) bool, all but what is connected to the border outside of the region; SciPy's dilates its way there."""
    labels, count = ndimage.label(~region)
    outside = np.zeros(count + 1, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        outside[edge] = True
    outside[0] = False
    return ~outside[labels]
