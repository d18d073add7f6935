"""Reader: from a photo to a page of text."""

import numpy as np
from PIL import Image

from pipeline.common.errors import PageError
from pipeline.reading import straighten
from pipeline.reading.binarize import find_ink, flatten
from pipeline.reading.clutter import drop_clutter
from pipeline.reading.glyphs import Model, classify, draw_glyphs
from pipeline.reading.language import LanguageModel
from pipeline.reading.layout import Components, find_components, find_lines
from pipeline.reading.lines import read_lines
from pipeline.reading.options import OcrOptions
from pipeline.reading.page import Character, Line, Page, Word, reject
from pipeline.reading.segment import Atom, Candidate

SAMPLES = 28, 80  # pieces that decide which side of a page is up: of the four, and of two that are hard to tell apart
UPRIGHT = 3.0  # log-odds that a photo is held as it should be
CLEAR = 5.0  # log-odds that decide it without reading both ways
LANGUAGE = -0.2  # score for each character that only language reaches; codes have -0.4 and less, as pages on their head do
NOTHING = "nothing to read on this page; is it blank, or out of focus?"


def read(image: np.ndarray, model: Model, options: OcrOptions, language: LanguageModel | None = None) -> Page:
    """Read a photo of a hand-printed page.

    Args:
        image: (H, W) or (H, W, 3) uint8, upright or not.
        model: the classifier.
        language: settles what the classifier cannot; None, or a `language_weight` of 0, for none.

    Returns:
        the text, with its boxes in the photo's pixels.

    Raises:
        PageError: there is nothing to read on it.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise PageError(f"an image of {image.dtype} {image.shape}: give uint8 of shape (H, W) or (H, W, 3)")
    gray = straighten.prepare(image, options.work_pixels, options.straighten)
    flat = straighten.View(flatten(gray.pixels), gray.to_photo)
    view = straighten.rotate(flat, find_skew(flat.pixels)) if options.straighten else flat
    ink = find_ink(view.pixels, straighten.border_within(view, flat))
    found = find_components(ink)
    if found.height < 6 or not found.areas.any():
        raise PageError(NOTHING)
    readings, level = [], view.to_photo
    for turns in sides_up(found, model) if options.straighten else [0]:
        view = straighten.rotate(straighten.View(ink, level), 90 * turns)
        turned = found if turns == 0 else find_components(view.pixels)
        lines, score = read_lines(turned, find_lines(turned), model, options, language)
        readings.append((score + (UPRIGHT if abs(_rotation(view)) < 45 else 0.0), view, drop_clutter(lines)))
        if score > LANGUAGE * sum(len(line.characters) for line in lines):
            break
    _, view, lines = max(readings, key=lambda reading: reading[0])
    if not lines:
        raise PageError(NOTHING)
    height, width = image.shape[:2]
    page = Page(width, height, _rotation(view), [_to_photo(line, view, width, height) for line in lines])
    return reject(page, options.reject_below)


def find_skew(contrast: np.ndarray) -> float:
    """Degrees that make the lines of text level or upright; 0 if they nearly are. Half the pixels show it as well."""
    small = straighten.View(np.asarray(Image.fromarray(contrast).reduce(2)), np.eye(3))
    found = find_components(find_ink(small.pixels, straighten.border_within(small, small)))
    skew = straighten.estimate_skew(found.labels > 0, found.height) if found.areas.any() else 0.0
    return skew if abs(skew) >= 0.3 else 0.0


def sides_up(found: Components, model: Model) -> list[int]:
    """Quarter turns after which that side is up whose pieces read best; two if it is hard to tell."""
    larger, smaller = np.maximum(found.heights, found.widths), np.minimum(found.heights, found.widths)
    pieces = np.flatnonzero((larger > 0.5 * found.height) & (larger < 1.5 * found.height) & (smaller > 2 * found.stroke))
    if not len(pieces):
        return [0]
    sides = np.arange(4)
    for size in SAMPLES:
        sample = pieces[np.linspace(0, len(pieces) - 1, min(size, len(pieces))).astype(int)]
        sureness = _sureness(found, sample, sides, model) + np.where(sides == 0, UPRIGHT, 0.0)
        best, second = np.argsort(-sureness)[:2]
        if sureness[best] - sureness[second] > CLEAR:
            return [int(sides[best])]
        sides = sides[[best, second]]
    return sides.tolist()


def _sureness(found: Components, pieces: np.ndarray, sides: np.ndarray, model: Model) -> np.ndarray:
    """(len(sides),) log-probability of what the pieces read as, each side up."""
    atoms = [Atom((int(i) + 1,), tuple(int(v) for v in found.boxes[i])) for i in pieces]
    glyphs = draw_glyphs(found, atoms, [Candidate(i, i + 1, atom.box, 0.0) for i, atom in enumerate(atoms)])
    turned = np.concatenate([np.rot90(glyphs, turns, axes=(1, 2)) for turns in sides])
    return np.log(classify(turned, model).max(1)).reshape(len(sides), -1).sum(1)


def _rotation(view: straighten.View) -> float:
    """Degrees, counter-clockwise, that the photo was turned by to give the view."""
    across = view.to_photo @ [[0, 1], [0, 0], [1, 1]]
    dx, dy = across[:2, 1] / across[2, 1] - across[:2, 0] / across[2, 0]
    return float(np.rad2deg(np.arctan2(dy, dx)))


def _to_photo(line: Line, view: straighten.View, width: int, height: int) -> Line:
    """The line with its boxes in the photo."""
    return Line(
        [
            Word(
                [
                    Character(c.text, straighten.to_photo_box(c.box, view.to_photo, width, height), c.confidence)
                    for c in word.characters
                ]
            )
            for word in line.words
        ]
    )
