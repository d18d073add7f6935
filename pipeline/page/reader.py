"""Reader: from a photo to a page of text."""

import itertools
from typing import Protocol

import numpy as np
from PIL import Image

from pipeline.characters import CLASSES
from pipeline.characters.normalise import normalise_all
from pipeline.errors import PageError
from pipeline.nn.network import to_input
from pipeline.page import straighten, words
from pipeline.page.binarize import find_ink, flatten
from pipeline.page.decode import Lattice, decode_line
from pipeline.page.dots import expect_digits, place_dots, take_dots
from pipeline.page.language import START, LanguageModel
from pipeline.page.layout import Components, find_components, find_lines
from pipeline.page.layout import Line as Row
from pipeline.page.options import OcrOptions
from pipeline.page.page import Character, Line, Page, Word, reject
from pipeline.page.segment import Atom, Candidate, cut_atom, draw_glyphs, find_atoms, find_candidates

SURE = 0.95          # an atom read with less than this is cut, in case it is several characters
SAMPLE = 40          # pieces that decide which side of a page is up
UPRIGHT = 3.0        # log-odds that a photo is held as it should be
CLEAR = 8.0          # log-odds that decide it without reading both ways
ANOTHER_LINE = 2.0   # cost of a line: of two readings, the one with long lines is likelier
WIDE = 0.85          # letter heights; an atom wider than this is cut too
NOTHING = "nothing to read on this page; is it blank, or out of focus?"


class Model(Protocol):
    """Anything that classifies characters."""

    def predict(self, x: np.ndarray) -> np.ndarray:
        """(N, 1024) float32 -> (N, 36) probabilities."""
        ...


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
    view = straighten.View(flatten(gray.pixels), gray.to_photo)
    if options.straighten:
        view = straighten.rotate(view, find_skew(view.pixels))
    ink = find_ink(view.pixels)
    found = find_components(ink)
    if found.height < 6 or not found.areas.any():
        raise PageError(NOTHING)
    readings, level = [], view.to_photo
    for turns in sides_up(found, model) if options.straighten else [0]:
        view = straighten.rotate(straighten.View(ink, level), 90 * turns)
        turned = found if turns == 0 else find_components(view.pixels)
        lines, score = read_lines(turned, find_lines(turned), model, options, language)
        score += UPRIGHT if abs(_rotation(view)) < 45 else 0.0
        readings.append((score, view, drop_clutter(lines)))
    _, view, lines = max(readings, key=lambda reading: reading[0])
    if not lines:
        raise PageError(NOTHING)
    height, width = image.shape[:2]
    page = Page(width, height, _rotation(view), [_to_photo(line, view, width, height) for line in lines])
    return reject(page, options.reject_below)


def classify(glyphs: np.ndarray, model: Model) -> np.ndarray:
    """(N, H, W) uint8 pictures -> (N, 36) probabilities."""
    return model.predict(to_input(normalise_all(glyphs)))


def find_skew(contrast: np.ndarray) -> float:
    """Degrees that make the lines of text level or upright; 0 if they nearly are. Half the pixels show it as well."""
    found = find_components(find_ink(np.asarray(Image.fromarray(contrast).reduce(2))))
    skew = straighten.estimate_skew(found.labels > 0, found.height) if found.areas.any() else 0.0
    return skew if abs(skew) >= 0.3 else 0.0


def sides_up(found: Components, model: Model) -> list[int]:
    """Quarter turns after which that side is up whose pieces read best; two if it is hard to tell."""
    larger, smaller = np.maximum(found.heights, found.widths), np.minimum(found.heights, found.widths)
    pieces = np.flatnonzero((larger > 0.5 * found.height) & (larger < 1.5 * found.height) & (smaller > 2 * found.stroke))
    if not len(pieces):
        return [0]
    sample = pieces[np.linspace(0, len(pieces) - 1, min(SAMPLE, len(pieces))).astype(int)]
    atoms = [Atom((int(i) + 1,), tuple(int(v) for v in found.boxes[i])) for i in sample]
    glyphs = draw_glyphs(found, atoms, [Candidate(i, i + 1, atom.box, 0.0) for i, atom in enumerate(atoms)])
    turned = np.concatenate([np.rot90(glyphs, turns, axes=(1, 2)) for turns in range(4)])
    sureness = np.log(classify(turned, model).max(1)).reshape(4, -1).sum(1)
    sureness[0] += UPRIGHT
    best, second = np.argsort(-sureness)[:2]
    return [int(best)] if sureness[best] - sureness[second] > CLEAR else [int(best), int(second)]


def read_lines(found: Components, rows: list[Row], model: Model, options: OcrOptions,
               language: LanguageModel | None) -> tuple[list[Line], float]:
    """Read the lines of a view, all candidates at once, and score the reading."""
    if not rows:
        return [], -np.inf
    rows, dots = zip(*(take_dots(found, row) for row in rows))
    atoms = [find_atoms(found, row) for row in rows]
    usual = usual_width(rows, atoms)
    atoms = cut_unsure(found, rows, atoms, model)
    candidates = [find_candidates(line, row.height) for line, row in zip(atoms, rows)]
    glyphs = [draw_glyphs(found, line, chosen) for line, chosen in zip(atoms, candidates)]
    probabilities = np.split(classify(np.concatenate(glyphs), model), np.cumsum([len(g) for g in glyphs])[:-1])
    odds = words.word_log_odds([_gaps(line, row.height) for line, row in zip(atoms, rows)])
    lines, state, total = [], START, 0.0
    for row, line, small, chosen, classes, spaces in zip(rows, atoms, dots, candidates, probabilities, odds):
        placed = place_dots(line, small, row.height)
        classes = expect_digits(classes, chosen, placed)
        lattice = Lattice(line, chosen, classes, np.concatenate([[0.0], spaces]), row.height, usual)
        path, state, score = decode_line(lattice, state, language, options.language_weight, options.beam)
        total += score
        if path:
            lines.append(_to_line(path, chosen, classes, placed))
    return lines, total - ANOTHER_LINE * len(lines)


def usual_width(rows: list[Row], atoms: list[list[Atom]]) -> float:
    """Median width of what is not as narrow as an I, in letter heights."""
    widths = np.array([(atom.box[2] - atom.box[0]) / row.height for row, line in zip(rows, atoms) for atom in line])
    widths = widths[(widths > 0.35) & (widths < 1.3)]
    return float(np.clip(np.median(widths), 0.55, 1.0)) if len(widths) > 4 else 0.75


def drop_clutter(lines: list[Line]) -> list[Line]:
    """Drop what was read where nothing is written: a few unlikely characters, far from others or of another size."""
    if not lines:
        return lines
    heights = np.concatenate([[c.box[3] - c.box[1] for w in line.words for c in w.characters if c.text != "."] for line in lines])
    usual = float(np.median(heights))
    kept = []
    for line in lines:
        line_words = line.words
        for end in (0, -1):     # at the line's ends
            while len(line_words) > 1 and _stray(line_words[end], line_words[1 if end == 0 else -2], usual):
                line_words = line_words[1:] if end == 0 else line_words[:-1]
        characters = [c for word in line_words for c in word.characters if c.text != "."]
        sure = float(np.mean([c.confidence for c in characters]))
        size = float(np.median([c.box[3] - c.box[1] for c in characters])) / usual
        few = len(characters) <= 3
        if not (few and len(lines) > 1 and (sure < 0.5 or not 0.5 < size < 2.2)):
            kept.append(Line(line_words))
    return kept


def _stray(word: Word, neighbour: Word, height: float) -> bool:
    gap = max(word.box[0] - neighbour.box[2], neighbour.box[0] - word.box[2]) / height
    return gap > 4 and len(word.characters) < 3 and word.confidence < 0.6


def _gaps(atoms: list[Atom], height: float) -> np.ndarray:
    """The gaps before all atoms but the first; NaN where an atom was cut off its neighbour."""
    gaps = words.measure_gaps(np.array([atom.box for atom in atoms]), height)
    gaps[[atom.cut > 0 for atom in atoms[1:]]] = np.nan
    return gaps


def cut_unsure(found: Components, rows: list[Row], atoms: list[list[Atom]], model: Model) -> list[list[Atom]]:
    """Cut the atoms that do not read as one character, or are too wide for one."""
    singles = [[Candidate(i, i + 1, atom.box, 0.0) for i, atom in enumerate(line)] for line in atoms]
    glyphs = np.concatenate([draw_glyphs(found, line, single) for line, single in zip(atoms, singles)])
    sure = iter(np.sort(classify(glyphs, model), axis=1)[:, -2:].sum(1))     # two, since 0 and O are one shape
    labels = itertools.count(len(found.boxes) + 1)
    result = []
    for row, line in zip(rows, atoms):
        pieces: list[Atom] = []
        for atom in line:
            width = (atom.box[2] - atom.box[0]) / row.height
            unsure = next(sure) < SURE or width > WIDE
            pieces += cut_atom(found, atom, row.height, labels) if unsure and width > 0.45 else [atom]
        result.append(pieces)
    return result


def _to_line(path: list[tuple[int, int, bool]], candidates: list[Candidate], probabilities: np.ndarray,
             dots: dict[int, tuple]) -> Line:
    line: list[list[Character]] = [[]]
    for index, label, space in path:
        if space and line[-1]:
            line.append([])
        confidence, text = float(probabilities[index, label]), CLASSES[label]
        line[-1].append(Character(text, candidates[index].box, confidence))
        if text.isdigit() and candidates[index].end - 1 in dots:
            line[-1].append(Character(".", dots[candidates[index].end - 1], confidence))
    return Line([Word(characters) for characters in line])


def _rotation(view: straighten.View) -> float:
    """Degrees, counter-clockwise, that the photo was turned by to give the view."""
    across = view.to_photo @ [[0, 1], [0, 0], [1, 1]]
    dx, dy = across[:2, 1] / across[2, 1] - across[:2, 0] / across[2, 0]
    return float(np.rad2deg(np.arctan2(dy, dx)))


def _to_photo(line: Line, view: straighten.View, width: int, height: int) -> Line:
    """The line with its boxes in the photo."""
    return Line([Word([Character(c.text, straighten.to_photo_box(c.box, view.to_photo, width, height), c.confidence)
                       for c in word.characters]) for word in line.words])
