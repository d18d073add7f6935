"""Lines: from the pieces of ink in each line to its words."""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from pipeline.characters import CLASSES
from pipeline.reading import words
from pipeline.reading.decode import Lattice, decode_line
from pipeline.reading.dots import expect_digits, place_dots, take_dots
from pipeline.reading.glyphs import Model, classify_lines
from pipeline.reading.language import START, LanguageModel, State
from pipeline.reading.layout import Components
from pipeline.reading.layout import Line as Row
from pipeline.reading.options import OcrOptions
from pipeline.reading.page import Character, Line, Word
from pipeline.reading.segment import Atom, Candidate, cut_atom, find_atoms, find_candidates

SURE = 0.95  # an atom read with less than this is cut, in case it is several characters
WIDE = 1.15  # usual widths; an atom wider than this is cut too
TWO = 1.7  # usual widths; an atom wider than this is two characters that touch
USUAL_TOUCH, TRUST = 0.03, 30.0  # share of neighbours that touch, and the number of neighbours that this guess counts as
CUT = -2.2  # cost of a cut where all neighbours touch
CODES = 0.7  # share of codes among a page's words that makes it a page of codes; on labels it is a third
ANOTHER_LINE = 2.0  # cost of a line: of two readings, the one with long lines is likelier


def read_lines(
    found: Components, rows: list[Row], model: Model, options: OcrOptions, language: LanguageModel | None
) -> tuple[list[Line], float]:
    """Read the lines of a view, all candidates at once, and score the reading."""
    if not rows:
        return [], -np.inf
    taken = [take_dots(found, row) for row in rows]
    rows, dots = [row for row, _ in taken], [small for _, small in taken]
    atoms = [find_atoms(found, row) for row in rows]
    widths = np.array([(atom.box[2] - atom.box[0]) / row.height for row, line in zip(rows, atoms) for atom in line])
    usual = usual_width(widths)
    singles = [[Candidate(i, i + 1, atom.box, 0.0) for i, atom in enumerate(line)] for line in atoms]
    whole = classify_lines(found, atoms, singles, model, [{}] * len(rows))
    labels, cost = itertools.count(len(found.boxes) + 1), cut_cost(widths / usual)
    cut = [cut_unsure(found, row, line, p, usual, cost, labels) for row, line, p in zip(rows, atoms, whole)]
    atoms, known = [line for line, _ in cut], [kept for _, kept in cut]
    candidates = [find_candidates(line, row.height) for line, row in zip(atoms, rows)]
    probabilities = classify_lines(found, atoms, candidates, model, known)
    odds = words.word_log_odds([_gaps(line, row.height) for line, row in zip(atoms, rows)])
    placed = [place_dots(line, small, row.height) for row, line, small in zip(rows, atoms, dots)]
    lattices = [
        Lattice(line, chosen, expect_digits(classes, chosen, where), np.concatenate([[0.0], spaces]), row.height, usual)
        for row, line, where, chosen, classes, spaces in zip(rows, atoms, placed, candidates, probabilities, odds)
    ]
    paths, total = decode_lines(lattices, options, language)
    lines = [_to_line(path, lattice, where) for path, lattice, where in zip(paths, lattices, placed) if path]
    return lines, total - ANOTHER_LINE * len(lines)


def decode_lines(
    lattices: list[Lattice], options: OcrOptions, language: LanguageModel | None
) -> tuple[list[list[tuple[int, int, bool]]], float]:
    """The best path through each line of a page, and their score; a page of codes is read without the language model."""

    def decode(weight: float) -> tuple[list[list[tuple[int, int, bool]]], float, State]:
        paths, total, state = [], 0.0, START
        for lattice in lattices:
            path, state, score = decode_line(lattice, state, language, weight, options.beam)
            paths.append(path)
            total += score
        return paths, total, state

    paths, total, state = decode(options.language_weight)
    if state.code_share > CODES:
        paths, total, _ = decode(0.0)
    return paths, total


def usual_width(widths: np.ndarray) -> float:
    """Median of the widths, (A,) in letter heights, of what is not as narrow as an I."""
    widths = widths[(widths > 0.35) & (widths < 1.3)]
    return float(np.clip(np.median(widths), 0.55, 1.0)) if len(widths) > 4 else 0.75


def cut_cost(widths: np.ndarray) -> float:
    """Cost in nats of a cut: widths, (A,) in usual ones, that are too much for one character show how often neighbours touch."""
    touching = 2 * ((widths > TWO) & (widths < 2 * TWO)).sum()  # as many do without being as wide
    return CUT - math.log((touching + TRUST * USUAL_TOUCH) / (len(widths) + TRUST))


def _gaps(atoms: list[Atom], height: float) -> np.ndarray:
    """The gaps before all atoms but the first; NaN where an atom was cut off its neighbour."""
    gaps = words.measure_gaps(np.array([atom.box for atom in atoms]), height)
    gaps[[atom.cut > 0 for atom in atoms[1:]]] = np.nan
    return gaps


def cut_unsure(
    found: Components, row: Row, atoms: list[Atom], probabilities: np.ndarray, usual: float, cost: float, labels: Iterator[int]
) -> tuple[list[Atom], dict[tuple[int, int], np.ndarray]]:
    """Cut the atoms of a line that do not read as one character, or are too wide for one.

    Returns:
        the pieces, and (start, end) -> (36,) what their runs that were an atom read as.
    """
    pieces: list[Atom] = []
    known = {}
    sure = np.sort(probabilities, axis=1)[:, -2:].sum(1)  # two, since 0 and O are one shape
    for atom, read_as, certain in zip(atoms, probabilities, sure):
        width = (atom.box[2] - atom.box[0]) / row.height
        unsure = certain < SURE or width > WIDE * usual
        start = len(pieces)
        pieces += cut_atom(found, atom, row.height, cost, labels) if unsure and width > 0.45 else [atom]
        known[start, len(pieces)] = read_as
    return pieces, known


def _to_line(path: list[tuple[int, int, bool]], lattice: Lattice, dots: dict[int, tuple]) -> Line:
    line: list[list[Character]] = [[]]
    for index, label, space in path:
        if space and line[-1]:
            line.append([])
        candidate, confidence, text = lattice.candidates[index], float(lattice.probabilities[index, label]), CLASSES[label]
        line[-1].append(Character(text, candidate.box, confidence))
        if text.isdigit() and candidate.end - 1 in dots:
            line[-1].append(Character(".", dots[candidate.end - 1], confidence))
    return Line([Word(characters) for characters in line])
