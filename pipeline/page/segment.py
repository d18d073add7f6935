"""Segment: a line of text as a lattice of what could be its characters.

Writing does not say where a character ends: strokes come apart, neighbours touch. A line is therefore cut into atoms, pieces
that are surely no more than one character, and every run of neighbouring atoms that could be one is a candidate. Which
candidates are the characters is left to the search (Casey & Lecolinet 1996, "recognition-based segmentation").
"""

from dataclasses import dataclass
from typing import Iterator, NamedTuple

import numpy as np
from PIL import Image
from scipy.signal import find_peaks

from pipeline.page.layout import Components, Line

GLYPH = 64           # side of the picture a candidate is thickened in
INNER = 48           # larger side of the candidate in it
PEN = 0.10           # pen width, of the larger side, that thin strokes are brought to
MAX_ATOMS = 4        # that make up a character
CUT, CROSS = 1.0, 1.2   # costs in nats of a cut, and for each pen width of ink that it crosses
MOST_INK = 2.7       # pen widths a cut may cross
ASIDE = 0.04         # pen widths; what a cut's step aside costs


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
        box = tuple(int(v) for v in found.boxes[piece])
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


def unite(a: tuple, b: tuple) -> tuple[int, int, int, int]:
    """Box around two boxes."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def cut_atom(found: Components, atom: Atom, height: float, labels: Iterator[int]) -> list[Atom]:
    """Cut an atom where neighbours may touch, along paths that cross little ink, at a cost that grows with that ink.

    The pieces get `labels` of their own in `found.labels`.
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
        pieces.append(Atom((label,), box, CUT + CROSS * crossed if pieces else 0.0))
    return pieces


def find_seams(ink: np.ndarray, stroke: float, height: float) -> list[tuple[float, np.ndarray]]:
    """Paths from top to bottom that cross little ink, found by dynamic programming (Avidan & Shamir 2007).

    Args:
        ink: (H, W) bool.

    Returns:
        (ink crossed in pen widths, (H,) columns) for each, left to right.
    """
    rows, columns = ink.shape
    cost = ink / stroke
    down, up = _accumulate(cost), _accumulate(cost[::-1])[::-1]
    middle = rows // 2
    through = down[middle] + up[middle] - cost[middle]
    margin, spacing = max(2, int(0.1 * height)), max(2, int(0.16 * height))
    if columns <= 2 * margin:
        return []
    valleys = np.full(columns, np.float32(2 * MOST_INK))
    valleys[margin:-margin] = np.minimum(np.round(through[margin:-margin] * 4) / 4, 2 * MOST_INK)
    places, _ = find_peaks(-valleys, distance=spacing, prominence=0.25)      # the middle of each thin place, once
    places = places[through[places] < MOST_INK]
    chosen = places[np.argsort(through[places], kind="stable")][:max(1, round(2.2 * columns / height))]
    seams = []
    for x in sorted(chosen):
        path = np.concatenate([_follow(down[:middle + 1][::-1], x)[::-1], _follow(up[middle:], x)[1:]])
        seams.append((float(through[x]), path))
    return seams


def _accumulate(cost: np.ndarray) -> np.ndarray:
    """(H, W) cost of the cheapest path from the first row to each pixel, straight down or one column aside."""
    total = np.full((cost.shape[0], cost.shape[1] + 2), np.inf, np.float32)      # a column of no way on either side
    total[:, 1:-1] = cost
    for above, row in zip(total[:-1], total[1:]):
        row[1:-1] += np.minimum(above[1:-1], np.minimum(above[:-2], above[2:]) + ASIDE)
    return total[:, 1:-1]


def _follow(total: np.ndarray, x: int) -> np.ndarray:
    """Columns of the cheapest path from column x of the first row on, against the direction of `_accumulate`."""
    path = [x]
    for row in total[1:]:
        steps = [(float(row[at]) + (ASIDE if at != x else 0.0), at) for at in (x, x - 1, x + 1) if 0 <= at < len(row)]
        x = min(steps, key=lambda step: step[0])[1]
        path.append(x)
    return np.array(path)


def find_candidates(atoms: list[Atom], height: float) -> list[Candidate]:
    """Every run of up to MAX_ATOMS neighbouring atoms that could be one character by its size."""
    candidates = []
    for start in range(len(atoms)):
        box, cost = atoms[start].box, 0.0
        for end in range(start + 1, len(atoms) + 1):
            if end > start + 1:
                nxt = atoms[end - 1]
                if nxt.cut == 0.0:      # another piece of ink: the wider the gap, the less likely one character
                    cost += 0.7 + 12 * max(0, nxt.box[0] - box[2]) / height
                box = unite(box, nxt.box)
            whole = atoms[start].cut == 0 and all(atom.cut > 0 for atom in atoms[start + 1:end])
            if end > start + 1 and (box[2] - box[0] > 1.5 * height or cost > 5 or end - start > MAX_ATOMS) and not whole:
                break
            candidates.append(Candidate(start, end, box, cost + size_cost(box, height)))
    return candidates


def size_cost(box: tuple[int, int, int, int], height: float) -> float:
    """How unlikely a character of this size is in a line of that height, in nats."""
    h, w = (box[3] - box[1]) / height, (box[2] - box[0]) / height
    return 8 * max(0.0, 0.65 - h) + 3 * max(0.0, w - 1.6) + 3 * max(0.0, h - 1.5)


def draw_glyphs(found: Components, atoms: list[Atom], candidates: list[Candidate]) -> np.ndarray:
    """Pictures of the candidates as the classifier knows them from a pen of usual width.

    Returns:
        (N, GLYPH, GLYPH) uint8, bright ink, each scaled to the same larger side.
    """
    glyphs = np.zeros((len(candidates), GLYPH, GLYPH), np.uint8)
    thin = np.zeros(len(candidates))
    for i, candidate in enumerate(candidates):
        ids = {label for atom in atoms[candidate.start:candidate.end] for label in atom.ids}
        x0, y0, x1, y1 = candidate.box
        part = found.labels[y0:y1, x0:x1]
        ink = part == ids.pop() if len(ids) == 1 else np.isin(part, list(ids))
        scale = INNER / max(ink.shape)
        size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
        picture = Image.fromarray(ink.astype(np.uint8) * 255).resize(size, Image.BOX if scale < 1 else Image.BILINEAR)
        top, left = (GLYPH - size[1]) // 2, (GLYPH - size[0]) // 2
        glyphs[i, top:top + size[1], left:left + size[0]] = np.asarray(picture)
        thin[i] = PEN * INNER - found.stroke * scale
    for wanted in (0.5, 2.0):       # a step of dilation adds two pixels to a stroke
        chosen = thin > wanted
        glyphs[chosen] = _dilate(glyphs[chosen])
    return glyphs


def _dilate(images: np.ndarray) -> np.ndarray:
    """Grey dilation of (N, H, W) images by one pixel in the four directions."""
    result = images.copy()
    np.maximum(result[:, 1:], images[:, :-1], out=result[:, 1:])
    np.maximum(result[:, :-1], images[:, 1:], out=result[:, :-1])
    np.maximum(result[:, :, 1:], images[:, :, :-1], out=result[:, :, 1:])
    np.maximum(result[:, :, :-1], images[:, :, 1:], out=result[:, :, :-1])
    return result
