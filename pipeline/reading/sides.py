"""Sides: which side of a page is up, by the pieces that read well as characters."""

from collections.abc import Iterator

import numpy as np

from pipeline.reading import straighten
from pipeline.reading.glyphs import Model, classify, draw_glyphs
from pipeline.reading.layout import Components, height_of
from pipeline.reading.segment import Candidate, piece_atom
from pipeline.reading.skew import level_lines

SAMPLES = 28, 80  # pieces that decide which of four sides of a page is up, and which of those that are hard to tell apart
UPRIGHT = 3.0  # prior log-odds that a photo is the right side up
MIRRORED = -7.0  # prior log-odds that a photo is mirrored or shows the page from behind: one of a thousand
CLEAR = 5.0  # log-odds that decide the side without reading the page by others too
HINT = 1.0  # log-odds of the pieces for another side, above which a page or block is read both ways
FEW = 4  # so few letters do not show the side of their block
LINE = -2.6  # log-odds that a line ends after a character, one of 14: letters below each other are a line that lies on its side
LEVEL_LINES = 20.0  # log-odds for each unit of `level_lines`: on rendered pages its mean is 0.57, its deviation 0.2, least 0.25
NEAR = 0.5  # letter heights; the next letter of a line is closer, 0.3 in the mean, and the next line further away, 0.8
STEP = 16  # pieces that are classified at once where most sides are soon given up
PRIOR = np.where(np.arange(8) == 0, UPRIGHT, 0.0) + MIRRORED * np.isin(np.arange(8), straighten.MIRROR_SIDES)


def sides_up(found: Components, model: Model, prior: np.ndarray, inside: np.ndarray | None = None) -> Iterator[int]:
    """The sides, as `straighten.orient` numbers them, that the page's pieces read well by, the likelier first.

    Pieces in cells decide, where there are: beside them are small print and the ground that a form lies on.

    One side, more if it is hard to tell, and a mirrored one if more of the page's pieces read better so: most letters look like
    others in a mirror, so that few pieces say little.

    Args:
        prior: (8,) log-odds of the sides, as `prior_of` gives them.
        inside: (M,) bool, the pieces that lie in cells of a form; None without any.
    """
    letters = np.zeros(0, int)
    if inside is not None:
        letters = letters_of(found._replace(height=height_of(found, inside)), np.flatnonzero(inside))
    if len(letters) <= FEW:
        letters = letters_of(found, np.arange(len(found.areas)))
    if not len(letters):
        yield 0
        return
    sides = np.arange(4)
    for size in SAMPLES:
        sample = spread(letters, size)
        sureness = sureness_of(found, sample, sides, model) + prior[sides]
        order = np.argsort(-sureness, kind="stable")
        sides = sides[order[sureness[order] > sureness[order[0]] - CLEAR]]
        if len(sides) == 1:
            break
    yield from sides.tolist()
    side = int(sides[0])
    if (mirrored := surer_side(found, spread(letters, SAMPLES[1]), side, np.array(straighten.MIRROR_SIDES), model)) != side:
        yield mirrored


def prior_of(found: Components, inside: np.ndarray | None = None) -> np.ndarray:
    """(8,) prior log-odds of the sides of a page: most are upright, lines of text form level bands, and letters in a single row
    or column are one line, if they are close to each other or in the cells of a comb.

    Args:
        inside: (M,) bool, the pieces that lie in cells of a form; None without any.
    """
    letters = found.large
    x0, y0, x1, y1 = found.boxes[letters].T
    near = np.inf if inside is not None and 2 * inside[letters].sum() > letters.sum() else NEAR * found.height
    (down, next_down), (across, next_across) = _runs(y0, y1, near), _runs(x0, x1, near)
    alone = 2 * max(down, across) > len(x0) and min(down, across) == 1  # most letters have the run to themselves
    line = LINE * np.array([next_down, next_across]) if alone else np.zeros(2)
    bands = LEVEL_LINES * level_lines(found) if len(x0) > FEW else 0.0  # the strokes of one letter form bands too
    return PRIOR + np.tile(line + [bands, 0.0], 4)


def _runs(starts: np.ndarray, ends: np.ndarray, near: float) -> tuple[int, int]:
    """How many runs there are, where intervals that overlap by more than their ends are one, and how many follow one nearby."""
    inner = (ends - starts) // 4
    order = np.argsort(starts + inner)
    reached = np.maximum.accumulate(ends[order])[:-1]
    gaps = starts[order][1:] - reached
    new = (starts + inner)[order][1:] >= np.maximum.accumulate((ends - inner)[order])[:-1]
    return 1 + int(new.sum()), int((new & (gaps < near)).sum())


def spread(pieces: np.ndarray, most: int) -> np.ndarray:
    """At most this number of the pieces, from all parts of the page."""
    return pieces[np.linspace(0, len(pieces) - 1, min(most, len(pieces))).astype(int)]


def letters_of(found: Components, pieces: np.ndarray) -> np.ndarray:
    """The pieces that look different on each side: of the size of a letter, and more than a stroke."""
    larger, smaller = np.maximum(found.heights, found.widths)[pieces], np.minimum(found.heights, found.widths)[pieces]
    usual = (larger > 0.5 * found.height) & (larger < 1.5 * found.height)
    return pieces[usual & (smaller > 2 * found.stroke) & (found.areas[pieces] > 0)]


def sureness_of(found: Components, pieces: np.ndarray, sides: np.ndarray, model: Model) -> np.ndarray:
    """(len(sides),) log-probability of the best classes of the pieces, with each side up.

    What is no character, such as two that touch, says nothing of the side: its probability is shared by all classes.
    """
    return _sureness(draw_pieces(found, pieces), sides, model)


def surer_side(found: Components, pieces: np.ndarray, side: int, others: np.ndarray, model: Model) -> int:
    """The side up by which the pieces read best: `side`, unless another one is surer by more than HINT.

    No piece can be surer than certain: a side is given up as soon as the first pieces make it too unlikely.
    """
    glyphs = draw_pieces(found, pieces)
    least = _sureness(glyphs, np.array([side]), model)[0] + HINT
    sureness = np.zeros(len(others))
    for start in range(0, len(glyphs), STEP):
        others, sureness = others[sureness > least], sureness[sureness > least]
        if not len(others):
            return side
        sureness += _sureness(glyphs[start : start + STEP], others, model)
    best = int(np.argmax(sureness))
    return int(others[best]) if sureness[best] > least else side


def draw_pieces(found: Components, pieces: np.ndarray) -> np.ndarray:
    """Pictures of whole pieces, as `draw_glyphs` makes them."""
    atoms = [piece_atom(found, piece) for piece in pieces]
    return draw_glyphs(found, atoms, [Candidate(i, i + 1, atom.box) for i, atom in enumerate(atoms)])


def _sureness(glyphs: np.ndarray, sides: np.ndarray, model: Model) -> np.ndarray:
    turned = np.concatenate([straighten.turn_over(glyphs, side) for side in sides])
    known = len(model.alphabet)
    chances = classify(turned, model)
    best = chances[:, :known].max(1) + chances[:, known:].sum(1) / known
    return np.log(best).reshape(len(sides), -1).sum(1)


def own_side(found: Components, pieces: np.ndarray, model: Model) -> int:
    """Quarter turns after which the pieces of a block are upright; 0 if they do not decide it."""
    letters = letters_of(found, pieces)
    if len(letters) < FEW:
        return 0
    return surer_side(found, spread(letters, SAMPLES[0]), 0, np.arange(1, 4), model)
