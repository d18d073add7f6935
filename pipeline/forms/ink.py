"""Ink: the writing on a form, without the print of the blank."""

import numpy as np
from PIL import Image
from scipy import ndimage

from pipeline.common.pixels import CLUTTER, PAPER, flatten
from pipeline.nn.unet import UNet
from pipeline.seeing.ink import binarize
from pipeline.seeing.looks import look_closely

DRAWN = 90  # of 255; probability above which a pixel is drawn: a thin or faint stroke is spread over pixels that are rather paper
PRINT = 40  # of 255; least contrast of print on the blank
OFF = 2  # pixels; most that the print of the form is off its place, with its blur
RIM = 0.9  # least share within `OFF` of the print of a piece that is an edge of the print
AROUND = 0.35  # heights of a field; how far writing may reach beyond it
INSIDE = 0.5  # share of a piece of ink that lies within the field it belongs to
STROKE = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)


def written_ink(gray: np.ndarray, blank: np.ndarray, network: UNet | None) -> np.ndarray:
    """(H, W) bool, ink that is not print of the blank.

    A stroke that crosses a printed line continues behind it: dark pixels there, with writing on both sides, are writing.

    Args:
        gray: (H, W) uint8, the photo of the form, mapped to the pixels of the blank.
        blank: (H, W) uint8.
        network: tells what a pixel shows; None: everything darker than the paper is ink.
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
    """(H, W) bool, pixels that are drawn, written or printed on the paper."""
    return binarize(flatten(gray)) if network is None else find_drawn(gray, network) > DRAWN


def find_drawn(gray: np.ndarray, network: UNet) -> np.ndarray:
    """(H, W) uint8, probability of 255 that a pixel is drawn, written or printed on the paper."""
    kinds = look_closely(gray, network)
    drawn = 1 - kinds[PAPER] - kinds[CLUTTER]
    picture = Image.fromarray(np.rint(np.clip(drawn, 0, 1) * 255).astype(np.uint8))
    return np.asarray(picture.resize(gray.shape[::-1], Image.Resampling.BILINEAR))


def _without_rims(seen: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Drop pieces of ink that lie along the edges of the print only: they are remains of it."""
    labels, count = ndimage.label(seen, np.ones((3, 3), bool))
    edge = ndimage.binary_dilation(hidden, STROKE, iterations=OFF)
    beside = np.bincount(labels[edge & seen], minlength=count + 1) / np.maximum(
        np.bincount(labels.ravel(), minlength=count + 1), 1
    )
    return seen & (beside < RIM)[labels]


def _line_width(hidden: np.ndarray) -> int:
    """Usual width in pixels of the print of the blank, most of which is lines."""
    runs = np.diff(np.flatnonzero(np.diff(np.pad(hidden, ((0, 0), (1, 1))).astype(np.int8).ravel())))[::2]
    return int(np.median(runs)) if len(runs) else 0
