"""Bend: from the skeletons of characters to strokes that are different each time, as a hand writes; many at once."""

from dataclasses import dataclass

import numpy as np

from pipeline.synthesis.options import StrokesOptions
from pipeline.synthesis.skeletons import SPACING, Skeletons

WAVES = 4  # plane waves of the field that bends a character
REST = 0.12  # length of a piece, in heights of a capital, that the pen writes on both sides of a gap
GAP = (0.06, 0.16)  # length of a gap


@dataclass
class Strokes:
    """The path of the pen for N characters: P points about `SPACING` apart, M pieces between two lifts of the pen.

    Attributes:
        points: (P, 2) float32, (x, y), y down, 0 at the top of a capital and 1 on the line it stands on.
        pieces: (M + 1,) index of the first point of every piece, and P.
        characters: (N + 1,) index of the first point of every character, and P.
    """

    points: np.ndarray
    pieces: np.ndarray
    characters: np.ndarray

    def along(self) -> np.ndarray:
        """How far each point lies along its piece, (P,) float32 from 0 to 1."""
        lengths = np.diff(self.pieces)
        place = np.arange(len(self.points)) - np.repeat(self.pieces[:-1], lengths)
        return (place / np.repeat(np.maximum(lengths - 1, 1), lengths)).astype(np.float32)


def bend(skeletons: Skeletons, chosen: np.ndarray, rng: np.random.Generator, options: StrokesOptions) -> Strokes:
    """Bend the glyphs `chosen` (N,): move each piece, then bend, slant, stretch and rotate the whole, then add tremor."""
    strokes = lift_pen(skeletons, chosen, rng, options.corner_break)
    points = nudge(strokes, rng, options.shift, options.turn)
    owners = np.repeat(np.arange(len(chosen)), np.diff(strokes.characters))
    points += field(points, owners, len(chosen), rng, options.bend)
    points = affine(points, owners, strokes.characters, rng, options)
    points += tremble(len(points), rng, options.tremor)
    return Strokes(points, strokes.pieces, strokes.characters)


def lift_pen(skeletons: Skeletons, chosen: np.ndarray, rng: np.random.Generator, probability: float) -> Strokes:
    """The skeletons of the glyphs, cut at some of their corners."""
    counts = skeletons.glyphs[chosen + 1] - skeletons.glyphs[chosen]
    characters = np.concatenate([[0], np.cumsum(counts)])
    index = np.arange(characters[-1]) + np.repeat(skeletons.glyphs[chosen] - characters[:-1], counts)
    starts, corners = skeletons.starts[index], np.flatnonzero(skeletons.corners[index])
    starts[corners[rng.random(len(corners), np.float32) < probability]] = True
    return Strokes(skeletons.points[index], np.append(np.flatnonzero(starts), len(index)), characters)


def nudge(strokes: Strokes, rng: np.random.Generator, shift: float, turn: float) -> np.ndarray:
    """Points (P, 2) of the pieces, each moved and turned about its own middle."""
    lengths = np.diff(strokes.pieces)
    middle = np.add.reduceat(strokes.points, strokes.pieces[:-1]) / lengths[:, None]  # (M, 2)
    angle = np.radians(turn) * rng.standard_normal(len(lengths), np.float32)
    moved = middle + shift * rng.standard_normal(middle.shape, np.float32)
    x, y = (strokes.points - np.repeat(middle, lengths, axis=0)).T
    cos, sin = np.repeat(np.cos(angle), lengths), np.repeat(np.sin(angle), lengths)
    return np.stack([x * cos - y * sin, x * sin + y * cos], 1) + np.repeat(moved, lengths, axis=0).astype(np.float32)


def field(points: np.ndarray, owners: np.ndarray, count: int, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Displacements (P, 2) by one smooth random field for each character: a few random plane waves about as long as it."""
    frequency = 4 * rng.standard_normal((count, 2, WAVES), np.float32)  # radians per height of a capital
    phase = 2 * np.pi * rng.random((count, WAVES), np.float32)
    weight = strength * np.sqrt(2 / WAVES) * rng.standard_normal((count, 2, WAVES), np.float32)
    wave = np.take(frequency[:, 0], owners, 0) * points[:, :1]  # (P, WAVES)
    wave += np.take(frequency[:, 1], owners, 0) * points[:, 1:]
    wave += np.take(phase, owners, 0)
    np.sin(wave, out=wave)
    return np.stack([(wave * np.take(weight[:, axis], owners, 0)).sum(1, dtype=np.float32) for axis in (0, 1)], 1)


def affine(
    points: np.ndarray, owners: np.ndarray, characters: np.ndarray, rng: np.random.Generator, options: StrokesOptions
) -> np.ndarray:
    """Slant, stretch and rotation of each character about the middle of a capital."""
    count = len(characters) - 1
    slant, rotation, stretch = rng.standard_normal((3, count), np.float32)
    slant, stretch = options.lean + options.slant * slant, options.widen + options.stretch * stretch
    rotation = np.radians(options.rotation) * rotation
    wide, high, cos, sin = np.exp(stretch / 2), np.exp(-stretch / 2), np.cos(rotation), np.sin(rotation)
    matrix = np.stack([wide * cos, -slant * wide * cos - high * sin, wide * sin, high * cos - slant * wide * sin], 1)
    centre = np.stack([np.add.reduceat(points[:, 0], characters[:-1]) / np.diff(characters), np.full(count, 0.5)], 1)
    a, b, c, d = np.take(matrix, owners, 0).T
    centre = np.take(centre, owners, 0).astype(np.float32)
    x, y = (points - centre).T
    return np.stack([a * x + b * y, c * x + d * y], 1) + centre


def tremble(count: int, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Displacements (P, 2) by the shaking of the hand, alike for neighbouring points: white noise averaged over five points."""
    white = strength / np.sqrt(5) * rng.standard_normal((count + 4, 2), np.float32)
    return white[:-4] + white[1:-3] + white[2:-2] + white[3:-1] + white[4:]


def skip(strokes: Strokes, rng: np.random.Generator, probability: float) -> np.ndarray:
    """Mask (P,) of the points that the pen writes: in some of the characters it skips a short part of a piece."""
    written = np.ones(len(strokes.points), bool)
    skipping = np.flatnonzero(rng.random(len(strokes.characters) - 1) < probability)
    low, high = strokes.characters[skipping], strokes.characters[skipping + 1]
    first = rng.integers(low, high)
    last = first + np.rint(rng.uniform(*GAP, len(first)) / SPACING).astype(int)
    piece = np.searchsorted(strokes.pieces, first, "right")
    rest = round(REST / SPACING)
    inside = (first - rest >= strokes.pieces[piece - 1]) & (last + rest < strokes.pieces[piece])
    for a, b in zip(first[inside], last[inside]):
        written[a:b] = False
    return written
