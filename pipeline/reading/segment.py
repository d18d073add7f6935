"""Segment: cut a line of text into the candidates for its characters.

Writing does not show where a character ends: strokes come apart, neighbours touch. So a line is cut into atoms, which are at
most one character each, and every run of neighbouring atoms that may be a character is a candidate. The search decides which
candidates are characters (Casey & Lecolinet 1996, "recognition-based segmentation").
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pipeline.reading.layout import Components, Row
from pipeline.reading.seams import find_seams

MAX_ATOMS = 6  # parts of a character, whole pieces of ink or parts that were cut: `%` has three, a broken or cut E up to five
WIDEST = 2.2  # letter heights; an `M` or `W` of the widest hands; wider runs are not tried
LARGE = 0.3  # letter heights; a piece that is smaller in both directions does not count for the gaps between letters

Box = tuple[int, int, int, int]


class Atom(NamedTuple):
    """Ink with the labels `ids`. `crossed`: pen widths of ink on the cut at its left; None if there is no cut."""

    ids: tuple[int, ...]
    box: Box
    crossed: float | None = None


class Candidate(NamedTuple):
    """A run of atoms [start, end) of a line as one character.

    Attributes:
        joined: number of its pieces of ink, less one.
        apart: sum of the gaps between the pieces, in letter heights.
        beside: sum over the pieces of the share of the narrower one that is not above or below the others.
    """

    start: int
    end: int
    box: Box
    joined: int = 0
    apart: float = 0.0
    beside: float = 0.0


def find_atoms(found: Components, line: Row) -> list[Atom]:
    """Pieces of the line from left to right, by their middles: an accent or a bar is next to its letter."""
    atoms = [piece_atom(found, piece) for piece in line.pieces]
    return sorted(atoms, key=lambda atom: (atom.box[0] + atom.box[2], atom.box))


def piece_atom(found: Components, piece: int) -> Atom:
    """A whole piece of ink."""
    x0, y0, x1, y1 = found.boxes[piece].tolist()
    return Atom((int(piece) + 1,), (x0, y0, x1, y1))


def unite(a: Box, b: Box) -> Box:
    """Box around two boxes."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def cut_atom(found: Components, atom: Atom, height: float, labels: Iterator[int]) -> list[Atom]:
    """Cut an atom along paths that cross little ink, where neighbours may touch.

    Args:
        labels: new labels, which the parts get in `found.labels`.
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
        pieces.append(Atom((label,), box, crossed if pieces else None))
    return pieces


def find_candidates(atoms: list[Atom], height: float, whole: set[tuple[int, int]]) -> list[Candidate]:
    """Every run of up to MAX_ATOMS neighbouring atoms that could be one character by its size.

    Args:
        whole: runs that are one piece of ink; they are always candidates.
    """
    candidates = []
    begins = [atom.crossed is None for atom in atoms] + [True]  # a piece of ink begins here, or the one before ends
    for start in range(len(atoms)):
        box, joined, apart, beside = atoms[start].box, 0, 0.0, 0.0
        for end in range(start + 1, len(atoms) + 1):
            if end > start + 1:
                nxt = atoms[end - 1]
                if nxt.crossed is None:  # another piece of ink
                    overlap = min(box[2], nxt.box[2]) - max(box[0], nxt.box[0])
                    narrow = max(min(box[2] - box[0], nxt.box[2] - nxt.box[0]), 1)
                    joined += 1
                    apart += max(0, -overlap) / height
                    beside += 1 - max(0, overlap) / narrow
                box = unite(box, nxt.box)
            pieces = (
                joined + 1 if begins[start] and begins[end] else end - start
            )  # cuts do not count where a run is of whole pieces
            small = box[2] - box[0] <= WIDEST * height and pieces <= MAX_ATOMS
            if end == start + 1 or small or (start, end) in whole:
                candidates.append(Candidate(start, end, box, joined, apart, beside))
            elif box[2] - box[0] > WIDEST * height and not any(a == start and b > end for a, b in whole):
                break
    return candidates


def letter_gaps(atoms: list[Atom], height: float) -> np.ndarray:
    """(G,) gaps in letter heights between likely characters: large pieces, where pieces above one another count as one."""
    boxes: list[Box] = []
    for atom in atoms:
        box = atom.box
        if max(box[2] - box[0], box[3] - box[1]) < LARGE * height or (atom.crossed is not None and boxes):
            continue
        narrow = min(boxes[-1][2] - boxes[-1][0], box[2] - box[0]) if boxes else 0
        if boxes and min(boxes[-1][2], box[2]) - max(boxes[-1][0], box[0]) > narrow / 2:
            boxes[-1] = unite(boxes[-1], box)
        else:
            boxes.append(box)
    return np.array([max(0, b[0] - a[2]) / height for a, b in zip(boxes, boxes[1:])])
