"""Ink: what somebody has written on a form, and nothing of what the blank prints."""

import numpy as np
from PIL import Image
from scipy import ndimage

from pipeline.common.pixels import CLUTTER, PAPER, flatten
from pipeline.nn.unet import UNet
from pipeline.reading.ink import binarize, look_closely

PRINT = 40  # of 255; contrast of the blank from which a pixel is its print
OFF = 2  # pixels; by which the form's print may lie beside where it is expected, and its blur
RIM = 0.9  # share of a piece within `OFF` of the print that makes it the print's own edge
AROUND = 0.35  # heights of a field; how far writing may reach beyond it
INSIDE = 0.5  # share of a piece of ink that lies within the field it belongs to
STROKE = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)


def written_ink(gray: np.ndarray, blank: np.ndarray, network: UNet | None) -> np.ndarray:
    """(H, W) bool, ink that is not the blank's.

    A stroke that crosses a printed line goes on behind it: what is dark there, with writing on both sides, is writing.

    Args:
        gray: (H, W) uint8, the photo of the form, laid over the blank.
        blank: (H, W) uint8.
        network: says what each pixel shows; None takes all that is darker than the paper.
    """
    dark = find_dark(gray, network)
    hidden = ndimage.binary_dilation(flatten(blank) > PRINT, STROKE, iterations=OFF)
    seen = _without_rims(dark & ~hidden, hidden)
    length = 2 * OFF + 1 + _line_width(hidden)
    across = [
        np.ones((length, 1), bool),
        np.ones((1, length), bool),
        np.eye(length, dtype=bool),
        np.eye(length, dtype=bool)[::-1],
    ]
    bridged = np.logical_or.reduce(
        [ndimage.binary_closing(np.pad(seen, length), line)[length:-length, length:-length] for line in across]
    )
    return seen | (bridged & hidden & dark)


def field_ink(ink: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """The pieces of ink that are written in a field, wherever they reach beyond it.

    Args:
        ink: (H, W) bool, of the whole form, its print left out.
        box: of the field, in pixels of the form.

    Returns:
        (h, w) int32 labels of the pieces, 0 elsewhere, and the x, y of their first pixel.
    """
    x0, y0, x1, y1 = box
    reach = AROUND * (y1 - y0)
    left, top = max(0, int(x0 - reach)), max(0, int(y0 - reach))
    window = ink[top : int(np.ceil(y1 + reach)), left : int(np.ceil(x1 + reach))]
    labels, count = ndimage.label(window, np.ones((3, 3), bool))
    rows, columns = np.nonzero(labels)
    within = (rows + top >= y0) & (rows + top < y1) & (columns + left >= x0) & (columns + left < x1)
    pieces = labels[rows, columns]
    share = np.bincount(pieces[within], minlength=count + 1) / np.maximum(np.bincount(pieces, minlength=count + 1), 1)
    return np.where((share > INSIDE)[labels], labels, 0), (left, top)


def find_dark(gray: np.ndarray, network: UNet | None) -> np.ndarray:
    """(H, W) bool, what is drawn, written or printed on the paper."""
    if network is None:
        return binarize(flatten(gray))
    kinds = look_closely(gray, network)
    drawn = 1 - kinds[PAPER] - kinds[CLUTTER]
    picture = Image.fromarray(np.rint(np.clip(drawn, 0, 1) * 255).astype(np.uint8))
    return np.asarray(picture.resize(gray.shape[::-1], Image.Resampling.BILINEAR)) > 127


def _without_rims(seen: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The ink without what the blank's print left at its own edges: pieces that lie nowhere else."""
    labels, count = ndimage.label(seen, np.ones((3, 3), bool))
    edge = ndimage.binary_dilation(hidden, STROKE, iterations=OFF)
    beside = np.bincount(labels[edge & seen], minlength=count + 1) / np.maximum(
        np.bincount(labels.ravel(), minlength=count + 1), 1
    )
    return seen & (beside < RIM)[labels]


def _line_width(hidden: np.ndarray) -> int:
    """Pixels; usual width of what the blank hides: most of it are lines."""
    runs = np.diff(np.flatnonzero(np.diff(np.pad(hidden, ((0, 0), (1, 1))).astype(np.int8).ravel())))[::2]
    return int(np.median(runs)) if len(runs) else 0
