"""Bend: from the skeleton of a character to the strokes a hand makes of it this time."""

import numpy as np

from pipeline.synthesis.options import StrokesOptions

SPACING = 0.04  # distance of a stroke's points, in heights of a capital


def bend(strokes: list[np.ndarray], rng: np.random.Generator, options: StrokesOptions) -> list[np.ndarray]:
    """The strokes (K, 2), each moved on its own, then all together: field, slant, stretch, rotation; then tremor and gaps."""
    pieces = [dense(piece) for stroke in strokes for piece in lift_pen(stroke, rng, options.corner_break)]
    pieces = [nudge(piece, rng, options.shift, options.turn) for piece in pieces]
    lengths = np.cumsum([len(piece) for piece in pieces])[:-1]
    points = np.concatenate(pieces)  # (P, 2)
    points = points + field(points, rng, options.bend)
    points = affine(points, rng, options)
    points = points + tremble(len(points), rng, options.tremor)
    return skip(np.split(points, lengths), rng, options.gap)


def lift_pen(stroke: np.ndarray, rng: np.random.Generator, probability: float) -> list[np.ndarray]:
    """The stroke (K, 2) cut at some of its corners."""
    if len(stroke) < 3 or not probability:
        return [stroke]
    steps = np.diff(stroke, axis=0)
    steps /= np.maximum(np.hypot(*steps.T), 1e-9)[:, None]
    corners = 1 + np.flatnonzero((steps[:-1] * steps[1:]).sum(axis=1) < 0.5)  # turns by more than 60 degrees
    cuts = corners[rng.random(len(corners)) < probability].tolist()
    return [stroke[a : b + 1] for a, b in zip([0, *cuts], [*cuts, len(stroke) - 1])]


def dense(stroke: np.ndarray) -> np.ndarray:
    """The stroke (K, 2) with points SPACING apart."""
    lengths = np.hypot(*np.diff(stroke, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.linspace(0, along[-1], max(2, int(along[-1] / SPACING) + 1))
    return np.stack([np.interp(at, along, stroke[:, 0]), np.interp(at, along, stroke[:, 1])], axis=1)


def nudge(points: np.ndarray, rng: np.random.Generator, shift: float, turn: float) -> np.ndarray:
    """One stroke moved and turned about its own middle."""
    angle = np.radians(rng.normal(0, turn)) if turn else 0.0
    middle = points.mean(axis=0)
    rotate = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (points - middle) @ rotate + middle + rng.normal(0, 1, 2) * shift


def field(points: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Displacements (P, 2) by a smooth random field: a few random plane waves about as long as the character."""
    waves = 4
    frequency = rng.normal(0, 4.0, (2, waves))  # radians per height of a capital
    phase = rng.uniform(0, 2 * np.pi, waves)
    weight = rng.normal(0, 1, (waves, 2)) * (strength * np.sqrt(2 / waves))
    return np.sin(points @ frequency + phase) @ weight


def affine(points: np.ndarray, rng: np.random.Generator, options: StrokesOptions) -> np.ndarray:
    """Slant, stretch and rotation about the middle of a capital."""
    slant, rotation, stretch = rng.normal(0, 1, 3) * (options.slant, np.radians(options.rotation), options.stretch)
    slant, stretch = slant + options.lean, stretch + options.widen
    centre = np.array([points[:, 0].mean(), 0.5])
    shear = np.array([[1.0, 0.0], [-slant, 1.0]])
    scale = np.diag([np.exp(stretch / 2), np.exp(-stretch / 2)])
    rotate = np.array([[np.cos(rotation), np.sin(rotation)], [-np.sin(rotation), np.cos(rotation)]])
    return (points - centre) @ shear @ scale @ rotate + centre


def tremble(count: int, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Displacements (P, 2) of neighbouring points that are alike, as a hand shakes: white noise averaged over three points."""
    white = rng.normal(0, strength, (count + 2, 2))
    return (white[:-2] + white[1:-1] + white[2:]) / np.sqrt(3)


def skip(pieces: list[np.ndarray], rng: np.random.Generator, probability: float) -> list[np.ndarray]:
    """The strokes, one of them perhaps with a gap of a few points."""
    if rng.random() >= probability:
        return pieces
    chosen = int(rng.integers(len(pieces)))
    points = pieces[chosen]
    if len(points) < 12:
        return pieces
    start = int(rng.integers(3, len(points) - 6))
    return [*pieces[:chosen], points[:start], points[start + int(rng.integers(2, 5)) :], *pieces[chosen + 1 :]]
