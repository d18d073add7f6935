"""Combs: read the writing in the cells of a page cell by cell, and the writing beside them as text."""

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pipeline.reading.blocks import only
from pipeline.reading.cells import CellRow
from pipeline.reading.constraint import Allowed, Constraint
from pipeline.reading.decode import Decoded, decode_cells
from pipeline.reading.glyphs import Model, classify, draw_glyphs
from pipeline.reading.language import Language
from pipeline.reading.lattice import Lattice
from pipeline.reading.layout import Components, Row, find_lines
from pipeline.reading.lines import read_lines
from pipeline.reading.models import Models
from pipeline.reading.options import OcrOptions
from pipeline.reading.page import Character, Line, Place, Word
from pipeline.reading.segment import Atom, Candidate

OWN = 0.75  # least share of a piece within the cell that it belongs to; other pieces are cut at the borders of the cells
SPECK = 0.2  # heights of a cell; smaller ink, in both directions, is a speck
ALTERNATIVES, LEAST = 3, 0.01  # other characters that are named, and the probability from which on they are

Box = tuple[int, int, int, int]


class Cell(NamedTuple):
    """A character in its cell.

    Attributes:
        ink: (h, w) bool.
        box: x0, y0, x1, y1 of the ink.
    """

    ink: np.ndarray
    box: Box


class _Part(NamedTuple):
    """Of a line: pieces of ink that are read as text, or a comb; `place`: of the cell they stand in."""

    left: float
    row: Row
    comb: CellRow | None
    place: Place | None


def read_rows(
    found: Components,
    rows: list[Row],
    cell_rows: list[CellRow],
    models: Models,
    options: OcrOptions,
    constraint: Constraint | None = None,
) -> tuple[list[Line], float, list[Lattice]]:
    """Read the lines of a view as `read_lines` does; a comb is one word, and no text continues from one cell to the next.

    Args:
        rows: the lines, as they would be if there were no cells.
    """
    lines = _arrange(found, rows, cell_rows) if cell_rows else []
    if not lines:
        return read_lines(found, rows, models, options, constraint)
    parts = [part for line in lines for part in line]
    texts = [part for part in parts if part.comb is None]
    combs = [part for part in parts if part.comb is not None]
    cells = [comb_cells(part.comb, found) for part in combs if part.comb]
    given = classify_cells([cell for comb in cells for cell in comb if cell], found.stroke, models.characters)
    rows = [part.row for part in texts]
    read, score, lattices = read_lines(found, rows, models, options, constraint) if rows else ([], 0.0, [])
    words = _match(found, texts, read)
    probabilities = iter(given)
    for part, comb in zip(combs, cells):
        words[id(part)], gain = _read_comb(
            comb, [next(probabilities) if cell else None for cell in comb], models, options, constraint
        )
        score += gain
    made = [
        [replace(word, place=part.place) for part in sorted(line, key=lambda part: part.left) for word in words.get(id(part), [])]
        for line in lines
    ]
    return [Line(line) for line in made if line], score, lattices


def _arrange(found: Components, rows: list[Row], cell_rows: list[CellRow]) -> list[list[_Part]]:
    """The lines with all of a row of cells in the one that holds most of it."""
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
    lines: list[list[_Part]] = []
    for number, row in enumerate(rows):
        free = [piece for piece in row.pieces if piece not in inside]
        levels = _levels([(other, cell_rows[other]) for other in hosted.get(number, [])])
        if not levels and free:
            lines.append([_Part(0.0, row._replace(pieces=free), None, None)])
        middles = np.array([np.mean([cells.boxes[:, 1::2].mean() for _, cells in level]) for level in levels])
        for index, level in enumerate(levels):
            beside = [p for p in free if np.abs(found.boxes[p, 1::2].mean() - middles).argmin() == index]
            lines += _lay_out(found, row._replace(pieces=beside), level)
    return lines


def _in_order(rows: list[Row], cell_rows: list[CellRow], hosts: dict[int, int]) -> list[Row]:
    """Bring the rows of each table, and what stands beside them, into one place, the first, where they are not in order.

    Args:
        hosts: number of a row of cells -> number of the line that it belongs to; is changed.
    """
    rows = list(rows)
    stacks: list[list[int]] = []
    for number in hosts:  # from top to bottom
        x0, y0, x1, y1 = _around(cell_rows[number])
        for stack in stacks:
            left, _, right, bottom = _around(cell_rows[stack[-1]])
            if abs(y0 - bottom) < (y1 - y0) / 2 and min(x1, right) - max(x0, left) > (x1 - x0) / 2:
                stack.append(number)
                break
        else:
            stacks.append([number])
    for stack in stacks:
        places = [hosts[number] for number in stack]
        if all(a < b for a, b in zip(places, places[1:])):
            continue
        first = min(places)
        for place in set(places) - {first}:
            rows[first] = Row(rows[first].pieces + rows[place].pieces, max(rows[first].height, rows[place].height))
            rows[place] = rows[place]._replace(pieces=[])
        moved = {place: first for place in places}
        hosts.update({number: moved.get(place, place) for number, place in hosts.items()})
    return rows


def _around(cells: CellRow) -> tuple[float, float, float, float]:
    low, high = cells.boxes[:, :2].min(0), cells.boxes[:, 2:].max(0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _levels(cell_rows: list[tuple[int, CellRow]]) -> list[list[tuple[int, CellRow]]]:
    """Rows of cells that stand beside each other, top to bottom; those below another are other lines."""
    levels: list[list[tuple[int, CellRow]]] = []
    for number, cells in sorted(cell_rows, key=lambda entry: float(entry[1].boxes[:, 1].mean())):
        if levels and cells.boxes[:, 1].mean() < levels[-1][0][1].boxes[:, 1::2].mean():
            levels[-1].append((number, cells))
        else:
            levels.append([(number, cells)])
    return levels


def _lay_out(found: Components, free: Row, level: list[tuple[int, CellRow]]) -> list[list[_Part]]:
    """The line of some rows of cells and what stands beside them; several where a cell holds several lines."""
    lines: list[list[_Part]] = [[]]
    for number, cells in level:
        columns = len(cells.boxes)
        if cells.comb:
            lines[0].append(_Part(float(cells.boxes[0, 0]), Row([], free.height), cells, Place(number, 0, 1)))
            continue
        for column, pieces in enumerate(cells.pieces):
            for index, row in enumerate(find_lines(only(found, np.array(pieces, int))) if pieces else []):
                if index == len(lines):
                    lines.append([])
                lines[index].append(_Part(float(cells.boxes[column, 0]), row, None, Place(number, column, columns)))
    middles = sorted(float(cells.boxes[:, ::2].mean()) for _, cells in level)
    runs: dict[int, list[int]] = {}
    for piece in free.pieces:
        runs.setdefault(int(np.searchsorted(middles, found.boxes[piece, ::2].mean())), []).append(piece)
    for pieces in runs.values():
        lines[0].append(_Part(float(found.boxes[pieces, 0].min()), free._replace(pieces=pieces), None, None))
    return [line for line in lines if line]


def _match(found: Components, parts: list[_Part], read: list[Line]) -> dict[int, list[Word]]:
    """The words of each part, by its id; parts without words are left out."""
    words: dict[int, list[Word]] = {}
    waiting = iter(parts)
    for line in read:
        x0, y0, x1, y1 = line.box
        for part in waiting:
            boxes = found.boxes[part.row.pieces]
            if (boxes[:, :2].min(0) <= (x0, y0)).all() and (boxes[:, 2:].max(0) >= (x1, y1)).all():
                words[id(part)] = line.words
                break
    return words


def _read_comb(
    cells: list[Cell | None],
    given: list[np.ndarray | None],
    models: Models,
    options: OcrOptions,
    constraint: Constraint | None,
) -> tuple[list[Word], float]:
    """The words in a comb and their score; empty cells at its ends are not part of them."""
    filled = [number for number, cell in enumerate(cells) if cell]
    if not filled:
        return [], 0.0
    used = slice(filled[0], filled[-1] + 1)
    alphabet = models.characters.alphabet.characters
    language = models.language if options.language_weight > 0 else Language()
    decoded = decode_cells(given[used], alphabet, constraint or Allowed(alphabet), language, options.language_weight)
    if constraint and not decoded.allowed:
        return [], 0.0
    weights = models.lines.weights
    looks = sum(np.log(max(row[alphabet.index(c)], 1e-9)) for row, c in zip(given[used], decoded.text) if row is not None)
    sounds = language.read(language.start(), decoded.text)[0]
    words = comb_words(decoded, cells[used], given[used], alphabet)
    return words, float(weights.shape * looks + weights.language * options.language_weight * sounds)


def comb_words(decoded: Decoded, cells: list[Cell | None], given: list[np.ndarray | None], alphabet: str) -> list[Word]:
    """The characters of cells as words; an empty cell separates words."""
    words: list[list[Character]] = [[]]
    for text, confidence, cell, row in zip(decoded.text, decoded.characters, cells, given):
        if cell is None or row is None:
            words += [[]] if words[-1] else []
            continue
        others = [(alphabet[i], float(row[i])) for i in np.argsort(-row)[: ALTERNATIVES + 1].tolist() if row[i] > LEAST]
        words[-1].append(
            Character(text, cell.box, confidence, alternatives=tuple(o for o in others if o[0] != text)[:ALTERNATIVES])
        )
    return [Word(word) for word in words]


def comb_cells(comb: CellRow, found: Components) -> list[Cell | None]:
    """The ink in each cell of a comb; None for an empty cell."""
    pieces = [piece for inside in comb.pieces for piece in inside]
    boxes = found.boxes[pieces]
    (left, top), (right, bottom) = boxes[:, :2].min(0).tolist(), boxes[:, 2:].max(0).tolist()
    window = found.labels[top:bottom, left:right]
    labels = np.where(np.isin(window, np.array(pieces) + 1), window, 0)
    edges = (comb.boxes[1:, 0] + comb.boxes[:-1, 2]) / 2
    return split_cells(labels, (left, top), edges, float(np.median(comb.boxes[:, 3] - comb.boxes[:, 1])))


def split_cells(labels: np.ndarray, start: tuple[int, int], edges: np.ndarray, height: float) -> list[Cell | None]:
    """The ink in each cell of a row; None for an empty cell.

    A piece that is nearly all in one cell belongs to this cell as a whole; others are cut at the lines.

    Args:
        labels: (h, w) int32, of the pieces of ink, 0 elsewhere.
        start: x, y of their first pixel.
        edges: (n - 1,) x of the borders between cells.
        height: of the cells.
    """
    count = len(edges) + 1
    cell_of = np.searchsorted(edges, np.arange(labels.shape[1]) + start[0] + 0.5)
    rows, columns = np.nonzero(labels)
    shares = np.zeros((labels.max(initial=0) + 1, count))
    np.add.at(shares, (labels[rows, columns], cell_of[columns]), 1)
    shares /= np.maximum(shares.sum(1, keepdims=True), 1)
    owner = np.where(shares.max(1) > OWN, shares.argmax(1), -1)[labels[rows, columns]]
    owner = np.where(owner < 0, cell_of[columns], owner)
    cells: list[Cell | None] = []
    for cell in range(count):
        y, x = rows[owner == cell], columns[owner == cell]
        if not len(y) or max(np.ptp(y), np.ptp(x)) < SPECK * height:
            cells.append(None)
            continue
        picture = np.zeros((np.ptp(y) + 1, np.ptp(x) + 1), bool)
        picture[y - y.min(), x - x.min()] = True
        left, top = int(x.min()) + start[0], int(y.min()) + start[1]
        cells.append(Cell(picture, (left, top, left + picture.shape[1], top + picture.shape[0])))
    return cells


def classify_cells(cells: list[Cell], stroke: float, model: Model) -> np.ndarray:
    """(N, len(alphabet)) probabilities of the characters in the cells; each row sums to 1.

    Args:
        stroke: width of the pen in pixels.
    """
    width = sum(cell.ink.shape[1] for cell in cells)
    sheet = np.zeros((max((len(cell.ink) for cell in cells), default=0), width), np.int32)  # side by side
    atoms, x = [], 0
    for number, cell in enumerate(cells, 1):
        height, width = cell.ink.shape
        sheet[:height, x : x + width] = cell.ink * np.int32(number)
        atoms.append(Atom((number,), (x, 0, x + width, height)))
        x += width
    found = Components(sheet, np.array([atom.box for atom in atoms], int).reshape(-1, 4), np.ones(len(atoms)), stroke, 0.0)
    glyphs = draw_glyphs(found, atoms, [Candidate(i, i + 1, atom.box) for i, atom in enumerate(atoms)])
    known = classify(glyphs, model)[:, : len(model.alphabet)]
    return known / np.maximum(known.sum(1, keepdims=True), 1e-30)
