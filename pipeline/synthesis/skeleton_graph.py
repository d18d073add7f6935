"""The graph of a skeleton: branches, lines one pixel wide, that meet at junctions."""

import numpy as np
from scipy import ndimage

Pixel = tuple[int, int]  # row, column

NEIGHBOURS = [(-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)]  # straight steps first


def trace(skeleton: np.ndarray) -> tuple[list, list[np.ndarray]]:
    """Cut a skeleton (H, W) bool into branches.

    Returns:
        Branches `(points (K, 2), start, end)`: points are (row, column); `start` and `end` are indices of junctions, or None
        for a free end.
        Junctions (2,): their (row, column).
    """
    skeleton = skeleton.copy()
    crossing = ndimage.convolve(skeleton.astype(int), np.ones((3, 3), int), mode="constant") - 1
    clusters, count = ndimage.label(skeleton & (crossing > 2), np.ones((3, 3)))
    junctions = [np.array(c, float) for c in ndimage.center_of_mass(skeleton, clusters, range(1, count + 1))]
    skeleton[clusters > 0] = False
    parts, number = ndimage.label(skeleton, np.ones((3, 3)))
    branches = []
    for part in range(1, number + 1):
        points = ordered(np.argwhere(parts == part))
        ends = []
        for row, column in (points[0], points[-1]):
            near = clusters[row - 1 : row + 2, column - 1 : column + 2]
            ends.append([int(k) - 1 for k in np.unique(near[near > 0])])
        start, end = ends
        if len(points) == 1:  # a single pixel between junctions touches both with the same pixel
            start, end = start[:1], start[1:]
        elif not start and not end and np.abs(points[0] - points[-1]).max() <= 1:
            points = np.vstack([points, points[:1]])  # a closed loop
        branches.append((points.astype(float), start[0] if start else None, end[0] if end else None))
    return branches, junctions


def ordered(pixels: np.ndarray) -> np.ndarray:
    """Sort the pixels (K, 2) of a line one pixel wide as a pen visits them, from a free end if there is one."""
    left: set[Pixel] = {(row, column) for row, column in pixels.tolist()}

    def neighbours(p: Pixel) -> list[Pixel]:
        return [q for q in ((p[0] + a, p[1] + b) for a, b in NEIGHBOURS) if q in left]

    ends = [p for p in left if len(neighbours(p)) <= 1]
    at = min(ends or left)
    path = [at]
    left.discard(at)
    while following := neighbours(at):
        at = following[0]
        path.append(at)
        left.discard(at)
    return np.array(path)


def drop_spurs(branches: list, radius: list[float]) -> list:
    """Drop branches with one free end that is within about the pen's width of their junction."""
    kept = []
    for points, start, end in branches:
        junction = end if start is None else start
        free = (start is None) != (end is None)
        if not (free and arc_length(points) < 1.15 * radius[junction] + 2):
            kept.append((points, start, end))
    return kept


def merge_junctions(branches: list, junctions: list, radius: list[float]) -> tuple[list, list, list]:
    """Merge two junctions that are connected by a branch shorter than the pen is wide, as in the middle of an X."""
    name = list(range(len(junctions)))
    kept = []
    for points, start, end in branches:
        short = start is not None and end is not None and arc_length(points) < 0.8 * (radius[start] + radius[end])
        if short and name[start] != name[end]:
            old, new = name[end], name[start]
            name = [new if n == old else n for n in name]
        elif not (short and start == end):
            kept.append((points, start, end))
    centres = [
        np.mean([j for j, n in zip(junctions, name) if n == k], axis=0) if k in name else None for k in range(len(junctions))
    ]
    widest = [max([r for r, n in zip(radius, name) if n == k], default=0.0) for k in range(len(junctions))]
    named = [(p, None if s is None else name[s], None if e is None else name[e]) for p, s, e in kept]
    return named, centres, widest


def arc_length(points: np.ndarray) -> float:
    """Length of the line through the points (K, 2)."""
    return float(np.hypot(*np.diff(points, axis=0).T).sum())
