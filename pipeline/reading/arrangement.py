"""Arrangement: the lines of a page that holds rows of cells: what is written in a cell, in a comb, and beside them."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from pipeline.reading.blocks import only
from pipeline.reading.cell_rows import CellRow
from pipeline.reading.layout import Components, Row, find_lines
from pipeline.reading.page import Place


class Part(NamedTuple):
    """Of a line: pieces of ink that are read as text, or a comb; `place`: of the cell they stand in."""

    left: float
    row: Row
    comb: CellRow | None
    place: Place | None


def arrange(found: Components, rows: list[Row], cell_rows: list[CellRow]) -> list[list[Part]]:
    """The lines of a page; all of a row of cells is in the line that holds most of what is written in it."""
    line_of = {piece: number for number, row in enumerate(rows) for piece in row.pieces}
    hosts: dict[int, int] = {}
    inside = set()
    for number, cells in enumerate(cell_rows):
        written = [piece for pieces in cells.pieces for piece in pieces if piece in line_of]
        if written:
            hosts[number] = Counter(line_of[piece] for piece in written).most_common(1)[0][0]
            inside.update(written)
    rows = _in_order(rows, cell_rows, hosts)
    hosted: dict[int, list[int]] = {}
    for cell_row, host in hosts.items():
        hosted.setdefault(host, []).append(cell_row)
    lines: list[list[Part]] = []
    for number, row in enumerate(rows):
        free = [piece for piece in row.pieces if piece not in inside]
        beside_each_other = _side_by_side(cell_rows, hosted.get(number, []))
        levels = [[(other, cell_rows[other]) for other in level] for level in beside_each_other]
        if not levels and free:
            lines.append([Part(0.0, row._replace(pieces=free), None, None)])
        middles = np.array([np.mean([cells.boxes[:, 1::2].mean() for _, cells in level]) for level in levels])
        for index, level in enumerate(levels):
            beside = [p for p in free if np.abs(found.boxes[p, 1::2].mean() - middles).argmin() == index]
            lines += _lay_out(found, row._replace(pieces=beside), level)
    return lines


def _in_order(rows: list[Row], cell_rows: list[CellRow], hosts: dict[int, int]) -> list[Row]:
    """Bring what stands side by side in cells into one line, and the rows of a table into one place, the first of theirs.

    Args:
        hosts: number of a row of cells -> number of the line that it belongs to; is changed.
    """
    rows = list(rows)
    for together in _side_by_side(cell_rows, hosts):
        _bring_together(rows, hosts, together)
    for stack in _stacks(cell_rows, hosts):
        places = [hosts[number] for number in stack]
        if any(a >= b for a, b in zip(places, places[1:])):
            _bring_together(rows, hosts, stack)
    return rows


def _side_by_side(cell_rows: list[CellRow], numbers: Iterable[int]) -> list[list[int]]:
    """The rows of cells on one level of a form, from left to right, level below level.

    A form is read across, also where the writing in it forms columns.
    """
    levels: list[list[int]] = []
    for number in sorted(numbers, key=lambda number: float(cell_rows[number].boxes[0, 0])):
        box = cell_rows[number].boxes[0]
        for level in levels:
            last = cell_rows[level[-1]].boxes[-1]
            common = min(box[3], last[3]) - max(box[1], last[1])
            if 2 * common > min(box[3] - box[1], last[3] - last[1]) and box[0] > last[0]:
                level.append(number)
                break
        else:
            levels.append([number])
    return sorted(levels, key=lambda level: float(cell_rows[level[0]].boxes[:, 1].mean()))


def _stacks(cell_rows: list[CellRow], numbers: Iterable[int]) -> list[list[int]]:
    """The rows of cells of each table, from top to bottom."""
    stacks: list[list[int]] = []
    for number in numbers:  # from top to bottom
        x0, y0, x1, y1 = _around(cell_rows[number])
        for stack in stacks:
            left, _, right, bottom = _around(cell_rows[stack[-1]])
            if abs(y0 - bottom) < (y1 - y0) / 2 and min(x1, right) - max(x0, left) > (x1 - x0) / 2:
                stack.append(number)
                break
        else:
            stacks.append([number])
    return stacks


def _bring_together(rows: list[Row], hosts: dict[int, int], group: list[int]) -> None:
    """Put all of the lines that the rows of cells of a group belong to into the first of them; `rows` and `hosts` are changed."""
    places = {hosts[number] for number in group}
    first = min(places)
    for place in places - {first}:
        rows[first] = Row(rows[first].pieces + rows[place].pieces, max(rows[first].height, rows[place].height))
        rows[place] = rows[place]._replace(pieces=[])
    hosts.update({number: first for number, place in hosts.items() if place in places})


def _around(cells: CellRow) -> tuple[float, float, float, float]:
    low, high = cells.boxes[:, :2].min(0), cells.boxes[:, 2:].max(0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _lay_out(found: Components, free: Row, level: list[tuple[int, CellRow]]) -> list[list[Part]]:
    """The line of some rows of cells and what stands beside them; several where a cell holds several lines."""
    lines: list[list[Part]] = [[]]
    for number, cells in level:
        columns = len(cells.boxes)
        if cells.comb:
            lines[0].append(Part(float(cells.boxes[0, 0]), Row([], free.height), cells, Place(number, 0, 1)))
            continue
        for column, pieces in enumerate(cells.pieces):
            for index, row in enumerate(find_lines(only(found, np.array(pieces, int))) if pieces else []):
                if index == len(lines):
                    lines.append([])
                lines[index].append(Part(float(cells.boxes[column, 0]), row, None, Place(number, column, columns)))
    middles = sorted(float(cells.boxes[:, ::2].mean()) for _, cells in level)
    runs: dict[int, list[int]] = {}
    for piece in free.pieces:
        runs.setdefault(int(np.searchsorted(middles, found.boxes[piece, ::2].mean())), []).append(piece)
    for pieces in runs.values():
        lines[0].append(Part(float(found.boxes[pieces, 0].min()), free._replace(pieces=pieces), None, None))
    return [line for line in lines if line]
