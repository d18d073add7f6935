"""Decode: what a row of cells says, of all that its field allows, and how surely."""

import math
from typing import Any, NamedTuple

import numpy as np

from pipeline.reading.kinds import END
from pipeline.reading.language import Language
from pipeline.reading.pattern import Constraint, matches

BEAM = 64  # texts of a field that are compared
LEAST = 1e-4  # characters less probable than this are not tried
BROKEN = 0.02  # share of the fields in which something is written that the form does not allow


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

    That the writer keeps to what the field allows is likely, not certain: both hypotheses are weighed by what they say of the
    ink (Bayes), every text that the field allows being as likely as any other beforehand, and so every text at all.

    Args:
        rows: for each cell, the first and the last not empty, (len(alphabet),) probabilities of its character; None where it
            is empty: a space.
        language: where words are likelier than other texts; None where they are not.
        weight: of its log-probability.
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
    """The best of the `BEAM` texts that look and sound best, which share the probability that the field's text is allowed."""
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
    """Texts that lead to a state: their probability, their number, and the best of them."""

    mass: float
    texts: float
    best: float
    text: str


def _forward(rows: list[np.ndarray | None], alphabet: str, constraint: Constraint) -> list[dict[Any, _Reached]]:
    """For each number of cells the states that some text of them leads to."""
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
    """Probability of each character of the text at its place, over all texts that are allowed."""
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
