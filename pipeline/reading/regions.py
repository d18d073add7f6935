"""Regions: the parts of a page that do not lie as most of it does, such as a note in the margin or a slanting label."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from pipeline.reading import straighten
from pipeline.reading.blocks import NARROW, TWO_LINES, find_blocks, only, span
from pipeline.reading.glyphs import Model
from pipeline.reading.lattice import Lattice
from pipeline.reading.layout import Components, find_components, find_lines
from pipeline.reading.page import Line
from pipeline.reading.sides import FEW, letters_of, own_side, sureness_of
from pipeline.reading.skew import SLIGHT, skew_of
from pipeline.seeing.ink import INK

WORD_GAPS = 1.5, 0.8  # letter heights; words of a label are closer to each other, and to other ink only at times
FINE = 8  # pixels of a letter's height in which gaps are measured
LARGEST = 1.8  # letter heights; two letters that touch are smaller
ANOTHER_SIDE = 8.0  # prior log-odds that a block lies as its page does


class Part(NamedTuple):
    """A reading of the pieces of a page that lie alike, its place and its score."""

    lines: list[Line]
    view: straighten.View
    score: float
    lattices: list[Lattice]


Reading = Callable[[np.ndarray, float], Part]  # of some pieces, after a rotation in degrees, counter-clockwise


def part_by_region(found: Components, model: Model, reading: Reading) -> tuple[np.ndarray, list[Part]]:
    """Separate the pieces that lie as most of the page does from those that read better on another side or at another slope.

    Returns:
        the pieces of the page, and the readings of the other regions.
    """
    main, turned = _part_by_side(found, model, reading)
    left, slanting = _part_by_slope(only(found, main), WORD_GAPS, model, reading)
    return left, turned + slanting


def _part_by_side(found: Components, model: Model, reading: Reading) -> tuple[np.ndarray, list[Part]]:
    """Separate blocks that have another side up.

    A note in the margin may be closer to the text than two columns are to each other: a narrow gap separates them if they read
    better apart.
    """
    main, others = [], []
    blocks = find_blocks(found)
    for block in blocks:
        parts = find_blocks(only(found, block), NARROW)
        if len(blocks) == len(parts) == 1:
            return block, []  # its side is that of the page
        own = [own_side(found, part, model) for part in parts]
        turned = [reading(part, 90 * turns) for part, turns in zip(parts, own) if turns]
        if not turned:
            main.append(block)
            continue
        same = [part for part, turns in zip(parts, own) if not turns]
        apart = sum(part.score - ANOTHER_SIDE for part in turned) + sum(reading(part, 0).score for part in same)
        if apart > reading(block, 0).score:
            main += same
            others += turned
        else:
            main.append(block)
    return (np.concatenate(main), others) if main else (np.flatnonzero(found.areas > 0), [])


def _part_by_slope(found: Components, gaps: tuple[float, ...], model: Model, reading: Reading) -> tuple[np.ndarray, list[Part]]:
    """Separate groups of letters whose lines slope, as the labels of a drawing do; a group is one label, or several in it are.

    A line that is level, and a few letters, which do not show where their line runs, stay with the page.
    """
    groups = find_groups(found, gaps[0]) if gaps else []
    if len(groups) < 2:  # the slope of the whole is measured by the caller; narrower gaps may still divide it
        return _part_by_slope(found, gaps[1:], model, reading) if gaps else (np.flatnonzero(found.areas > 0), [])
    left, slanting = [], list[Part]()
    for group in groups:
        own, level, parts = only(found, group), group, list[Part]()
        if span(found.boxes[group]) > TWO_LINES * found.height and len(letters_of(own, group)) > FEW:
            level, parts = _part_by_slope(own, gaps[1:], model, reading)
            if part := _read_slanting(own, group, model, reading):
                apart = sum(inner.score - ANOTHER_SIDE for inner in parts) + (reading(level, 0).score if len(level) else 0.0)
                if part.score - ANOTHER_SIDE > apart:
                    level, parts = level[:0], [part]
        left.append(level)
        slanting += parts
    return np.concatenate(left), slanting


def _read_slanting(found: Components, group: np.ndarray, model: Model, reading: Reading) -> Part | None:
    """The reading of a group along its own lines; None if they are level, or its pieces read better as they lie."""
    slope = skew_of(found)
    if abs(slope) < SLIGHT:
        return None
    level = turn(found, slope)
    letters = letters_of(level, np.flatnonzero(level.areas > 0))
    turns = own_side(level, letters, model)
    if _sureness(level, letters, turns, model) < _sureness(found, letters_of(found, group), 0, model):
        return None
    slope += 90 * turns
    return reading(group, slope + slope_of_lines(turn(found, slope) if turns else level))


def _sureness(found: Components, letters: np.ndarray, turns: int, model: Model) -> float:
    """Mean log-probability of the best classes of letters after quarter turns."""
    return float(sureness_of(found, letters, np.array([turns]), model)[0]) / max(1, len(letters))


def turn(found: Components, degrees: float) -> Components:
    """The pieces, rotated counter-clockwise."""
    return find_components(straighten.rotate(straighten.View(np.uint8(255) * found.ink, np.eye(3)), degrees).pixels > INK)


def slope_of_lines(found: Components) -> float:
    """Slope in degrees of the lines of text, downwards positive, by least squares through the middles of their letters."""
    up, aside = 0.0, 0.0
    for line in find_lines(found):
        x0, y0, x1, y1 = found.boxes[line.pieces][found.heights[line.pieces] > 0.5 * line.height].T
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        up += float(((x - x.mean()) * (y - y.mean())).sum())
        aside += float(((x - x.mean()) ** 2).sum())
    return float(np.rad2deg(np.arctan2(up, aside)))


def find_groups(found: Components, gap: float) -> list[np.ndarray]:
    """Pieces with gaps between them that are smaller than `gap` letter heights, (n,) int for each group.

    Pieces that are larger than letters are no bridge between them: one group holds them all.
    """
    pieces = np.flatnonzero(found.areas > 0)
    letters = pieces[np.maximum(found.heights, found.widths)[pieces] < LARGEST * found.height]
    step = max(1, int(found.height / FINE))
    ink = np.asarray(Image.fromarray(only(found, letters).ink).convert("L").reduce(step)) > 0
    near = ndimage.label(ndimage.maximum_filter(ink, max(1, round(gap * found.height / step))))[0]
    group_of = np.zeros(len(found.areas), int)
    for piece in letters:
        x0, y0, x1, _ = found.boxes[piece]
        x = x0 + int(np.argmax(found.labels[y0, x0:x1] == piece + 1))
        group_of[piece] = near[y0 // step, x // step]
    return [pieces[group_of[pieces] == number] for number in np.unique(group_of[pieces])]
