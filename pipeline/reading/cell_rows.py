"""Cell rows: the cells of a page side by side, with the ink in them: combs, tables, single boxes."""

from typing import NamedTuple

import numpy as np

from pipeline.reading.cell_runs import UNEVEN, Run, continue_runs, find_chains, group_by_height, place_odds, run_odds
from pipeline.reading.layout import Components
from pipeline.reading.straighten import View
from pipeline.seeing.cells import SLIM, Cells

OWN = 0.75  # least share of a piece within the cell that it belongs to; others are cut at the borders of the cells
KEPT = 0.75  # least share of the letters in a row of cells that are in one cell each: on squared paper they are not
SINGLE = 0.7  # share of the cells in which something is written that hold one character, where each is for one


class CellRow(NamedTuple):
    """Cells side by side in a view, and the ink in them.

    Attributes:
        boxes: (n, 4) float x0, y0, x1, y1, from left to right.
        pieces: for each cell the numbers of the pieces of ink in it.
        comb: whether each cell is for one character.
    """

    boxes: np.ndarray
    pieces: list[list[int]]
    comb: bool


def find_cell_rows(cells: Cells, found: Components, view: View) -> list[CellRow]:
    """The rows of cells that are not empty, in a level view, from top to bottom."""
    to_view = np.linalg.inv(view.to_photo) @ cells.to_photo
    boxes = _boxes(cells.corners, to_view)
    if np.median(boxes[:, 3] - boxes[:, 1]) < found.height:
        return []  # squared paper: most letters are larger than a square
    owner, share = _owners(cells, found, np.linalg.inv(to_view))
    letters = found.large
    runs: list[Run] = []
    for chains in group_by_height(find_chains(boxes), boxes):
        here = letters & (owner > 0) & np.isin(owner - 1, [cell for chain in chains for cell in chain])
        if here.any() and np.mean(share[here] > OWN) >= KEPT:
            inside = [[np.flatnonzero((owner == cell + 1) & (share > 0.5)).tolist() for cell in chain] for chain in chains]
            runs += [(boxes[chain], pieces) for chain, pieces in zip(chains, inside)]
    rows = [_row(*run, found) for run in continue_runs(runs, found, letters)]
    return sorted(rows, key=lambda row: float(row.boxes[:, 1].mean()))


def _row(boxes: np.ndarray, pieces: list[list[int]], found: Components) -> CellRow:
    """A comb, where a line between two of its cells was not seen with both of them, or a row of a table."""
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    usual = float(np.median(widths))
    line = max(0.0, float(np.median(boxes[1:, 0] - boxes[:-1, 2]))) if len(boxes) > 1 else 0.0  # its width, or a gap
    ratios = (widths + line) / (usual + line)
    times = np.maximum(np.rint(ratios), 1)
    filled = np.array([bool(inside) for inside in pieces])
    if len(boxes) < 2 or usual > SLIM * np.median(heights) or (np.abs(ratios - times) > UNEVEN)[filled].any():
        return CellRow(boxes, pieces, False)
    edges = [np.linspace(box[0], box[2], int(count) + 1) for box, count in zip(boxes, times)]
    split = np.array([(x0, box[1], x1, box[3]) for box, xs in zip(boxes, edges) for x0, x1 in zip(xs, xs[1:])])
    written = [piece for inside in pieces for piece in inside]
    middles = (found.boxes[written, 0] + found.boxes[written, 2]) / 2
    places = np.abs(middles[:, None] - (split[:, 0] + split[:, 2]) / 2).argmin(1)
    apart = [[piece for piece, place in zip(written, places) if place == cell] for cell in range(len(split))]
    single = [_count_characters(found.boxes[inside], found.height) <= 1 for inside in apart if inside]
    return CellRow(split, apart, True) if np.mean(single) > SINGLE else CellRow(boxes, pieces, False)


def centred(rows: list[CellRow], found: Components) -> float:
    """Log-odds that the characters in combs were written into their cells, against cells that just lie under them.

    Who fills in a cell aims at its middle; on squared paper a letter may stand anywhere in a square.
    """
    return float(sum(run_odds((row.boxes, row.pieces), found).sum() for row in rows if row.comb))


def cell_odds(cells: Cells, boxes: np.ndarray, to_cells: np.ndarray) -> float:
    """Log-odds by their places that letters, boxes (N, 4), were written into cells; those outside of all cells do not count.

    Args:
        to_cells: (3, 3), takes (x, y, 1) of the boxes to `cells.labels`.
    """
    middles = (boxes[:, :2] + boxes[:, 2:]).T / 2
    at = _cell_at(cells, middles, to_cells)
    own = cells.corners[at[at > 0] - 1]  # (n, 4, 2)
    x, y, w = to_cells @ np.vstack([middles[:, at > 0], np.ones(len(own))])
    miss = (np.stack([x / w, y / w], axis=1) - own.mean(axis=1)) / np.ptp(own, axis=1)
    return float(np.sum(place_odds(miss)))


def slope_of(cells: Cells) -> float:
    """The rotation in degrees, counter-clockwise, from -45 to 45, that makes the cells level or upright."""
    along = cells.corners[:, 1] - cells.corners[:, 0]
    turns = np.rad2deg(np.arctan2(along[:, 1], along[:, 0]))
    return float(np.median((turns + 45) % 90 - 45))


def in_cells(cells: Cells, found: Components, view: View) -> np.ndarray:
    """(M,) bool, the pieces of a view whose middles lie in a cell."""
    middles = (found.boxes[:, :2] + found.boxes[:, 2:]).T / 2
    return (_cell_at(cells, middles, np.linalg.inv(cells.to_photo) @ view.to_photo) > 0) & (found.areas > 0)


def _cell_at(cells: Cells, places: np.ndarray, to_cells: np.ndarray) -> np.ndarray:
    """(N,) number of the cell at each place (2, N) x, y, 0 outside of all cells; `to_cells` takes (x, y, 1) to `cells.labels`."""
    x, y, w = to_cells @ np.vstack([places, np.ones(places.shape[1])])
    height, width = cells.labels.shape
    x, y = (np.clip(np.floor(v / w).astype(int), 0, most - 1) for v, most in ((x, width), (y, height)))
    return cells.labels[y, x]


def _owners(cells: Cells, found: Components, to_cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(M,) number of the cell that holds most of each piece, 0 if it is outside of all cells, and (M,) the share in the cell."""
    rows, columns = np.nonzero(found.labels)
    pieces = found.labels[rows, columns] - 1
    at = _cell_at(cells, np.stack([columns + 0.5, rows + 0.5]), to_cells)
    pairs, counts = np.unique(pieces * (len(cells.corners) + 1) + at, return_counts=True)
    piece, cell = np.divmod(pairs, len(cells.corners) + 1)
    order = np.argsort(counts, kind="stable")
    owner, most = np.zeros(len(found.areas), int), np.zeros(len(found.areas))
    owner[piece[order]], most[piece[order]] = cell[order], counts[order]  # of several, the last one stays
    share = most / np.maximum(np.bincount(pieces, minlength=len(found.areas)), 1)
    return np.where(found.areas > 0, owner, 0), share


def _boxes(corners: np.ndarray, to_view: np.ndarray) -> np.ndarray:
    """(n, 4) boxes in a view that are as large as the cells, (n, 4, 2): nearly level sides made level."""
    moved = np.concatenate([corners, np.ones((len(corners), 4, 1))], axis=2) @ to_view.T
    x, y = np.sort(moved[..., 0] / moved[..., 2], axis=1), np.sort(moved[..., 1] / moved[..., 2], axis=1)
    return np.stack([x[:, :2].mean(1), y[:, :2].mean(1), x[:, 2:].mean(1), y[:, 2:].mean(1)], axis=1)


def _count_characters(boxes: np.ndarray, height: float) -> int:
    """Number of large pieces side by side; pieces that overlap horizontally count as one."""
    large = boxes[(boxes[:, 2:] - boxes[:, :2]).max(1) > 0.5 * height]
    large = large[np.argsort(large[:, 0])]
    reached = np.maximum.accumulate(large[:, 2])
    return 1 + int((large[1:, 0] > reached[:-1]).sum()) if len(large) else 0
