"""Segment: a line of text as a lattice of what could be its characters.

Writing does not say where a character ends: strokes come apart, neighbours touch. A line is therefore cut into atoms, pieces
that are surely no more than one character, and every run of neighbouring atoms that could be one is a candidate. Which
candidates are the characters is left to the search (Casey & Lecolinet 1996, "recognition-based segmentation").
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.reading.layout import Components, Line
from pipeline.reading.seams import find_seams

MAX_ATOMS = 6  # that make up a character
CROSS = 0.9  # cost in nats of each pen width of ink that a cut crosses
LEAST_CUT = 0.1  # cost of any cut
UNLIKELY = 4.5  # a run of atoms that was cut out is not tried if it and the cuts at both its ends cost this


@dataclass
class Atom:
    """Ink with the labels `ids`. `cut`: cost of the cut at its left; 0 if it is not cut off its neighbour."""

    ids: tuple[int, ...]
    box: tuple[int, int, int, int]
    cut: float = 0.0


class Candidate(NamedTuple):
    """A run of atoms [start, end) of a line as one character, with the cost of taking it as one."""

    start: int
    end: int
    box: tuple[int, int, int, int]
    cost: float


def find_atoms(found: Components, line: Line) -> list[Atom]:
    """Pieces of the line left to right; those that lie above one another are one atom."""
    atoms: list[Atom] = []
    for piece in line.pieces:
        box = as_box(found.boxes[piece])
        atom = Atom((piece + 1,), box)
        while atoms and _belong(atoms[-1].box, atom.box, line.height):
            last = atoms.pop()
            atom = Atom(last.ids + atom.ids, unite(last.box, atom.box))
        atoms.append(atom)
    atoms.sort(key=lambda atom: atom.box[0] + atom.box[2])
    return atoms


def _belong(a: tuple, b: tuple, height: float) -> bool:
    """Whether two pieces surely are of one character: one stands above the other, or within it."""
    overlap = min(a[2], b[2]) - max(a[0], b[0])
    narrow = min(a[2] - a[0], b[2] - b[0])
    both_tall = min(a[3] - a[1], b[3] - b[1]) > 0.7 * height
    return overlap >= (0.8 if both_tall else 0.5) * max(narrow, 1)


def as_box(box: np.ndarray) -> tuple[int, int, int, int]:
    """A row (4,) of an array of boxes."""
    left, top, right, bottom = box.tolist()
    return left, top, right, bottom


def unite(a: tuple, b: tuple) -> tuple[int, int, int, int]:
    """Box around two boxes."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def cut_atom(found: Components, atom: Atom, height: float, cost: float, labels: Iterator[int]) -> list[Atom]:
    """Cut an atom where neighbours may touch, along paths that cross little ink.

    Args:
        cost: of a cut, to which that of the ink that it crosses is added.
        labels: new ones, which the pieces get in `found.labels`.
    """
    x0, y0, x1, y1 = atom.box
    part = found.labels[y0:y1, x0:x1]
    ink = np.isin(part, atom.ids)
    seams = find_seams(ink, found.stroke, height)
    if not seams:
        return [atom]
    region = sum(np.arange(x1 - x0) >= path[:, None] for _, path in seams)
    pieces: list[Atom] = []
    for k, crossed in enumerate([0.0, *(crossed for crossed, _ in seams)]):
        rows, columns = np.nonzero(ink & (region == k))
        if not len(rows):
            continue
        label = next(labels)
        part[rows, columns] = label
        box = (x0 + int(columns.min()), y0 + int(rows.min()), x0 + int(columns.max()) + 1, y0 + int(rows.max()) + 1)
        pieces.append(Atom((label,), box, max(LEAST_CUT, cost + CROSS * crossed) if pieces else 0.0))
    return pieces


def find_candidates(atoms: list[Atom], height: float) -> list[Candidate]:
    """Every run of up to MAX_ATOMS neighbouring atoms that could be one character by its size."""
    candidates = []
    for start in range(len(atoms)):
        box, cost = atoms[start].box, 0.0
        for end in range(start + 1, len(atoms) + 1):
            if end > start + 1:
                nxt = atoms[end - 1]
                if nxt.cut == 0.0:  # another piece of ink: the wider the gap, the less likely one character
                    cost += 0.7 + 12 * max(0, nxt.box[0] - box[2]) / height
                box = unite(box, nxt.box)
            whole = atoms[start].cut == 0 and all(atom.cut > 0 for atom in atoms[start + 1 : end])
            if end > start + 1 and (box[2] - box[0] > 1.5 * height or cost > 5 or end - start > MAX_ATOMS) and not whole:
                break
            candidate = Candidate(start, end, box, cost + size_cost(box, height))
            cuts = atoms[start].cut, atoms[end].cut if end < len(atoms) else 0.0
            if not any(cuts) or candidate.cost + sum(cuts) < UNLIKELY:
                candidates.append(candidate)
    return candidates


def size_cost(box: tuple[int, int, int, int], height: float) -> float:
    """How unlikely a character of this size is in a line of that height, in nats."""
    h, w = (box[3] - box[1]) / height, (box[2] - box[0]) / height
    return 8 * max(0.0, 0.65 - h) + 3 * max(0.0, w - 1.6) + 3 * max(0.0, h - 1.5)
