"""Cell runs: cells side by side in a view, from left to right: what is of one row of a form or table."""

import numpy as np

from pipeline.reading.layout import Components
from pipeline.seeing.cells import ALIKE, SLIM, THIN

APART = 0.6  # heights of a cell; the boxes of one comb are closer to each other than those of two fields
UNEVEN = 0.3  # usual widths; by which cells for one character each differ, or two that were seen as one from two of them
MISS = 0.12  # sides of a cell; standard deviation of the place of a character in it: on filled forms it is 0.05 to 0.15
CONTINUED = 3.0  # least log-odds that letters beside a run of cells are in cells: one label of twenty is as regular

Run = tuple[np.ndarray, list[list[int]]]
"""The boxes (n, 4) of cells side by side, and the pieces in each."""


def find_chains(boxes: np.ndarray) -> list[list[int]]:
    """The boxes of each row from left to right: each has its nearest neighbour of about the same height and level."""
    heights, widths = boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]
    order = [cell for cell in np.argsort(boxes[:, 0]).tolist() if widths[cell] > THIN * heights[cell]]
    follows: dict[int, int] = {}
    for cell in order:
        lower = np.minimum(heights, heights[cell])
        common = np.minimum(boxes[:, 3], boxes[cell, 3]) - np.maximum(boxes[:, 1], boxes[cell, 1])
        gaps = boxes[:, 0] - boxes[cell, 2]
        near = (common > ALIKE * lower) & (lower > ALIKE * np.maximum(heights, heights[cell]))
        near &= (np.abs(gaps) < APART * heights[cell]) & (boxes[:, 0] > boxes[cell, 0]) & (widths > THIN * heights)
        if near.any():
            follows[cell] = int(np.argmin(np.where(near, gaps, np.inf)))
    chains = []
    for cell in order:
        if cell in follows.values():
            continue
        chain = [cell]
        while chain[-1] in follows:
            chain.append(follows[chain[-1]])
        chains.append(chain)
    return chains


def group_by_height(chains: list[list[int]], boxes: np.ndarray) -> list[list[list[int]]]:
    """The chains whose cells are about as high as each other."""
    heights = [float(np.median(boxes[chain, 3] - boxes[chain, 1])) for chain in chains]
    groups: list[list[list[int]]] = []
    lowest = np.inf
    for index in np.argsort(heights)[::-1].tolist():
        if heights[index] < ALIKE * lowest or not groups:
            groups.append([])
            lowest = heights[index]
        groups[-1].append(chains[index])
    return groups


def continue_runs(runs: list[Run], found: Components, letters: np.ndarray) -> list[Run]:
    """The runs that hold something, those of which only some cells were seen as a whole, each piece in one of them.

    Args:
        letters: (M,) bool, the pieces that may stand in a cell.
    """
    whole: list[Run] = []
    free = found.areas > 0
    for run in sorted(runs, key=lambda run: -len(run[0])):
        own = [piece for inside in run[1] for piece in inside]
        longer = _continued(run, found, letters, free) if own and free[own].all() else None
        if longer:
            whole.append(longer)
            free[[piece for inside in longer[1] for piece in inside]] = False
    return whole


def _continued(run: Run, found: Components, letters: np.ndarray, free: np.ndarray) -> Run | None:
    """The run, with cells whose lines were not seen: where the next ones would be, letters stand as in cells.

    None if writing goes on beside it, and neither that nor what is in the run stands clearly in cells.
    """
    boxes, pieces = run
    middles = boxes[:, ::2].mean(axis=1)
    pitch = float(np.median(np.diff(middles))) if len(boxes) > 1 else float(boxes[0, 2] - boxes[0, 0])
    if pitch > 2 * SLIM * np.median(boxes[:, 3] - boxes[:, 1]):
        return run
    others = free.copy()
    others[[piece for inside in pieces for piece in inside]] = False
    x, y = (found.boxes[:, :2] + found.boxes[:, 2:]).T / 2
    for end, step in ((-1, pitch), (0, -pitch)):
        level = letters & others & (y > boxes[end, 1]) & (y < boxes[end, 3])
        new, odds = _next_cells(boxes[end], step, x[level]) if pieces[end] else ([], [])
        if len(odds) < 2 and not (odds and len(boxes) == 1):  # one letter alone may be the last of a label
            continue
        goes_on = sum(odds) >= CONTINUED
        if len(boxes) == 1 or not (goes_on or run_odds((boxes, pieces), found)[0] >= CONTINUED):
            return None
        if not goes_on:  # a label beside a comb
            continue
        inside = [np.flatnonzero(others & (x > b[0]) & (x < b[2]) & (y > b[1]) & (y < b[3])).tolist() for b in new]
        boxes = np.concatenate([boxes, new] if end else [new[::-1], boxes])
        pieces = pieces + inside if end else inside[::-1] + pieces
    return boxes, pieces


def _next_cells(box: np.ndarray, step: float, x: np.ndarray) -> tuple[list[np.ndarray], list[float]]:
    """The boxes beside a box, as long as a letter stands near the middle of the next one or of the next but one.

    Args:
        x: (N,) the middles of the letters on its level.

    Returns:
        the boxes, and for each letter its `place_odds`.
    """
    boxes: list[np.ndarray] = []
    odds: list[float] = []
    while True:
        for count in (1, 2):
            away = x - box[::2].mean() - count * step
            near = away[np.abs(away) < abs(step) / 4]
            if len(near):
                break
        else:
            return boxes, odds
        if count == 2 and not boxes:
            return [], []  # the writing does not go on
        off = float(near.mean())
        odds.append(float(place_odds(off / step)))
        for _ in range(count):  # it follows the letters half of the way: no pitch is quite known
            box = box + np.array([1, 0, 1, 0]) * (step + off / 2 / count)
            boxes.append(box)


def run_odds(run: Run, found: Components) -> np.ndarray:
    """(2,) log-odds by place across and down that the characters of a run were written into its cells, against anywhere."""
    odds = np.zeros(2)
    for box, pieces in zip(*run):
        if pieces:
            own = found.boxes[pieces]
            ends = np.stack([own[:, :2].min(axis=0), own[:, 2:].max(axis=0)])
            odds += place_odds((ends.mean(axis=0) - (box[:2] + box[2:]) / 2) / (box[2:] - box[:2]))
    return odds


def place_odds(miss: np.ndarray | float) -> np.ndarray | float:
    """Log-odds that a character so many sides of a cell off its middle was written into it, against anywhere, for each axis."""
    return -((miss / MISS) ** 2) / 2 - np.log(MISS * np.sqrt(2 * np.pi))
