"""Ink: the pixels of a photo that are writing, found by a network that tells paper, ink, print, lines and clutter apart."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage
from skimage.filters import threshold_otsu

from pipeline.common.pixels import LINE, PRINTED, WRITTEN, flatten
from pipeline.nn.unet import UNet
from pipeline.seeing.cells import Cells, find_cells
from pipeline.seeing.dots import find_dots
from pipeline.seeing.groups import find_words
from pipeline.seeing.looks import contrast_at, look_between, look_closely
from pipeline.seeing.pen import pen_width
from pipeline.seeing.polarity import darken_ink
from pipeline.seeing.squares import find_squares
from pipeline.seeing.tick_boxes import find_marks, find_tick_boxes
from pipeline.seeing.windows import Sight
from pipeline.seeing.word_kinds import NEITHER, PRINT, WRITING, WordModel, find_kinds

INK = 127  # of 255
FAINT = 0.2  # least probability of a line that encloses a cell
NOISE, FAINTEST = 6.0, 12.0  # standard deviations and grey levels by which ink is darker than the paper, where no network is used


Squared = tuple[np.ndarray, np.ndarray]
"""The kinds of the pixels of squared paper, and its lines, as `look_between` takes them."""


class Ink(NamedTuple):
    """The ink that is read.

    Attributes:
        pixels: (H, W) uint8, probability of 255 that a pixel is ink; above `INK` it is.
        printed: (H, W) bool, the pixels of printed words.
        cells: of forms and tables, as `find_cells` finds them in the network's look; None without any.
        gray: (H, W) uint8, the photo with all ink dark.
        squared: what a second look at squared paper needs; None on other paper, and after that look.
    """

    pixels: np.ndarray
    printed: np.ndarray
    cells: Cells | None
    gray: np.ndarray
    squared: Squared | None = None


def find_ink(
    gray: np.ndarray,
    network: UNet | None,
    printed: str,
    words: WordModel | None,
    squared: Squared | None = None,
) -> Ink:
    """Find the ink of a photo.

    Args:
        gray: (H, W) uint8 photo, ink of either polarity.
        network: tells what a pixel shows; with None, everything darker than the paper is ink, and nothing is print.
        printed: `drop` leaves printed words out; `mark` and `keep` do not.
        words: tells the kinds of words; what is neither writing nor print is left out; None: all words are writing.
        squared: of the first look at squared paper, for a second one between its lines.
    """
    gray = darken_ink(gray)
    if network is None:
        pixels = np.asarray(Image.fromarray(binarize(flatten(gray))).convert("L").filter(ImageFilter.BoxBlur(1)))
        return Ink(pixels, np.zeros(gray.shape, bool), None, gray)
    kinds = look_between(gray, *squared, network) if squared else look_closely(gray, network)
    seen = see(kinds)
    squares = _squares(kinds, seen.height) if seen.cells is not None and not squared else None
    ink = seen.ink * ~find_dots(kinds, seen.height)
    if seen.cells is not None:
        ink *= ~find_marks(ink > 0.5, seen.cells, seen.height)
    sight = find_sight(gray, seen, ink) if words else None
    print_ = np.zeros(ink.shape, bool)
    if words and sight:
        kind = np.concatenate([[WRITING], find_kinds(sight, words)])[sight.words.labels]
        print_ = kind == PRINT
        ink *= (kind != NEITHER) & ~(print_ & (printed == "drop"))
    size = gray.shape[::-1]
    picture = Image.fromarray(np.rint(ink * 255).astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    print_ = np.asarray(Image.fromarray(print_).resize(size, Image.Resampling.NEAREST))
    return Ink(np.asarray(picture), print_, seen.cells, gray, None if squares is None else (kinds, squares))


class Seen(NamedTuple):
    """What a network sees, where letters have got back what looks like a line.

    Attributes:
        ink: (h, w) probability that a pixel is ink.
        printed: (h, w) probability that it is print if it is ink.
        lines: (h, w) bool, lines that are no parts of letters.
        height: of a letter, in pixels; 0 without any.
        cells: of forms and tables; None without any.
    """

    ink: np.ndarray
    printed: np.ndarray
    lines: np.ndarray
    height: float
    cells: Cells | None

    @property
    def cell_labels(self) -> np.ndarray:
        """(h, w) int, number of the cell that a pixel lies in, 0 outside of all cells."""
        return np.zeros(self.ink.shape, np.int32) if self.cells is None else self.cells.labels


def see(kinds: np.ndarray) -> Seen:
    """Tell letters and lines apart by what is around them, in the (K, h, w) probabilities of `look_closely`."""
    ink, line = kinds[WRITTEN] + kinds[PRINTED], kinds[LINE] > 0.5
    height = letter_height(ink > 0.5)
    cells = find_cells(drawn_lines(kinds))
    letters, boxes = find_letters(ink > 0.5, ink + kinds[LINE] > 0.5, height, cells)
    ink = np.where(letters, ink + kinds[LINE], ink) * ~boxes
    return Seen(ink, kinds[PRINTED] / np.maximum(ink, 1e-6), line & ~letters, height, cells)


def find_sight(gray: np.ndarray, seen: Seen, ink: np.ndarray) -> Sight | None:
    """The words of a photo; None without any.

    Args:
        gray: (H, W) uint8 photo, with dark ink.
        ink: (h, w) probability that a pixel is ink.
    """
    words = find_words(ink > 0.5, seen.printed, seen.lines, seen.cell_labels)
    return words and Sight(words, contrast_at(gray, ink.shape[::-1]), seen.printed, seen.height)


def drawn_lines(kinds: np.ndarray) -> np.ndarray:
    """(h, w) bool, what may be a line that encloses a cell, faint ones too, and with what letters have got of the lines.

    Nothing else encloses a space, so that little evidence is enough.
    """
    return kinds[LINE] > np.maximum(FAINT, kinds[WRITTEN] + kinds[PRINTED])


def _squares(kinds: np.ndarray, height: float) -> np.ndarray | None:
    """The lines of squared paper, if it is any; `kinds` are those of `look_closely`, `height` that of a letter."""
    return find_squares(drawn_lines(kinds), pen_width(kinds[WRITTEN] + kinds[PRINTED] > 0.5), height) if height else None


def binarize(contrast: np.ndarray) -> np.ndarray:
    """(H, W) bool, pixels darker than the noise of the paper, by the threshold that best separates dark and bright (Otsu 1979).

    Args:
        contrast: (H, W) uint8 from `pixels.flatten`.
    """
    paper = float(np.median(contrast))
    noise = 1.4826 * float(np.median(np.abs(contrast - paper)))  # the standard deviation if the noise is normal
    return contrast > max(threshold_otsu(contrast), paper + NOISE * noise + FAINTEST)


def find_letters(ink: np.ndarray, drawn: np.ndarray, height: float, cells: Cells | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) bool each, pieces of ink and lines that are letters, although parts look like lines, and those that are tick boxes.

    A stem or a bar looks like a line; but a line of a form, table or ruled sheet is longer than a letter, or belongs to
    something that is. So a piece of the size of a letter is a letter as a whole if enough of it is ink. Whether a
    single bar is an I or a piece of a rule is for the network to say.

    Args:
        ink: (H, W) bool.
        drawn: (H, W) bool, ink and lines.
        height: of a letter, in pixels.
        cells: that the lines enclose; None without any.
    """
    labels, count = ndimage.label(drawn, np.ones((3, 3), bool))
    if not count or not height:
        return ink, np.zeros(ink.shape, bool)
    pieces = np.array([(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(labels)])
    extents = (pieces[:, 2:] - pieces[:, :2]) / height
    longer, shorter = extents.max(1), extents.min(1)
    share = np.bincount(labels[ink], minlength=count + 1)[1:] / np.bincount(labels.ravel(), minlength=count + 1)[1:]
    boxes = find_tick_boxes(cells.corners, pieces, height) if cells is not None else np.zeros(count, bool)
    letters = (longer < 2.0) & (shorter < 1.6) & (share > 0.2) & ~boxes
    return np.concatenate([[False], letters])[labels], np.concatenate([[False], boxes])[labels]


def letter_height(ink: np.ndarray) -> float:
    """Median in pixels of the larger sides of the pieces of ink, weighted by these sides so that specks do not matter."""
    labels, _ = ndimage.label(ink, np.ones((3, 3), bool))
    sides = np.sort([max(box[0].stop - box[0].start, box[1].stop - box[1].start) for box in ndimage.find_objects(labels)])
    return float(sides[np.searchsorted(np.cumsum(sides), sides.sum() / 2)]) if len(sides) else 0.0
