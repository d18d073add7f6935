"""From a filled glyph to the pen strokes that could have written it.

The skeleton of the glyph is cut into branches at its junctions, spurs are dropped, and at each junction the two
branches that continue each other best become one stroke, as a pen would have drawn them.
"""

import numpy as np
from scipy import ndimage
from skimage.measure import approximate_polygon
from skimage.morphology import skeletonize

Pixel = tuple[int, int]  # row, column

NEIGHBOURS = [(-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)]  # straight steps first
STRAIGHT_ON = np.cos(np.radians(130))  # two branches that leave a junction wider apart than this are one stroke


def strokes_from_mask(mask: np.ndarray, tolerance: float = 0.8) -> list[np.ndarray]:
    """Strokes, each (K, 2) float64 points as (x, y) in pixels, of a filled glyph `mask` (H, W) bool."""
    rows, columns = ndimage.find_objects(mask.astype(np.uint8))[0]
    corner = np.array([columns.start, rows.start]) - 2.0
    mask = np.pad(mask[rows, columns], 2)
    inside = ndimage.distance_transform_edt(mask)  # half the width of the pen at each point of the skeleton
    branches, junctions = trace(skeletonize(mask))
    radius = [float(inside[tuple(np.rint(j).astype(int))]) for j in junctions]
    branches = drop_spurs(branches, radius)
    branches, junctions, radius = merge_junctions(branches, junctions, radius)
    strokes = join_branches(branches, junctions, radius)
    return [simplify(s, tolerance)[:, ::-1] + corner for s in strokes if arc_length(s) > 0]


def trace(skeleton: np.ndarray) -> tuple[list, list[np.ndarray]]:
    """Branches `(points (K, 2) as (row, column), start, end)` with indices of junctions or None for a free end; junctions."""
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
    """The pixels (K, 2) of a line one pixel wide in the order a pen visits them, from a free end if there is one."""
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
    """Without the branches with one free end that do not leave the pen's own width around their junction."""
    kept = []
    for points, start, end in branches:
        junction = end if start is None else start
        free = (start is None) != (end is None)
        if not (free and arc_length(points) < 1.15 * radius[junction] + 2):
            kept.append((points, start, end))
    return kept


def merge_junctions(branches: list, junctions: list, radius: list[float]) -> tuple[list, list, list]:
    """One junction for two that a branch shorter than the pen is wide connects: the middle of an X."""
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


def join_branches(branches: list, junctions: list, radius: list[float]) -> list[np.ndarray]:
    """Strokes (K, 2): at each junction pairs of branches that continue each other are joined, the others end there."""
    ends: dict[int, list[tuple[int, int]]] = {}  # junction -> its (branch, side)
    lines = []
    for number, (points, start, end) in enumerate(branches):
        for side, junction in ((0, start), (1, end)):
            if junction is not None:
                ends.setdefault(junction, []).append((number, side))
        lines.append(leave_junctions(points, start, end, radius))
    partner: dict[tuple[int, int], tuple[int, int]] = {}
    for junction, touching in ends.items():
        for a, b in best_pairs(
            [(e, direction(lines[e[0]], e[1], junctions[junction], radius[junction])) for e in touching], only=len(touching) == 2
        ):
            partner[a], partner[b] = b, a
    return chain(lines, branches, junctions, partner)


def leave_junctions(points: np.ndarray, start: int | None, end: int | None, radius: list[float]) -> np.ndarray:
    """The branch without the points so near a junction that the skeleton is bent there by the other strokes."""
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    first = 0.0 if start is None else 0.9 * radius[start]
    last = along[-1] - (0.0 if end is None else 0.9 * radius[end])
    if last - first < 2:
        middle = len(points) // 2
        return points[middle : middle + 1]
    return points[(along >= first) & (along <= last)]


def direction(line: np.ndarray, side: int, junction: np.ndarray, radius: float) -> np.ndarray:
    """Unit vector from the junction along the branch, over about two widths of the pen."""
    points = line if side == 0 else line[::-1]
    reach = min(len(points) - 1, int(2 * radius) + 6)
    vector = points[reach] - junction
    return vector / (np.hypot(*vector) or 1.0)


def best_pairs(ends: list, only: bool) -> list[tuple]:
    """Pairs of ends, the straightest first; two that are alone at their junction always belong together."""
    if only:
        return [(ends[0][0], ends[1][0])]
    costs = sorted((float(u @ v), i, j) for i, (_, u) in enumerate(ends) for j, (_, v) in enumerate(ends) if i < j)
    used: set[int] = set()
    pairs = []
    for cosine, i, j in costs:
        if cosine < STRAIGHT_ON and not {i, j} & used and ends[i][0] != ends[j][0]:
            used |= {i, j}
            pairs.append((ends[i][0], ends[j][0]))
    return pairs


def chain(lines: list, branches: list, junctions: list, partner: dict) -> list[np.ndarray]:
    """Follows the partners from branch to branch: one array (K, 2) a stroke."""
    left = set(range(len(lines)))
    strokes = []
    starts = [(b, s) for b in range(len(lines)) for s in (0, 1) if (b, s) not in partner] + [(b, 0) for b in range(len(lines))]
    for branch, side in starts:
        if branch not in left:
            continue
        pieces = [junction_point(branches[branch][1 + side], junctions)]
        entry: tuple[int, int] | None = (branch, side)
        while entry is not None and entry[0] in left:
            number, side = entry
            left.discard(number)
            pieces.append(lines[number] if side == 0 else lines[number][::-1])
            leaving = (number, 1 - side)
            entry = partner.get(leaving)
            if entry is None:
                pieces.append(junction_point(branches[number][1 + leaving[1]], junctions))
            elif entry[0] not in left:  # a ring that comes back to its beginning
                pieces.append(junction_point(branches[number][1 + leaving[1]], junctions))
        strokes.append(np.vstack([p for p in pieces if len(p)]))
    return strokes


def junction_point(junction: int | None, junctions: list) -> np.ndarray:
    return np.empty((0, 2)) if junction is None else junctions[junction][None]


def simplify(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Smooth, then the fewest points that stay within `tolerance` pixels (Douglas & Peucker 1973)."""
    closed = len(points) > 8 and np.hypot(*(points[0] - points[-1])) < 2
    smooth = ndimage.gaussian_filter1d(points, 2.0, axis=0, mode="wrap" if closed else "nearest")
    smooth[0], smooth[-1] = (smooth[0], smooth[0]) if closed else (points[0], points[-1])
    return approximate_polygon(smooth, tolerance)


def arc_length(points: np.ndarray) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())
