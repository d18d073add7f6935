"""Windows: small pictures of the words of a page, all of one size, for the network that says which words are writing."""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from pipeline.seeing.groups import Words

SHAPE = 3, 32, 96
"""Channels, height and width of a window: the photo's contrast, what of it belongs to the word, and how much looks like print."""
LETTER = 20  # pixels of a window; height of a letter, so that what is above and below it, such as a line, is seen too
SMALLEST = 0.3  # heights of a letter; what is smaller on both sides is a dot or a speck, and shows nothing of what it belongs to


class Sight(NamedTuple):
    """The words of a picture, and what is around them.

    Attributes:
        words: of the picture.
        contrast: (H, W) uint8, as `pixels.flatten` gives it.
        printed: (H, W) probability that the pixel is print if it is ink.
        height: of a letter of the page, in pixels.
    """

    words: Words
    contrast: np.ndarray
    printed: np.ndarray
    height: float


def cut_windows(sight: Sight, rng: np.random.Generator | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Cut out the words; a long one gives several windows side by side, a dot none.

    Args:
        rng: varies size and place a little, to learn from; None: as they are.

    Returns:
        (M,) the word of each window, from 0, and (M, *SHAPE) uint8.
    """
    words, contrast, printed, height = sight
    layers = np.stack([contrast, np.zeros_like(contrast), np.rint(255 * printed).astype(np.uint8)], axis=2)
    owners, windows = [], []
    for index, part in enumerate(ndimage.find_objects(words.labels)):
        y0, y1, x0, x1 = part[0].start, part[0].stop, part[1].start, part[1].stop
        if max(y1 - y0, x1 - x0) < SMALLEST * height:
            continue
        scale = max(height, y1 - y0) / LETTER
        if rng:
            scale *= np.exp(rng.uniform(-0.2, 0.2))
        wide, tall = SHAPE[2] * scale, SHAPE[1] * scale
        count = max(1, int(np.ceil((x1 - x0) / wide - 0.15)))
        for number in range(count):
            x, y = x0 + (number + 0.5) * (x1 - x0) / count, (y0 + y1) / 2
            if rng:
                x, y = x + rng.uniform(-0.1, 0.1) * wide, y + rng.uniform(-0.1, 0.1) * tall
            owners.append(index)
            windows.append(_cut(layers, words.labels, index + 1, (x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2)))
    return np.array(owners, int), np.array(windows, np.uint8).reshape(-1, *SHAPE)


def _cut(layers: np.ndarray, labels: np.ndarray, label: int, box: tuple[float, float, float, float]) -> np.ndarray:
    """(*SHAPE) uint8, what is in the box, in which the darkest ink of the word is black; nothing beyond the picture."""
    left, top = int(np.floor(box[0])) - 1, int(np.floor(box[1])) - 1
    right, bottom = int(np.ceil(box[2])) + 1, int(np.ceil(box[3])) + 1
    here = np.zeros((bottom - top, right - left, 3), np.uint8)
    y0, y1, x0, x1 = max(0, top), min(len(labels), bottom), max(0, left), min(labels.shape[1], right)
    inside = here[y0 - top : y1 - top, x0 - left : x1 - left]
    inside[:] = layers[y0:y1, x0:x1]
    own = labels[y0:y1, x0:x1] == label
    inside[..., 1] = 255 * own
    inside[..., 2] *= own
    image = Image.fromarray(here).resize(
        SHAPE[:0:-1],
        Image.Resampling.BILINEAR,
        box=(box[0] - left, box[1] - top, box[2] - left, box[3] - top),
        reducing_gap=2.0,
    )
    window = np.asarray(image).transpose(2, 0, 1).copy()
    darkest = max(5, int(window[0][window[1] > 77].max(initial=0)))
    window[0] = _ROOT[np.minimum(window[0].astype(int) * 255 // darkest, 255)]
    return window


_ROOT = np.rint(255 * np.sqrt(np.arange(256) / 255)).astype(np.uint8)
"""The square root spreads faint ink over more of the range."""
