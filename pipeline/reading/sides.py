"""Sides: which side of a page is up, by the pieces that read well as characters."""

from collections.abc import Iterator

import numpy as np

from pipeline.reading import straighten
from pipeline.reading.glyphs import Model, classify, draw_glyphs
from pipeline.reading.layout import Components
from pipeline.reading.segment import Candidate, piece_atom

SAMPLES = 28, 80  # pieces that decide which of four sides of a page is up, and which of two that are hard to tell apart
UPRIGHT = 3.0  # prior log-odds that a photo is the right side up
MIRRORED = -7.0  # prior log-odds that a photo is mirrored or shows the page from behind: one of a thousand
CLEAR = 5.0  # log-odds that decide the side without reading the page both ways
HINT = 1.0  # log-odds of the pieces for another side, above which a page or block is read both ways
FEW = 4  # so few letters do not show the side of their block
PRIOR = np.where(np.arange(8) == 0, UPRIGHT, 0.0) + MIRRORED * np.isin(np.arange(8), straighten.MIRROR_SIDES)


def sides_up(found: Components, model: Model) -> Iterator[int]:
    """The sides, as `straighten.orient` numbers them, that the page's pieces read well by, the likelier first.

    One side, two if it is hard to tell, and a mirrored one if more of the page's pieces read better so: most letters look like
    others in a mirror, so that few pieces say little.
    """
    letters = letters_of(found, np.arange(len(found.areas)))
    if not len(letters):
        yield 0
        return
    sides = np.arange(4)
    for size in SAMPLES:
        sample = spread(letters, size)
        sureness = sureness_of(found, sample, sides, model) + PRIOR[sides]
        best, second = np.argsort(-sureness)[:2]
        if sureness[best] - sureness[second] > CLEAR:
            sides = sides[[best]]
            break
        sides = sides[[best, second]]
    yield from sides.tolist()
    mirrored = np.array([sides[0], *straighten.MIRROR_SIDES])
    sureness = sureness_of(found, spread(letters, SAMPLES[1]), mirrored, model)
    best = int(np.argmax(sureness))
    if sureness[best] - sureness[0] > HINT:
        yield int(mirrored[best])


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
    atoms = [piece_atom(found, piece) for piece in pieces]
    glyphs = draw_glyphs(found, atoms, [Candidate(i, i + 1, atom.box) for i, atom in enumerate(atoms)])
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
    sample = spread(letters, SAMPLES[0])
    if sureness_of(found, sample, np.arange(1), model)[0] > -HINT:
        return 0  # no side can be surer than certain
    sureness = sureness_of(found, sample, np.arange(4), model)
    best = int(np.argmax(sureness))
    return best if sureness[best] - sureness[0] > HINT else 0
