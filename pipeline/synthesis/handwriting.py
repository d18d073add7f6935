"""Handwriting: lines of text as pen strokes of one hand of the stroke library, different every time.

All lengths are in heights of a capital letter; x to the right, y down, the base line at y = 0.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from pipeline.common.options import SHARE, Range
from pipeline.synthesis.stroke_library import StrokeLibrary

STEP = 0.02
"""Distance between the points of a stroke."""
CLOSE = ".,:;'!"
"""Signs that stand close behind the character before them."""
ROWS = 24
"""Bands of a letter's height in which the gap to the next letter is measured."""


@dataclass
class Habits:
    """How a hand writes: how steadily, how closely. The ranges are those of the options that extend it."""

    slant: Annotated[float, "lean of the hand, in degrees", Range(0, 30)]
    slant_jitter: Annotated[float, "standard deviation of the lean of single letters, in degrees", Range(0, 15)]
    size_jitter: Annotated[float, "standard deviation of the logarithm of the size of a letter", Range(0, 0.3)]
    bend: Annotated[float, "amplitude of the smooth field that bends each letter", Range(0, 0.2)]
    baseline_jitter: Annotated[float, "standard deviation of the steps in which the base line wanders", Range(0, 0.3)]
    letter_gap: Annotated[float, "mean gap between letters, in heights of a capital", Range(0, 3)]
    word_gap: Annotated[float, "mean gap between words, in heights of a capital", Range(0, 6)]
    gap_jitter: Annotated[float, "standard deviation of the logarithm of each gap", SHARE]
    join: Annotated[float, "share of neighbours in a word that touch", SHARE]


def write_line(library: StrokeLibrary, hand: int, text: str, habits: Habits, rng: np.random.Generator) -> list[np.ndarray]:
    """Write one line with `hand`, which must have all of its characters except the spaces.

    Returns:
        Strokes, each (K, 2) float64 points at most `STEP` apart; the line starts at x = 0.
    """
    return [stroke for strokes in write_characters(library, hand, text, habits, rng) for stroke in strokes]


def write_characters(
    library: StrokeLibrary, hand: int, text: str, habits: Habits, rng: np.random.Generator
) -> list[list[np.ndarray]]:
    """The strokes of `write_line`, a list for each character; that of a space is empty."""
    written: list[list[np.ndarray]] = []
    x, wander, before = 0.0, 0.0, None
    for character in text:
        if character == " ":
            x += (habits.word_gap - habits.letter_gap) * np.exp(rng.normal(0, habits.gap_jitter))
            before = None
            written.append([])
            continue
        glyph = vary(_strokes(library, hand, character, rng), habits, rng)
        gap = habits.letter_gap * np.exp(rng.normal(0, habits.gap_jitter))
        if before is not None and character.isalnum() and rng.random() < habits.join:
            gap = touching_gap(before, glyph)
        elif character in CLOSE:
            gap *= 0.5
        wander = 0.8 * wander + rng.normal(0, habits.baseline_jitter)
        start = x + gap if any(written) else 0.0
        written.append([stroke + (start, wander) for stroke in glyph])
        x = start + max(stroke[:, 0].max() for stroke in glyph)
        before = glyph if character.isalnum() else None
    return written


def _strokes(library: StrokeLibrary, hand: int, character: str, rng: np.random.Generator) -> list[np.ndarray]:
    """The skeleton of a character, a random one if the hand has several."""
    chosen = rng.choice(library.find(hand, character))
    return [stroke - (0, 1) for stroke in library.glyphs[chosen].strokes]


def vary(strokes: list[np.ndarray], habits: Habits, rng: np.random.Generator) -> list[np.ndarray]:
    """Change size, proportions and lean of a letter at random and bend it smoothly; its left edge moves to x = 0."""
    shear = np.tan(np.radians(habits.slant + rng.normal(0, habits.slant_jitter)))
    turn = np.radians(rng.normal(0, habits.slant_jitter / 2))
    size = np.exp(rng.normal(0, habits.size_jitter, 2) * (0.5, 1) + rng.normal(0, habits.size_jitter))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[1, -shear], [0, 1]] @ np.diag(size)
    frequency, phase = rng.uniform(2, 6, (2, 2)), rng.uniform(0, 2 * np.pi, 2)
    varied = []
    for stroke in strokes:
        points = _resample(stroke)
        points = points + habits.bend * np.sin(points @ frequency + phase)
        varied.append(points @ matrix.T)
    left = min(stroke[:, 0].min() for stroke in varied)
    return [stroke - (left, 0) for stroke in varied]


def _resample(stroke: np.ndarray) -> np.ndarray:
    """Points at equal steps along a polyline; its corners are rounded a little."""
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    at = np.linspace(0, along[-1], max(2, int(np.ceil(along[-1] / STEP)) + 1))
    points = np.column_stack([np.interp(at, along, stroke[:, axis]) for axis in (0, 1)])
    return gaussian_filter1d(points, 1.2, axis=0, mode="nearest") if len(points) > 8 else points


def touching_gap(left: list[np.ndarray], right: list[np.ndarray]) -> float:
    """The gap, mostly negative, at which the nearest parts of two letters just overlap."""

    def edge(strokes: list[np.ndarray], sign: int) -> np.ndarray:
        profile = np.full(ROWS, -np.inf)
        points = np.concatenate(strokes)
        bands = np.clip((points[:, 1] + 1.1) / 1.3 * ROWS, 0, ROWS - 1).astype(int)
        np.maximum.at(profile, bands, sign * points[:, 0])
        return profile

    # neighbouring bands count too: a bar a little above an arm would otherwise slide over it
    right_edge, left_edge = maximum_filter1d(edge(left, 1), 5), edge(right, -1)
    width = max(stroke[:, 0].max() for stroke in left)
    reach = (right_edge - width) + left_edge  # how far each band reaches into the gap; -inf where one has no ink
    return reach.max() - 0.01 if np.isfinite(reach.max()) else 0.0
