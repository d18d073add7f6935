"""Decode: the best reading of a line, by beam search over its candidates, the gaps between them and the language."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from pipeline.characters import CLASSES
from pipeline.reading.language import END, LanguageModel, State
from pipeline.reading.segment import Atom, Candidate
from pipeline.reading.widths import width_costs

LEAST = 0.002  # classes less probable than this are not tried
SKIP = 6.0  # cost of leaving out a piece of ink, for each letter height of it
SHARED = 2.5  # cost of a stroke that two characters share: the last atom of one is the first of the next
SHAREABLE = 0.45  # usual widths such an atom may have
MARGIN = 9.0  # hypotheses this much behind the best of the same ink are given up


class Hypothesis(NamedTuple):
    """A reading of the first atoms of a line; `space` tells whether a word gap comes before its last character."""

    score: float
    state: State
    previous: "Hypothesis | None" = None
    candidate: int = -1
    label: int = -1
    space: bool = False


class Lattice(NamedTuple):
    """What a line could be.

    Attributes:
        probabilities: (N, 36), of the candidates' classes.
        spaces: (A,) log-odds of a word gap before each atom.
        height: of the letters.
        width: usual width of a character on the page, in letter heights.
    """

    atoms: list[Atom]
    candidates: list[Candidate]
    probabilities: np.ndarray
    spaces: np.ndarray
    height: float
    width: float


def decode_line(
    lattice: Lattice, start: State, language: LanguageModel | None, weight: float, beam: int
) -> tuple[list[tuple[int, int, bool]], State, float]:
    """Find the best path through the lattice.

    Args:
        start: what the lines before say about this one.
        weight: of the language model's log-probability.
        beam: hypotheses kept for each atom.

    Returns:
        (candidate, label, whether a word gap comes before it) for each character, the state at the line's end, and the score.
    """
    language = language if weight > 0 else None
    options = _options(lattice)
    reached: list[dict[str, Hypothesis]] = [{} for _ in range(len(lattice.atoms) + 1)]
    reached[0][""] = Hypothesis(0.0, start)
    for position, atom in enumerate(lattice.atoms):
        kept = _prune(reached[position].values(), beam)
        skip = _skip_cost(atom, lattice.height)
        if skip is not None:
            for hypothesis in kept:
                _offer(
                    reached[position + 1], hypothesis._replace(score=hypothesis.score - skip, previous=hypothesis, candidate=-1)
                )
        starts = _starts(kept, lattice.spaces[position], language, weight)
        for index, end, characters in options[position]:
            _extend(starts, index, characters, reached[end], language, weight)
    return _trace(reached[-1].values(), language, weight)


def _options(lattice: Lattice) -> list[list[tuple[int, int, list[tuple[int, float]]]]]:
    """For each atom the candidates that start there, or share the atom before: (candidate, end, [(label, score), ...])."""
    options: list[list] = [[] for _ in lattice.atoms]
    usual = lattice.height * lattice.width
    for index, candidate in enumerate(lattice.candidates):
        row = lattice.probabilities[index]
        first = lattice.atoms[candidate.start]
        cost = candidate.cost + first.cut + width_costs((candidate.box[2] - candidate.box[0]) / usual)
        characters = [(int(label), math.log(row[label]) - float(cost[label])) for label in np.flatnonzero(row > LEAST)]
        options[candidate.start].append((index, candidate.end, characters))
        if first.cut > 0 and candidate.end > candidate.start + 1 and first.box[2] - first.box[0] < SHAREABLE * usual:
            more = SHARED - first.cut
            options[candidate.start + 1].append((index, candidate.end, [(label, score - more) for label, score in characters]))
    return options


def _prune(hypotheses: Iterable[Hypothesis], beam: int) -> list[Hypothesis]:
    best = sorted(hypotheses, key=lambda hypothesis: -hypothesis.score)[:beam]
    return [hypothesis for hypothesis in best if hypothesis.score > best[0].score - MARGIN]


def _starts(
    kept: list[Hypothesis], odds: float, language: LanguageModel | None, weight: float
) -> list[tuple[float, State, bool, Hypothesis]]:
    """Each hypothesis with and without a word gap after it: (score, state, gap, hypothesis)."""
    joined, parted = -math.log1p(math.exp(odds)), -math.log1p(math.exp(-odds))
    starts = []
    for hypothesis in kept:
        if hypothesis.label < 0:  # nothing read yet
            starts.append((hypothesis.score, hypothesis.state, False, hypothesis))
            continue
        starts.append((hypothesis.score + joined, hypothesis.state, False, hypothesis))
        gain, state = language.extend(hypothesis.state, END) if language else (0.0, hypothesis.state)
        starts.append((hypothesis.score + parted + weight * gain, state, True, hypothesis))
    return starts


def _extend(
    starts: list,
    index: int,
    characters: list[tuple[int, float]],
    reached: dict[str, Hypothesis],
    language: LanguageModel | None,
    weight: float,
) -> None:
    """Offer every start with every class of a candidate."""
    floor = max((h.score for h in reached.values()), default=-math.inf) - MARGIN
    most = weight * language.most if language else 0.0
    for score, state, gap, hypothesis in starts:
        for label, gain in characters:
            if score + gain + most < floor:
                continue
            if language:
                likely, after = language.extend(state, CLASSES[label])
                _offer(reached, Hypothesis(score + gain + weight * likely, after, hypothesis, index, label, gap))
            else:
                _offer(reached, Hypothesis(score + gain, state, hypothesis, index, label, gap))


def _offer(reached: dict[str, Hypothesis], hypothesis: Hypothesis) -> None:
    """Keep the better of two hypotheses that the language model will hardly tell apart from here on."""
    key = hypothesis.state.word[-6:]
    if key not in reached or reached[key].score < hypothesis.score:
        reached[key] = hypothesis


def _skip_cost(atom: Atom, height: float) -> float | None:
    """Cost of taking the atom as no character; None if it is too large to be left out."""
    larger = max(atom.box[2] - atom.box[0], atom.box[3] - atom.box[1]) / height
    return SKIP * larger if larger < 0.6 and atom.cut == 0 else None


def _trace(
    final: Iterable[Hypothesis], language: LanguageModel | None, weight: float
) -> tuple[list[tuple[int, int, bool]], State, float]:
    """Close the last word and walk back."""
    closed = []
    for hypothesis in final:
        gain, state = language.extend(hypothesis.state, END) if language else (0.0, hypothesis.state)
        closed.append((hypothesis.score + weight * gain, state, hypothesis))
    score, state, best = max(closed, key=lambda entry: entry[0])
    path = []
    while best.previous is not None:
        if best.candidate >= 0:
            path.append((best.candidate, best.label, best.space))
        best = best.previous
    return path[::-1], state, score
