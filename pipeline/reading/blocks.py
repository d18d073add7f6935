"""Blocks: the parts of a page that are read one after the other, such as columns, and the order of their lines.

A page is cut at white space, across and down in turn (recursive XY-cut, Nagy & Seth 1984, "Hierarchical representation of
optically scanned documents"). Blocks that then lie side by side are either columns of text, which are read one after the other,
or columns of a table, which is read row by row.
"""

import numpy as np

from pipeline.reading.layout import Components, Row, find_lines
from pipeline.reading.sides import spread

RIVER = 2.5  # letter heights; white space of this width separates columns: gaps between words are 0.6 to 2.2 wide
NARROW = 1.0  # the same if there is another sign of two columns; a gap between two letters is narrower
SPACED = 3.0  # gaps between letters; the same on pages whose letters stand far apart
SAMPLE = 300  # letters whose gap to the next one is measured: specks may be tens of thousands
TWO_LINES = 2.2  # letter heights; a lower block is one line, in which every gap between words runs all the way down
WORD_GAP = 0.8  # letter heights; between the gaps within words, 0.3 in the mean, and those between them, 1.3
SAME_ROW = 0.5  # letter heights; most that the middles of two lines of one row differ
SIDE_BY_SIDE = 0.7  # share of the lines of the shorter column that have a line of the other column in their row


def find_rows(found: Components) -> list[Row]:
    """The lines of a level page in reading order: block by block, or row by row where blocks are columns of a table."""
    columns = [find_lines(only(found, pieces)) for pieces in find_blocks(found)]
    merged: list[list[Row]] = []
    for lines in columns:
        if merged and _are_rows(found, merged[-1], lines):
            merged[-1] = _join_rows(found, merged[-1], lines)
        else:
            merged.append(lines)
    return [line for lines in merged for line in lines]


def only(found: Components, pieces: np.ndarray) -> Components:
    """The components of the page without all other pieces."""
    kept = np.zeros(len(found.areas), bool)
    kept[pieces] = True
    return found._replace(areas=np.where(kept, found.areas, 0))


def find_blocks(found: Components, river: float = RIVER) -> list[np.ndarray]:
    """The pieces of each block, (n,) int, in reading order.

    Args:
        river: width in letter heights of the white space that separates two columns.
    """
    pieces = np.flatnonzero(found.areas > 0)
    if not len(pieces) or not found.height:
        return []
    return _cut(found, pieces, max(river * found.height, SPACED * letter_gap(found)))


def letter_gap(found: Components) -> float:
    """Usual gap in pixels between a letter and the next one to its right; 0 without any."""
    letters = np.flatnonzero((found.heights > 0.5 * found.height) & (found.areas > 0))
    x0, y0, x1, y1 = found.boxes[letters].T
    left, top, right, bottom = found.boxes[spread(letters, SAMPLE)].T[:, :, None]
    common = np.minimum(bottom, y1) - np.maximum(top, y0)
    follows = (common > 0.5 * np.minimum(y1 - y0, bottom - top)) & (x0 + x1 > left + right)
    gaps = np.where(follows, x0 - right, np.inf).min(axis=1, initial=np.inf)
    return float(np.median(np.maximum(gaps[np.isfinite(gaps)], 0))) if np.isfinite(gaps).any() else 0.0


def _cut(found: Components, pieces: np.ndarray, river: float) -> list[np.ndarray]:
    boxes = found.boxes[pieces]
    if boxes[:, 3].max() - boxes[:, 1].min() < TWO_LINES * found.height:
        return [pieces]
    wide = _widest_gap(boxes[:, 0], boxes[:, 2])
    if wide is not None and wide[0] >= river:
        left = boxes[:, 2] <= wide[1]
        if all(span(boxes[side]) >= TWO_LINES * found.height for side in (left, ~left)):
            return _cut(found, pieces[left], river) + _cut(found, pieces[~left], river)
    high = _widest_gap(boxes[:, 1], boxes[:, 3])
    if high is None:
        return [pieces]
    above = boxes[:, 3] <= high[1]
    upper, lower = _cut(found, pieces[above], river), _cut(found, pieces[~above], river)
    return [pieces] if len(upper) == len(lower) == 1 else upper + lower


def span(boxes: np.ndarray) -> float:
    """Height of the pieces with these boxes together."""
    return float(boxes[:, 3].max() - boxes[:, 1].min())


def _widest_gap(starts: np.ndarray, ends: np.ndarray) -> tuple[float, float] | None:
    """Width and start of the widest gap between the intervals; None if there is none."""
    order = np.argsort(starts, kind="stable")
    reached = np.maximum.accumulate(ends[order])[:-1]
    gaps = starts[order][1:] - reached
    if not len(gaps) or gaps.max() <= 0:
        return None
    widest = int(np.argmax(gaps))
    return float(gaps[widest]), float(reached[widest])


def _are_rows(found: Components, left: list[Row], right: list[Row]) -> bool:
    """Whether two blocks are columns of one table: side by side, line beside line, and at least one is not running text."""
    if not left or not right or min(_span(found, right)[0]) < max(_span(found, left)[1]) - found.height:
        return False
    partners = _partners(found, left, right)
    if len(partners) < SIDE_BY_SIDE * min(len(left), len(right)):
        return False
    return not (_runs_on(found, left) and _runs_on(found, right))


def _span(found: Components, lines: list[Row]) -> tuple[list[int], list[int]]:
    """Left and right ends of the lines."""
    boxes = [found.boxes[line.pieces] for line in lines]
    return [int(box[:, 0].min()) for box in boxes], [int(box[:, 2].max()) for box in boxes]


def _middle(found: Components, line: Row) -> float:
    boxes = found.boxes[line.pieces]
    return float(np.median(boxes[:, 1] + boxes[:, 3])) / 2


def _partners(found: Components, left: list[Row], right: list[Row]) -> dict[int, int]:
    """Index of a line of the right block -> index of the line of the left block in the same row."""
    middles = np.array([_middle(found, line) for line in left])
    partners: dict[int, int] = {}
    for index, line in enumerate(right):
        distances = np.abs(middles - _middle(found, line))
        nearest = int(np.argmin(distances))
        if distances[nearest] < SAME_ROW * found.height and nearest not in partners.values():
            partners[index] = nearest
    return partners


def _runs_on(found: Components, lines: list[Row]) -> bool:
    """Whether at least half of the lines hold several words."""
    several = 0
    for line in lines:
        boxes = found.boxes[line.pieces]
        gap = _widest_gap(boxes[:, 0], boxes[:, 2])
        several += gap is not None and gap[0] > WORD_GAP * line.height
    return several >= len(lines) / 2


def _join_rows(found: Components, left: list[Row], right: list[Row]) -> list[Row]:
    partners = _partners(found, left, right)
    rows = list(left)
    for index, line in enumerate(right):
        if index in partners:
            own = rows[partners[index]]
            rows[partners[index]] = Row(own.pieces + line.pieces, max(own.height, line.height))
        else:
            rows.append(line)
    return sorted(rows, key=lambda line: _middle(found, line))
