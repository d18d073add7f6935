"""Seams: paths along which a piece of ink may be cut into characters that touch."""

import numpy as np

MOST_INK = 2.7  # pen widths of ink that a seam may cross
ASIDE = 0.04  # pen widths; cost of a step of the seam to the side
MARGIN = 0.15  # letter heights; least distance of a seam from the ends of the ink,
SPACING = 0.17  # and from another seam
CROWD = 4  # most seams within half a letter height


def find_seams(ink: np.ndarray, stroke: float, height: float) -> list[tuple[float, np.ndarray]]:
    """Paths from top to bottom that cross little ink, found by dynamic programming (Avidan & Shamir 2007).

    Args:
        ink: (H, W) bool.

    Returns:
        (ink crossed in pen widths, (H,) columns) for each, left to right.
    """
    rows, columns = ink.shape
    cost = ink / stroke
    down, up = accumulate(cost), accumulate(cost[::-1])[::-1]
    middle = rows // 2
    through = down[middle] + up[middle] - cost[middle]
    margin = max(2, int(MARGIN * height))
    if columns <= 2 * margin:
        return []
    chosen: list[int] = []
    for x in margin + np.argsort(np.round(through[margin:-margin] * 4), kind="stable"):  # the edges of a wide thin place too
        apart = np.abs(np.array(chosen) - x) / height
        if through[x] < MOST_INK and (apart >= SPACING).all() and (apart < 0.5).sum() < CROWD:
            chosen.append(int(x))
    seams = []
    for x in sorted(chosen):
        path = np.concatenate([follow(down[: middle + 1][::-1], x)[::-1], follow(up[middle:], x)[1:]])
        seams.append((float(through[x]), path))
    return seams


def accumulate(cost: np.ndarray) -> np.ndarray:
    """(H, W) cost of the cheapest path from the first row to each pixel, straight down or one column aside."""
    total = np.full((cost.shape[0], cost.shape[1] + 2), np.inf, np.float32)  # a column without a path on each side
    total[:, 1:-1] = cost
    for above, row in zip(total[:-1], total[1:]):
        row[1:-1] += np.minimum(above[1:-1], np.minimum(above[:-2], above[2:]) + ASIDE)
    return total[:, 1:-1]


def follow(total: np.ndarray, x: int) -> np.ndarray:
    """Columns of the cheapest path that begins in column x of the first row, against the direction of `accumulate`."""
    path = [x]
    for row in total[1:]:
        steps = [(float(row[at]) + (ASIDE if at != x else 0.0), at) for at in (x, x - 1, x + 1) if 0 <= at < len(row)]
        x = min(steps, key=lambda step: step[0])[1]
        path.append(x)
    return np.array(path)
