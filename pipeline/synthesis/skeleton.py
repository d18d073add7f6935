"""From a filled glyph to the pen strokes that could have written it.

The skeleton of the glyph is cut into branches at its junctions (`skeleton_graph`). At each junction, the two branches that
continue each other best become one stroke, as a pen would have drawn them.
"""

import numpy as np
from scipy import ndimage
from skimage.measure import approximate_polygon
from skimage.morphology import skeletonize

from pipeline.synthesis.skeleton_graph import arc_length, drop_spurs, merge_junctions, trace

STRAIGHT_ON = np.cos(np.radians(130))  # branches that leave a junction at a wider angle continue each other


def strokes_from_mask(mask: np.ndarray, tolerance: float = 0.8) -> list[np.ndarray]:
    """The strokes of a filled glyph `mask` (H, W) bool: arrays (K, 2) float64 of points (x, y) in pixels."""
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


def join_branches(branches: list, junctions: list, radius: list[float]) -> list[np.ndarray]:
    """Join, at each junction, the pairs of branches that continue each other; return the strokes (K, 2)."""
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
    """Drop the points near a junction, where the other strokes bend the skeleton; return the rest of the branch."""
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    first = 0.0 if start is None else 0.9 * radius[start]
    last = along[-1] - (0.0 if end is None else 0.9 * radius[end])
    if last - first < 2:
        middle = len(points) // 2
        return points[middle : middle + 1]
    return points[(along >= first) & (along <= last)]


def direction(line: np.ndarray, side: int, junction: np.ndarray, radius: float) -> np.ndarray:
    """Unit vector from the junction along the branch, measured over about two widths of the pen."""
    points = line if side == 0 else line[::-1]
    reach = min(len(points) - 1, int(2 * radius) + 6)
    vector = points[reach] - junction
    return vector / (np.hypot(*vector) or 1.0)


def best_pairs(ends: list, only: bool) -> list[tuple]:
    """Pairs of ends that continue each other, the straightest first; `only`: two ends, which are a pair whatever their angle."""
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
    """Follow the partners from branch to branch; return one array (K, 2) for each stroke."""
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
    """The junction as an array (1, 2), or an empty one (0, 2) for a free end."""
    return np.empty((0, 2)) if junction is None else junctions[junction][None]


def simplify(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Smooth the line, then keep the fewest points that stay within `tolerance` pixels of it (Douglas & Peucker 1973)."""
    closed = len(points) > 8 and np.hypot(*(points[0] - points[-1])) < 2
    smooth = ndimage.gaussian_filter1d(points, 2.0, axis=0, mode="wrap" if closed else "nearest")
    smooth[0], smooth[-1] = (smooth[0], smooth[0]) if closed else (points[0], points[-1])
    return approximate_polygon(smooth, tolerance)
