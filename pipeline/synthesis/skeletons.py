"""All skeletons of a stroke library as one array of points, so that many characters are bent at once."""

from dataclasses import dataclass

import numpy as np

SPACING = 0.025
"""Distance of neighbouring points, in heights of a capital: half the width of the thinnest pen, whose discs then join."""


@dataclass(frozen=True)
class Skeletons:
    """The strokes of G glyphs with points `SPACING` apart, one glyph after the other; a corner is two equal points.

    Attributes:
        points: (P, 2) float32.
        starts: (P,) bool: the first point of a stroke.
        corners: (P,) bool: the second of the two points at a corner, where a hand may lift the pen.
        glyphs: (G + 1,) index of the first point of every glyph, and P.
    """

    points: np.ndarray
    starts: np.ndarray
    corners: np.ndarray
    glyphs: np.ndarray


def make_skeletons(glyphs: list[list[np.ndarray]]) -> Skeletons:
    """Lay out glyphs, each a list of strokes (K, 2), whose neighbouring points may be any distance apart."""
    strokes = [stroke if len(stroke) > 1 else np.repeat(stroke, 2, axis=0) for glyph in glyphs for stroke in glyph]
    points = np.concatenate(strokes)
    first = np.zeros(len(points), bool)  # of a stroke
    first[np.cumsum([0] + [len(stroke) for stroke in strokes[:-1]])] = True

    steps = np.diff(points, axis=0, prepend=points[:1])  # to each point from the one before
    steps[first] = 0
    lengths = np.hypot(*steps.T)
    unit = steps / np.maximum(lengths, 1e-9)[:, None]
    turns = np.append((unit[1:] * unit[:-1]).sum(axis=1), 1.0) < 0.5  # at this point, by more than 60 degrees
    last = np.append(first[1:], True)
    corner = turns & ~first & ~last

    twice = np.repeat(np.arange(len(points)), 1 + corner)  # each corner ends a piece and begins one
    second = np.append(False, twice[1:] == twice[:-1])
    begins = first[twice] | second
    along = np.cumsum(np.where(second, 0, lengths[twice]) + begins)  # a step of 1 parts the pieces
    start = np.flatnonzero(begins)
    end = np.append(start[1:], len(twice)) - 1
    counts = np.maximum(2, ((along[end] - along[start]) / SPACING).astype(int) + 1)
    at = np.concatenate([[0], np.cumsum(counts)])
    place = (np.arange(at[-1]) - np.repeat(at[:-1], counts)) / np.repeat(counts - 1, counts)  # from 0 to 1
    where = np.repeat(along[start], counts) + place * np.repeat(along[end] - along[start], counts)
    dense = np.stack([np.interp(where, along, points[twice, axis]) for axis in (0, 1)], axis=1).astype(np.float32)

    starts, corners = np.zeros(len(dense), bool), np.zeros(len(dense), bool)
    starts[at[:-1]], corners[at[:-1]] = ~second[start], second[start]
    of_glyph = np.cumsum([0] + [len(glyph) for glyph in glyphs])  # strokes
    bounds = np.append(np.flatnonzero(starts), len(dense))[of_glyph]
    return Skeletons(dense, starts, corners, bounds)
