"""Dots: the one mark beside letters and digits that is kept, after a digit, as in `1.` and `3.14`."""

import numpy as np

from pipeline.characters import CLASSES
from pipeline.reading.layout import Components, Line
from pipeline.reading.segment import Atom, Candidate

SMALL = 0.3  # of the letters' height; what is smaller is a dot or a speck
ENUMERATED = 0.1  # a letter that begins a line and has a dot behind it is this much less likely than a digit
DIGITS = np.array([character.isdigit() for character in CLASSES])


def take_dots(found: Components, line: Line) -> tuple[Line, list[tuple[int, int, int, int]]]:
    """The line without its small pieces, and the boxes of those that could be dots: compact and well inked."""
    dots, rest = [], []
    for piece in line.pieces:
        x0, y0, x1, y1 = (int(v) for v in found.boxes[piece])
        larger, smaller = max(x1 - x0, y1 - y0), min(x1 - x0, y1 - y0)
        if larger >= SMALL * line.height:
            rest.append(piece)
        elif larger < 2.5 * smaller and smaller > 0.4 * found.stroke:
            dots.append((x0, y0, x1, y1))
    return (line._replace(pieces=rest), dots) if rest else (line, [])


def place_dots(atoms: list[Atom], dots: list[tuple[int, int, int, int]], height: float) -> dict[int, tuple]:
    """Which atoms have a dot at their foot, right behind them: index of the atom -> box of the dot."""
    placed: dict[int, tuple] = {}
    for dot in dots:
        middle, low = (dot[0] + dot[2]) / 2, (dot[1] + dot[3]) / 2
        before = [i for i, atom in enumerate(atoms) if (atom.box[0] + atom.box[2]) / 2 < middle]
        if not before:
            continue
        box = atoms[before[-1]].box
        right_behind = -0.1 * height <= dot[0] - box[2] < 0.9 * height
        at_foot = -0.3 * height < low - box[3] < 0.35 * height
        if right_behind and at_foot:
            placed[before[-1]] = dot
    return placed


def expect_digits(probabilities: np.ndarray, candidates: list[Candidate], dots: dict[int, tuple]) -> np.ndarray:
    """(N, 36) probabilities where what begins the line and has a dot behind it rather is a digit: an enumeration."""
    first = min(dots, default=None)
    if first is None or first > 2:
        return probabilities
    changed = probabilities.copy()
    for index, candidate in enumerate(candidates):
        if candidate.end == first + 1:
            changed[index, ~DIGITS] *= ENUMERATED
            changed[index] /= changed[index].sum()
    return changed
