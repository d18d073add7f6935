"""Layout: from ink to components, and from components to lines of text.

All coordinates are pixels `x0, y0, x1, y1` (the last ones excluded) of an image in which the lines run about level.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from pipeline.seeing.pen import stroke_widths, weighted_median

MEMORY = 6  # pieces of a line that predict where it continues: about a word
BLOT = 3.0  # widths of the pen; no stroke of the pen is thicker


class Components(NamedTuple):
    """Connected pieces of ink: `labels` (H, W) int32, 0 on paper; `boxes` (M, 4) int; `areas` (M,). Piece i has label i + 1."""

    labels: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    stroke: float
    height: float

    @property
    def widths(self) -> np.ndarray:
        return self.boxes[:, 2] - self.boxes[:, 0]

    @property
    def heights(self) -> np.ndarray:
        return self.boxes[:, 3] - self.boxes[:, 1]

    @property
    def large(self) -> np.ndarray:
        """(M,) bool, pieces that are not dropped and on some side longer than half the height of a letter."""
        return (np.maximum(self.heights, self.widths) > 0.5 * self.height) & (self.areas > 0)

    @property
    def ink(self) -> np.ndarray:
        """(H, W) bool, the ink of all pieces that are not dropped."""
        return np.concatenate([[False], self.areas > 0])[self.labels]


def find_components(ink: np.ndarray) -> Components:
    """Label the ink, measure the pen and the writing, and drop pieces too small or too large to be writing."""
    labels, count = ndimage.label(ink, np.ones((3, 3), bool))
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    boxes = np.array([(s[1].start, s[0].start, s[1].stop, s[0].stop) for s in ndimage.find_objects(labels)], int).reshape(-1, 4)
    widths, stroke = stroke_widths(ink, labels, areas)
    blots = widths > BLOT * stroke
    if blots.any():
        labels[np.concatenate([[False], blots])[labels]] = 0
        areas[blots], boxes[blots] = 0, 0
    found = Components(labels, boxes, areas, stroke, 0.0)
    height = text_height(found)
    keep = areas >= max(4.0, 0.4 * stroke**2)
    keep &= found.heights < 5 * height
    keep &= (found.widths < 1.5 * height) | (found.heights > 0.3 * height)  # remains of printed lines, underlining
    keep &= (found.heights < 1.8 * height) | (found.widths > 0.2 * height)
    return Components(labels, np.where(keep[:, None], boxes, 0), np.where(keep, areas, 0), stroke, height)


def text_height(found: Components) -> float:
    """Usual height of the writing: the median height, weighted by the heights so that specks do not matter."""
    heights = found.heights
    usable = heights > 2.5 * found.stroke
    return weighted_median(heights[usable], heights[usable]) if usable.any() else 0.0


def height_of(found: Components, pieces: np.ndarray) -> float:
    """Usual height of some pieces, (M,) bool; 0 without any."""
    return text_height(found._replace(boxes=found.boxes * (pieces & (found.areas > 0))[:, None]))


class Row(NamedTuple):
    """Pieces of one line of text, left to right, and the height of its letters."""

    pieces: list[int]
    height: float


def find_lines(found: Components) -> list[Row]:
    """Group the pieces into lines, top to bottom; lines may be wavy, slanted and of different sizes."""
    tall = np.flatnonzero((found.heights >= 0.4 * found.height) & (found.areas > 0))
    chains = _merge_chains(_chain(found, tall), found)
    lines = [Row(chain, _letter_height(found, chain)) for chain in chains]
    lines = _attach_small(found, lines)
    lines.sort(key=lambda line: float(np.median(_centres(found, line.pieces)[1])))
    return lines


def _centres(found: Components, pieces: list[int] | np.ndarray) -> np.ndarray:
    """Middles of boxes: (2, n), x and y."""
    boxes = found.boxes[pieces]
    return np.stack([boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]]) / 2


def _letter_height(found: Components, pieces: list[int]) -> float:
    heights = found.heights[pieces]
    if len(heights) < 3:
        return float(heights.max())
    return float(np.median(heights[heights >= 0.6 * weighted_median(heights, heights)]))


class _Tails:
    """The last MEMORY pieces of each line, which predict where the line continues.

    A line is followed along a straight line through the middles of its last pieces (ridge regression): letters differ by a
    tenth of their height in place, lines slope by a tenth, so the slope's penalty is one letter height squared.
    """

    def __init__(self, most: int) -> None:
        self.count = 0
        self.middles = np.zeros((most, MEMORY, 2))  # x, y
        self.heights = np.zeros((most, MEMORY))
        self.ends = np.full(most, -np.inf)
        self.lengths = np.zeros(most, int)

    def add(self, line: int, box: np.ndarray) -> None:
        """Append a piece to a line; line number `count` is a new one."""
        x0, y0, x1, y1 = box
        place = self.lengths[line] % MEMORY
        self.middles[line, place] = (x0 + x1) / 2, (y0 + y1) / 2
        self.heights[line, place] = y1 - y0
        self.ends[line] = max(self.ends[line], x1)
        self.lengths[line] += 1
        self.count = max(self.count, line + 1)

    def nearest(self, box: np.ndarray) -> int:
        """The line that a piece continues, or `count` if it begins a new one."""
        if not self.count:
            return 0
        x0, y0, x1, y1 = box
        lines = slice(0, self.count)
        known = np.arange(MEMORY) < np.minimum(self.lengths[lines], MEMORY)[:, None]  # (L, MEMORY)
        count = known.sum(1)
        size = np.maximum(np.where(known, self.heights[lines], 0).max(1), y1 - y0)
        middle = np.where(known[..., None], self.middles[lines], 0).sum(1) / count[:, None]  # (L, 2)
        aside = np.where(known[..., None], self.middles[lines] - middle[:, None], 0)
        slope = (aside[..., 0] * aside[..., 1]).sum(1) / ((aside[..., 0] ** 2).sum(1) + size**2)
        expected = middle[:, 1] + slope * ((x0 + x1) / 2 - middle[:, 0])
        offset = np.abs((y0 + y1) / 2 - expected)
        reach = x0 - self.ends[lines]
        overlap = np.minimum(y1, expected + size / 2) - np.maximum(y0, expected - size / 2)
        fits = (reach < 8 * size) & (overlap > 0.35 * np.minimum(size, y1 - y0)) & (offset < 0.6 * size)
        cost = np.where(fits, offset / size + 0.05 * np.maximum(reach, 0) / size, np.inf)
        best = int(np.argmin(cost))
        return best if np.isfinite(cost[best]) else self.count


def _chain(found: Components, tall: np.ndarray) -> list[list[int]]:
    """Follow the lines from left to right: a piece continues the line that is expected at its height."""
    tails = _Tails(len(tall))
    chains: list[list[int]] = []
    for piece in tall[np.argsort(found.boxes[tall, 0], kind="stable")]:
        line = tails.nearest(found.boxes[piece])
        if line == len(chains):
            chains.append([])
        chains[line].append(int(piece))
        tails.add(line, found.boxes[piece])
    return chains


def _merge_chains(chains: list[list[int]], found: Components) -> list[list[int]]:
    """Join chains that are parts of one line: one ends before the other begins, at the same height."""
    chains = sorted(chains, key=lambda chain: found.boxes[chain[0], 0])
    merged: list[list[int]] = []
    for chain in chains:
        x0 = found.boxes[chain, 0].min()
        start = found.boxes[chain[:4]]
        for other in merged:
            end = found.boxes[other[-4:]]
            size = max((start[:, 3] - start[:, 1]).max(), (end[:, 3] - end[:, 1]).max())
            offset = abs((start[:, 1] + start[:, 3]).mean() - (end[:, 1] + end[:, 3]).mean()) / 2
            if x0 > end[:, 2].max() - 0.5 * size and offset < 0.4 * size:
                other.extend(chain)
                break
        else:
            merged.append(list(chain))
    return merged


def _attach_small(found: Components, lines: list[Row]) -> list[Row]:
    """Assign bars, dots and other small pieces to the line that they lie in; drop those outside of all lines."""
    taken = np.zeros(len(found.areas), bool)
    taken[[piece for line in lines for piece in line.pieces]] = True
    small = np.flatnonzero((found.areas > 0) & ~taken)
    if not lines or not len(small):
        return lines
    x, y = _centres(found, small)
    nearest, least = np.zeros(len(small), int), np.full(len(small), np.inf)
    for number, line in enumerate(lines):
        xs, ys = _centres(found, line.pieces)
        order = np.argsort(xs)
        xs, ys = xs[order], ys[order]
        after = np.clip(np.searchsorted(xs, x), 0, len(xs) - 1)
        aside = np.minimum(np.abs(xs[after] - x), np.abs(xs[np.maximum(after - 1, 0)] - x))
        distance = np.abs(np.interp(x, xs, ys) - y) / line.height + 0.2 * np.maximum(0, aside / line.height - 1.5)
        nearer = distance < least
        nearest[nearer], least[nearer] = number, distance[nearer]
    for piece, number in zip(small[least < 0.75], nearest[least < 0.75]):
        lines[number].pieces.append(int(piece))
    return [Row(sorted(line.pieces, key=lambda p: found.boxes[p, 0]), line.height) for line in lines]
