"""Things that are not a character but look like one: halves, neighbours, rules, crossings-out, blots and specks.

A page reader cuts lines into pieces and asks for each whether it is a character; for most of them the answer is no.
"""

from collections.abc import Callable

import numpy as np

from pipeline.synthesis.stroke_library import StrokeLibrary

STEP = 0.03
"""Distance between the points of a stroke that is to be cut, in heights of a capital."""

Strokes = list[np.ndarray]  # each (K, 2), in heights of a capital, y down


def draw_nothing(library: StrokeLibrary, split: str, characters: str, count: int, rng: np.random.Generator) -> list[Strokes]:
    """The strokes of `count` things that are not one of the `characters`, written by hands of the split."""
    kinds, weights = list(KINDS), np.array(list(KINDS.values()))
    letters = [character for character in characters if character.isalnum()] or list(characters)

    def write() -> Strokes:
        glyphs, _ = library.shapes(split, str(rng.choice(letters)))
        return library.glyphs[int(rng.choice(glyphs))].strokes

    return [kinds[kind](write, rng) for kind in rng.choice(len(kinds), count, p=weights / weights.sum())]


def half(write: Callable[[], Strokes], rng: np.random.Generator) -> Strokes:
    """A part of a character, most often its left or right side."""
    strokes, axis, side = write(), int(rng.random() < 0.2), rng.choice([-1, 1])
    low, high = _box(strokes)
    at = low[axis] + rng.uniform(0.3, 0.7) * (high[axis] - low[axis])
    parts = _cut([side * stroke for stroke in strokes], axis, side * at)
    return [side * part for part in parts] or strokes[:1]


def pair(write: Callable[[], Strokes], rng: np.random.Generator) -> Strokes:
    """Two neighbours, close or touching; sometimes one of them is only a half."""
    left, right = (half(write, rng) if rng.random() < 0.25 else write() for _ in range(2))
    (_, high), (low, _) = _box(left), _box(right)
    shift = high[0] - low[0] + rng.uniform(-0.08, 0.35), rng.normal(0, 0.04)
    return left + [stroke + shift for stroke in right]


def rule(write: Callable[[], Strokes], rng: np.random.Generator) -> Strokes:
    """Edges of boxes and tables that cross or meet, or a long line with the part of a character that it cuts off."""
    wide, high = rng.uniform(0.4, 2.5), rng.uniform(0.4, 1.8)
    across = np.array([[0, 0], [wide, rng.normal(0, 0.03)]])
    down = np.array([[0, 0], [rng.normal(0, 0.03), high]])
    kind = rng.integers(5)
    if kind == 0:
        return [across + (rng.uniform(-wide, 0), 0), down + (0, rng.uniform(-high, 0))]  # a corner, a tee, a crossing
    if kind == 1:
        return [across, down, down + (wide, 0)]
    if kind == 2:
        return [across, across + (0, high), down, down + (wide, 0)]
    if kind == 3:
        return [across, across + (rng.uniform(-0.2, 0.2), rng.uniform(0.1, 0.3)), *half(write, rng)[:1]]
    return [across * 1.5 + (-0.25 * wide, rng.uniform(0, 1)), *half(write, rng)]


def crossing_out(write: Callable[[], Strokes], rng: np.random.Generator) -> Strokes:
    """One or two characters under lines or a zigzag."""
    strokes = pair(write, rng) if rng.random() < 0.4 else list(write())
    low, high = _box(strokes)
    size = high - low
    if rng.random() < 0.5:
        for _ in range(rng.integers(1, 4)):
            ends = rng.uniform((-0.15, 0.15), (0.1, 0.85)), rng.uniform((0.9, 0.15), (1.15, 0.85))
            strokes.append(low + size * np.array(ends))
    else:
        turns = int(rng.integers(5, 14))
        x = np.linspace(-0.1, 1.1, turns)
        y = np.where(np.arange(turns) % 2, 0.1, 0.9) + rng.normal(0, 0.08, turns)
        strokes.append(low + size * np.column_stack([x, y]))
    return strokes


def blot(write: Callable[[], Strokes], rng: np.random.Generator) -> Strokes:
    """A patch of ink without a shape."""
    points = rng.normal(0, 1, (int(rng.integers(8, 30)), 2)) * rng.uniform(0.05, 0.3, 2)
    return [points]


def specks(write: Callable[[], Strokes], rng: np.random.Generator) -> Strokes:
    """Three or more specks of dirt; fewer could be a sign."""
    touches = rng.uniform(0, rng.uniform(0.2, 1), (int(rng.integers(3, 7)), 1, 2))
    return list(touches + rng.normal(0, 0.03, (len(touches), 2, 2)))


KINDS: dict[Callable[[Callable[[], Strokes], np.random.Generator], Strokes], float] = {
    half: 6,
    pair: 6,
    rule: 2,
    crossing_out: 2,
    blot: 1,
    specks: 1,
}
"""Kinds -> how often each is drawn; most candidates of a lattice that are not a character are halves and neighbours."""


def _box(strokes: Strokes) -> tuple[np.ndarray, np.ndarray]:
    points = np.concatenate(strokes)
    return points.min(axis=0), points.max(axis=0)


def _cut(strokes: Strokes, axis: int, at: float) -> Strokes:
    """The parts of the strokes whose coordinate on the axis is below `at`."""
    parts: Strokes = []
    for stroke in strokes:
        along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
        where = np.linspace(0, along[-1], 2 + int(along[-1] / STEP))
        dense = np.column_stack([np.interp(where, along, stroke[:, k]) for k in (0, 1)])
        inside = dense[:, axis] < at
        changes = np.flatnonzero(np.diff(inside)) + 1
        parts += [part for part, kept in zip(np.split(dense, changes), inside[np.append(0, changes)]) if kept and len(part) > 1]
    return parts
