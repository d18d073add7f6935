"""Lattice: the features of everything that could be in a line, and their scores under the weights.

A path is a sequence of characters, each a run of atoms with a label, of atoms left out, and of gaps, which may be gaps between
words. Its score is linear in its features (a semi-Markov conditional random field, Sarawagi & Cohen 2004).
"""

from typing import NamedTuple

import numpy as np

from pipeline.reading.geometry import Frame
from pipeline.reading.line_model import LineModel, Weights
from pipeline.reading.segment import Atom, Candidate
from pipeline.reading.words import FARTHEST, LIMIT, Gaps, log_odds

LEAST = 1e-3  # probability by shape and size; a less probable class is not tried
STEP = 0.02  # letter heights; step of the table of gaps


class Lattice(NamedTuple):
    """The candidates of a line with their features: N candidates, A atoms, C classes.

    Attributes:
        shape, width, level: (N, C) log-probabilities of the classifier, log-likelihood ratios of the geometry.
        pieces: (N, 6) features joined, apart, beside, cut, crossed and touching of each candidate.
        left_out: (A, 6) features skip, skip_size, skip_nothing, cut, crossed and touching of each atom if it is left out.
        odds: (T,) log-odds that a gap separates words, by its width in steps of STEP.
    """

    atoms: list[Atom]
    candidates: list[Candidate]
    height: float
    shape: np.ndarray
    width: np.ndarray
    level: np.ndarray
    pieces: np.ndarray
    left_out: np.ndarray
    odds: np.ndarray


def build_lattice(
    atoms: list[Atom],
    candidates: list[Candidate],
    probabilities: np.ndarray,
    frame: Frame,
    width: float,
    touching: float,
    gaps: Gaps,
    model: LineModel,
) -> Lattice:
    """Collect the features of a line.

    Args:
        probabilities: (N, C) or (N, C + 1) of the classes of the candidates; the last column is for "not a character".
        width: usual width of a character on the page, in letter heights.
        touching: log-odds that neighbours of this page touch.
    """
    classes, height = len(model.characters), frame.height
    log = np.log(np.maximum(probabilities, 1e-9))
    nothing = np.zeros(len(atoms))
    if probabilities.shape[1] > classes:
        for row, candidate in zip(log, candidates):
            if candidate.end == candidate.start + 1:
                nothing[candidate.start] = row[classes]
    cuts = np.array([(0.0, 0.0, 0.0) if atom.crossed is None else (1.0, atom.crossed, touching) for atom in atoms])
    joins = np.array([(c.joined, c.apart, c.beside) for c in candidates])
    sizes = [max(a.box[2] - a.box[0], a.box[3] - a.box[1]) / height for a in atoms]
    widths, levels = model.geometry.log_ratios(frame.place(np.array([c.box for c in candidates]), width))
    return Lattice(
        atoms,
        candidates,
        height,
        log[:, :classes],
        widths,
        levels,
        np.hstack([joins, cuts[[c.start for c in candidates]]]),
        np.hstack([np.ones((len(atoms), 1)), np.array(sizes)[:, None], nothing[:, None], cuts]),
        log_odds(np.arange(0, FARTHEST, STEP), gaps),
    )


def score_labels(lattice: Lattice, weights: Weights) -> list[list[tuple[int, float]]]:
    """For each candidate, (label, score) of the classes that are tried, the best first."""
    w = weights
    own = lattice.pieces @ (w.joined, w.apart, w.beside, w.cut, w.crossed, w.touching) + w.character  # (N,)
    scores = w.shape * lattice.shape + w.width * lattice.width + w.level * lattice.level
    likely = scores > np.maximum(np.log(LEAST), scores.max(axis=1, keepdims=True) + np.log(LEAST))
    chosen = []
    for row, mask, extra in zip(scores, likely, own):
        labels = np.flatnonzero(mask)
        labels = labels[np.argsort(-row[labels], kind="stable")]
        chosen.append([(int(label), float(row[label] + extra)) for label in labels])
    return chosen


def score_skips(lattice: Lattice, weights: Weights) -> list[float]:
    """For each atom, the score of leaving it out."""
    w = weights
    return (lattice.left_out @ (w.skip, w.skip_size, w.skip_nothing, w.cut, w.crossed, w.touching)).tolist()


def score_gaps(lattice: Lattice) -> tuple[list[float], list[float]]:
    """Log-probabilities that a gap is within a word, and that it is between words, by its width in STEP; the last: at a cut."""
    odds = np.append(lattice.odds, -LIMIT)
    return (-np.logaddexp(0, odds)).tolist(), (-np.logaddexp(0, -odds)).tolist()
