"""Decode: the most probable text of a row of cells among those that are allowed, and its posterior."""

import math
from typing import Any, NamedTuple

import numpy as np

from pipeline.reading.constraint import Constraint, matches
from pipeline.reading.kinds import END
from pipeline.reading.language import Language

BEAM = 64  # texts of a field that the search keeps
LEAST = 1e-4  # characters less probable than this are not tried
BROKEN = 0.02  # prior share of fields with a text that the form does not allow


class Decoded(NamedTuple):
    """Attributes: text; confidence: posterior of the whole text; characters: posterior of each; allowed: by the field."""

    text: str
    confidence: float
    characters: list[float]
    allowed: bool


def decode_cells(
    rows: list[np.ndarray | None],
    alphabet: str,
    constraint: Constraint,
    language: Language | None = None,
    weight: float = 1.0,
) -> Decoded:
    """The most probable text of some cells.

    The writer keeps to the texts that the field allows with a high prior probability, but not always. Both hypotheses are weighed
    by their likelihoods (Bayes): all texts that the field allows are equally likely under the first, all texts under the second.

    Args:
        rows: for each cell (len(alphabet),) probabilities of its character, or None for an empty cell, a space; the first and the
            last cell are not empty.
        language: for fields in which words are more likely than other texts; None for the others.
        weight: of the log-probability of the language.
    """
    if not rows:
        return Decoded("", 1.0, [], True)
    free = "".join(" " if row is None else alphabet[int(row.argmax())] for row in rows)
    sure = [1.0 if row is None else float(row.max()) for row in rows]
    forward = _forward(rows, alphabet, constraint)
    mass = sum(state.mass for key, state in forward[-1].items() if constraint.accepts(key))
    count = sum(state.texts for key, state in forward[-1].items() if constraint.accepts(key))
    written = sum(row is not None for row in rows)
    if mass > 0:
        odds = math.log((1 - BROKEN) / BROKEN) + math.log(mass) + written * math.log(len(alphabet)) - math.log(count)
        kept = 1 / (1 + math.exp(-np.clip(odds, -500, 500)))
    else:
        kept = 0.0
    if kept < 0.5:
        return Decoded(free, (1 - kept) * math.prod(sure), [(1 - kept) * p for p in sure], matches(constraint, free))
    if language is not None and weight > 0:
        return _in_words(rows, alphabet, constraint, language, weight, kept)
    text, best = _best(forward, constraint)
    return Decoded(text, kept * best / mass, _posteriors(rows, alphabet, constraint, forward, text, mass, kept), True)


def _in_words(
    rows: list[np.ndarray | None], alphabet: str, constraint: Constraint, language: Language, weight: float, kept: float
) -> Decoded:
    """The best of the `BEAM` texts with the highest scores, which share the probability that the text is allowed."""
    beam = [(0.0, "", constraint.start(), language.start())]
    for row in rows:
        longer = []
        for score, text, allowed, state in beam:
            for character, p in _choices(row, alphabet):
                after = constraint.step(allowed, character) if p > LEAST else None
                if after is not None:
                    gain, heard = language.gain(state, character), language.advance(state, character)
                    longer.append((score + math.log(p) + weight * gain, text + character, after, heard))
        beam = sorted(longer, key=lambda entry: -entry[0])[:BEAM]
    ends = [
        (score + weight * language.gain(state, END), text) for score, text, allowed, state in beam if constraint.accepts(allowed)
    ]
    if not ends:
        return Decoded("", 0.0, [], False)
    shares = np.exp(np.array([score for score, _ in ends]) - max(score for score, _ in ends))
    shares *= kept / shares.sum()
    text = ends[int(shares.argmax())][1]
    each = [float(sum(share for share, (_, other) in zip(shares, ends) if other[i] == text[i])) for i in range(len(text))]
    return Decoded(text, float(shares.max()), each, True)


class _Reached(NamedTuple):
    """The texts that lead to a state: their probability, their number, and the best one."""

    mass: float
    texts: float
    best: float
    text: str


def _forward(rows: list[np.ndarray | None], alphabet: str, constraint: Constraint) -> list[dict[Any, _Reached]]:
    """For each number of cells, the states that texts of this length lead to."""
    layers: list[dict[Any, _Reached]] = [{constraint.start(): _Reached(1.0, 1.0, 1.0, "")}]
    for row in rows:
        reached: dict[Any, _Reached] = {}
        for state, before in layers[-1].items():
            for character, p in _choices(row, alphabet):
                after = constraint.step(state, character)
                if after is None:
                    continue
                old = reached.get(after, _Reached(0.0, 0.0, -1.0, ""))
                best = before.best * p
                text = before.text + character if best > old.best else old.text
                reached[after] = _Reached(old.mass + before.mass * p, old.texts + before.texts, max(best, old.best), text)
        layers.append(reached)
    return layers


def _choices(row: np.ndarray | None, alphabet: str) -> list[tuple[str, float]]:
    return [(" ", 1.0)] if row is None else list(zip(alphabet, row.tolist()))


def _best(forward: list[dict[Any, _Reached]], constraint: Constraint) -> tuple[str, float]:
    ends = [reached for state, reached in forward[-1].items() if constraint.accepts(state)]
    best = max(ends, key=lambda reached: reached.best)
    return best.text, best.best


def _posteriors(
    rows: list[np.ndarray | None],
    alphabet: str,
    constraint: Constraint,
    forward: list[dict[Any, _Reached]],
    text: str,
    mass: float,
    kept: float,
) -> list[float]:
    """The probability of each character of the text at its place, over all texts that are allowed."""
    after = {state: 1.0 for state in forward[-1] if constraint.accepts(state)}
    posteriors = []
    for place in range(len(rows) - 1, -1, -1):
        before: dict[Any, float] = {}
        here = 0.0
        for state, reached in forward[place].items():
            total = 0.0
            for character, p in _choices(rows[place], alphabet):
                step = constraint.step(state, character)
                share = p * after.get(step, 0.0) if step is not None else 0.0
                total += share
                if character == text[place]:
                    here += reached.mass * share
            before[state] = total
        posteriors.append(kept * here / mass)
        after = before
    return posteriors[::-1]
