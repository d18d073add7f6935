"""Combs: read the writing in the cells of a page cell by cell, and the writing beside them as text."""

from dataclasses import replace

import numpy as np

from pipeline.reading.arrangement import Part, arrange
from pipeline.reading.cell_ink import Cell, classify_cells, comb_cells
from pipeline.reading.cell_rows import CellRow
from pipeline.reading.constraint import Allowed, Constraint
from pipeline.reading.decode import Decoded, decode_cells
from pipeline.reading.language import Language
from pipeline.reading.lattice import Lattice
from pipeline.reading.layout import Components, Row
from pipeline.reading.lines import read_lines
from pipeline.reading.models import Models
from pipeline.reading.options import OcrOptions
from pipeline.reading.page import Character, Line, Word, around, within

ALTERNATIVES, LEAST = 3, 0.01  # other characters that are named, and the probability from which on they are


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
    lines = arrange(found, rows, cell_rows) if cell_rows else []
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


def _match(found: Components, parts: list[Part], read: list[Line]) -> dict[int, list[Word]]:
    """The words of each part, by its id; parts without words are left out."""
    words: dict[int, list[Word]] = {}
    waiting = iter(parts)
    for line in read:
        for part in waiting:
            if within(line.box, around(found.boxes[part.row.pieces].tolist())):
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
