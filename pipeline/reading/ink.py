"""Ink: the pixels of a photo that are writing, found by a network that tells paper, ink, print, lines and clutter apart."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage
from skimage.filters import threshold_otsu

from pipeline.common.pixels import LINE, PRINTED, WRITTEN, flatten
from pipeline.nn.pixel_loss import pixel_softmax
from pipeline.nn.pixel_training import to_images
from pipeline.nn.threads import one_blas_thread
from pipeline.nn.unet import UNet
from pipeline.reading.cells import Cells, find_cells
from pipeline.reading.outline import outline
from pipeline.reading.polarity import darken_ink
from pipeline.reading.printed import find_print

FIRST_PIXELS = 400_000  # pixels of the first look: at this size the strokes of most photos are clear
MOST_PIXELS = 2_000_000  # pixels of a finer look
STRIP = 900_000  # pixels that the network looks at in one piece; they take 200 MB
MARGIN = 64  # pixels; context above and below a strip: what lies further off changes no probability by more than 1e-5
INK = 127  # of 255
FAINT = 0.2  # least probability of a line that encloses a cell
NOISE, FAINTEST = 6.0, 12.0  # standard deviations and grey levels by which ink is darker than the paper, where no network is used
STROKES = 2.6, 7.0  # pixels; widths of strokes that the network reads best: half of its training crops have them


class Ink(NamedTuple):
    """The ink that is read.

    Attributes:
        pixels: (H, W) uint8, probability of 255 that a pixel is ink; above `INK` it is.
        printed: (H, W) bool, the pixels of printed words.
        cells: of forms and tables, as `find_cells` finds them in the network's look; None without any.
    """

    pixels: np.ndarray
    printed: np.ndarray
    cells: Cells | None


def find_ink(gray: np.ndarray, network: UNet | None, printed: str, print_weights: np.ndarray) -> Ink:
    """Find the ink of a photo.

    Args:
        gray: (H, W) uint8 photo, ink of either polarity.
        network: tells what a pixel shows; with None, everything darker than the paper is ink, and nothing is print.
        printed: `drop` leaves printed words out; `mark` finds and keeps them; `keep` does not look for them.
        print_weights: that tell print from writing, as `printed.find_print` takes them.
    """
    gray = darken_ink(gray)
    if network is None:
        pixels = np.asarray(Image.fromarray(binarize(flatten(gray))).convert("L").filter(ImageFilter.BoxBlur(1)))
        return Ink(pixels, np.zeros(gray.shape, bool), None)
    seen = see(look_closely(gray, network))
    ink = seen.ink
    words = np.zeros(ink.shape, bool)
    if printed != "keep":
        words = find_print(ink > 0.5, seen.printed, seen.lines, seen.cell_labels, print_weights)
    if printed == "drop":
        ink *= ~words
    size = gray.shape[::-1]
    picture = Image.fromarray(np.rint(ink * 255).astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    return Ink(np.asarray(picture), np.asarray(Image.fromarray(words).resize(size, Image.Resampling.NEAREST)), seen.cells)


class Seen(NamedTuple):
    """What a network sees, where letters have got back what looks like a line.

    Attributes:
        ink: (h, w) probability that a pixel is ink.
        printed: (h, w) probability that it is print if it is ink.
        lines: (h, w) bool, lines that are no parts of letters.
        cells: of forms and tables; None without any.
    """

    ink: np.ndarray
    printed: np.ndarray
    lines: np.ndarray
    cells: Cells | None

    @property
    def cell_labels(self) -> np.ndarray:
        """(h, w) int, number of the cell that a pixel lies in, 0 outside of all cells."""
        return np.zeros(self.ink.shape, np.int32) if self.cells is None else self.cells.labels


def see(kinds: np.ndarray) -> Seen:
    """Tell letters and lines apart by what is around them, in the (K, h, w) probabilities of `look_closely`."""
    ink, line = kinds[WRITTEN] + kinds[PRINTED], kinds[LINE] > 0.5
    letters = find_letters(ink > 0.5, ink + kinds[LINE] > 0.5)
    ink = np.where(letters, ink + kinds[LINE], ink)
    cells = find_cells(drawn_lines(kinds))
    return Seen(ink, kinds[PRINTED] / np.maximum(ink, 1e-6), line & ~letters, cells)


def drawn_lines(kinds: np.ndarray) -> np.ndarray:
    """(h, w) bool, what may be a line that encloses a cell, faint ones too, and with what letters have got of the lines.

    Nothing else encloses a space, so that little evidence is enough.
    """
    return kinds[LINE] > np.maximum(FAINT, kinds[WRITTEN] + kinds[PRINTED])


def binarize(contrast: np.ndarray) -> np.ndarray:
    """(H, W) bool, pixels darker than the noise of the paper, by the threshold that best separates dark and bright (Otsu 1979).

    Args:
        contrast: (H, W) uint8 from `pixels.flatten`.
    """
    paper = float(np.median(contrast))
    noise = 1.4826 * float(np.median(np.abs(contrast - paper)))  # the standard deviation if the noise is normal
    return contrast > max(threshold_otsu(contrast), paper + NOISE * noise + FAINTEST)


def look_closely(gray: np.ndarray, network: UNet) -> np.ndarray:
    """(K, h, w) float32 probabilities, at a size at which the strokes of the photo are neither too thin nor too thick.

    The looks at other sizes count too: a coarse one sees further, for example whether a line continues, a fine one is sharper.
    """
    height, width = gray.shape
    scale, looks = min(1.0, (FIRST_PIXELS / gray.size) ** 0.5), {}
    while True:
        size = max(8, round(width * scale)), max(8, round(height * scale))
        seen = np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC))
        looks[scale] = kinds = look(flatten(seen), network)
        stroke, other = stroke_width(kinds[WRITTEN] + kinds[PRINTED] > 0.5), scale
        if 0 < stroke < STROKES[0]:
            other = min(2 * scale, 2.0, max(1.0, (MOST_PIXELS / gray.size) ** 0.5))
        elif stroke > STROKES[1]:
            other = scale / 2
        if other in looks or len(looks) == 3:
            return mean_look(list(looks.values()))
        scale = other


def mean_look(looks: list[np.ndarray]) -> np.ndarray:
    """Geometric mean (K, h, w) of several probabilities, at the size of the last one."""
    if len(looks) == 1:
        return looks[0]
    height, width = looks[-1].shape[1:]
    total = np.zeros_like(looks[-1])
    for kinds in looks:
        for log, share in zip(total, kinds):
            if share.shape != (height, width):
                share = np.asarray(Image.fromarray(share).resize((width, height), Image.Resampling.BILINEAR))
            log += np.log(share + 1e-4)
    total /= len(looks)
    return pixel_softmax(total)


def look(contrast: np.ndarray, network: UNet) -> np.ndarray:
    """(K, H, W) float32 probabilities of the kinds of pixels; a large picture is read in strips."""
    height, width = contrast.shape
    multiple = network.multiple
    padded = np.pad(contrast, ((0, -height % multiple), (0, -width % multiple)))
    count = -(-padded.size // STRIP)
    rows = -(-len(padded) // count // multiple) * multiple
    margin = -(-MARGIN // multiple) * multiple
    whole = min(len(padded), rows + min(2, count - 1) * margin)  # the same for all strips: the network reuses its arrays
    parts = []
    with one_blas_thread(), np.errstate(all="ignore"):
        for start in range(0, len(padded), rows):
            first = min(max(0, start - margin), len(padded) - whole)
            logits = network.forward(to_images(padded[None, first : first + whole]))[..., 0]
            parts.append(pixel_softmax(logits[:, start - first : start - first + rows, :width].copy()))
    return np.concatenate(parts, axis=1)[:, :height]


def stroke_width(ink: np.ndarray) -> float:
    """Width of the strokes in pixels: a stroke of length L and width w has an area of w L and an edge of 2 L. 0 without ink."""
    edge = int(outline(ink).sum())
    return 2.0 * float(ink.sum()) / edge if edge else 0.0


def find_letters(ink: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """(H, W) bool, pieces of ink and lines that are letters, although parts of them look like lines.

    A stem or a bar looks like a line; but a line of a form, table or ruled sheet is longer than a letter, or belongs to
    something that is. So a piece of the size of a letter is a letter as a whole if enough of it is ink. Whether a
    single bar is an I or a piece of a rule is for the network to say.

    Args:
        ink: (H, W) bool.
        drawn: (H, W) bool, ink and lines.
    """
    labels, count = ndimage.label(drawn, np.ones((3, 3), bool))
    height = letter_height(ink)
    if not count or not height:
        return ink
    extents = (
        np.array([(box[0].stop - box[0].start, box[1].stop - box[1].start) for box in ndimage.find_objects(labels)]) / height
    )
    longer, shorter = extents.max(1), extents.min(1)
    share = np.bincount(labels[ink], minlength=count + 1)[1:] / np.bincount(labels.ravel(), minlength=count + 1)[1:]
    letters = (longer < 2.0) & (shorter < 1.6) & (share > 0.2)
    return np.concatenate([[False], letters])[labels]


def letter_height(ink: np.ndarray) -> float:
    """Median in pixels of the larger sides of the pieces of ink, weighted by these sides so that specks do not matter."""
    labels, _ = ndimage.label(ink, np.ones((3, 3), bool))
    sides = np.sort([max(box[0].stop - box[0].start, box[1].stop - box[1].start) for box in ndimage.find_objects(labels)])
    return float(sides[np.searchsorted(np.cumsum(sides), sides.sum() / 2)]) if len(sides) else 0.0
