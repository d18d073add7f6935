"""Lines: from the pieces of ink in each line to its words, with their posteriors."""

import itertools
import math

import numpy as np

from pipeline.characters.alphabet import Alphabet
from pipeline.reading import words
from pipeline.reading.constraint import Constraint
from pipeline.reading.geometry import Frame, find_frame
from pipeline.reading.glyphs import Model, classify_lines
from pipeline.reading.language import Language
from pipeline.reading.lattice import Lattice, build_lattice
from pipeline.reading.layout import Components, Row
from pipeline.reading.line_model import DOT, LineModel, Weights
from pipeline.reading.models import Models
from pipeline.reading.options import OcrOptions
from pipeline.reading.page import Character, Line, Word
from pipeline.reading.posterior import character_posteriors, word_posteriors
from pipeline.reading.search import Arc, Graph, best_path, search
from pipeline.reading.segment import LARGE, Atom, Candidate, cut_atom, find_atoms, find_candidates, letter_gaps

SURE = 0.95  # probability of the two best classes; a piece with less is cut, because it may be several characters
NARROWEST = 0.45  # letter heights; two of the narrowest characters that touch, `11`, are wider
TWO = 1.7  # usual widths; a wider piece is two characters that touch
USUAL_TOUCH, TRUST = 0.03, 30.0  # prior share of neighbours that touch, and its weight in neighbours


def read_lines(
    found: Components, rows: list[Row], models: Models, options: OcrOptions, constraint: Constraint | None = None
) -> tuple[list[Line], float, list[Lattice]]:
    """Read the lines of a view, all candidates at once; cuts are marked in `found.labels`.

    Returns:
        the lines that were read, a score of how well they fit, and the lattice of each line.
    """
    read, total, lines = [], 0.0, models.lines
    lattices = build_lattices(found, rows, models.characters, lines)
    language = models.language if options.language_weight > 0 else Language()
    state = language.start()
    for lattice in lattices:
        graph = search(lattice, lines, state, language, options.language_weight, options.beam, constraint)
        if not graph.ends:  # the constraint allows no text
            continue
        path, after = best_path(graph)
        total += likelihood(path, lattice, lines.weights, options.language_weight)
        characters = [arc for arc in path if arc.candidate >= 0]
        if characters:
            read.append(_to_line(characters, graph, lattice, lines.characters))
            state = language.new_line(after)
    return read, total if rows else -np.inf, lattices


def likelihood(path: list[Arc], lattice: Lattice, weights: Weights, language_weight: float) -> float:
    """Score of a reading by shapes, language and the ink that it leaves out, comparable between readings of a page.

    With another side up, a page has more or fewer characters, cuts and joins: weights for each of these are not comparable.
    """
    total = 0.0
    for arc in path:
        if arc.candidate < 0:
            total += min(arc.score, 0.0)
        else:
            total += weights.shape * lattice.shape[arc.candidate, arc.label] + weights.language * language_weight * arc.language
    return total


def build_lattices(found: Components, rows: list[Row], model: Model, lines: LineModel) -> list[Lattice]:
    """The lattice of each line."""
    if not rows:
        return []
    frames = [find_frame(found, row) for row in rows]
    atoms = [find_atoms(found, row) for row in rows]
    widths = np.array([(a.box[2] - a.box[0]) / frame.height for frame, line in zip(frames, atoms) for a in line])
    usual = usual_width(widths)
    singles = [[Candidate(i, i + 1, atom.box) for i, atom in enumerate(line)] for line in atoms]
    whole = classify_lines(found, atoms, singles, model, [{}] * len(rows))
    labels = itertools.count(int(found.labels.max()) + 1)
    known: list[dict[tuple[int, int], np.ndarray]] = []
    for number, (frame, line, probabilities) in enumerate(zip(frames, atoms, whole)):
        pieces: list[Atom] = []
        read: dict[tuple[int, int], np.ndarray] = {}
        sure = sureness(probabilities, frame, [atom.box for atom in line], usual, lines)
        for atom, read_as, certain in zip(line, probabilities, sure):
            unsure = certain < SURE and atom.box[2] - atom.box[0] > NARROWEST * frame.height
            start = len(pieces)
            pieces += cut_atom(found, atom, frame.height, labels) if unsure else [atom]
            read[start, len(pieces)] = read_as
        atoms[number] = pieces
        known.append(read)
    candidates = [find_candidates(line, frame.height, set(read)) for line, frame, read in zip(atoms, frames, known)]
    classified = [
        with_dots(p, line, chosen, frame.height, model.alphabet)
        for p, line, chosen, frame in zip(classify_lines(found, atoms, candidates, model, known), atoms, candidates, frames)
    ]
    gaps = words.fit_lines([letter_gaps(line, frame.height) for line, frame in zip(atoms, frames)])
    touching = touch_log_odds(widths / usual)
    return [
        build_lattice(line, chosen, p, frame, usual, touching, groups, lines)
        for line, chosen, p, frame, groups in zip(atoms, candidates, classified, frames, gaps)
    ]


def with_dots(
    probabilities: np.ndarray, atoms: list[Atom], candidates: list[Candidate], height: float, alphabet: Alphabet
) -> np.ndarray:
    """(N, K) probabilities, with a column for the full stop behind those of the characters if it is not one of them.

    In the picture for the classifier, every compact piece looks alike: only its size, which the geometry weighs, tells a dot. So
    a small piece of ink is as likely a dot as anything else here; a part that was cut off a larger piece is never one.
    """
    known = len(alphabet)
    if DOT in alphabet.characters:
        return probabilities
    ends = [atom.crossed is None for atom in atoms] + [True]  # a piece of ink begins here, and the one before ends
    small = [max(c.box[2] - c.box[0], c.box[3] - c.box[1]) < LARGE * height and ends[c.start] and ends[c.end] for c in candidates]
    dots = np.where(small, 0.5, 0.0)[:, None]
    return np.hstack([probabilities[:, :known] * (1 - dots), dots, probabilities[:, known:]])


def sureness(probabilities: np.ndarray, frame: Frame, boxes: list, width: float, lines: LineModel) -> np.ndarray:
    """(A,) probability, by shape and size, of the two best classes of a piece; two, because 0 and O have one shape."""
    widths, levels = lines.geometry.log_ratios(frame.place(np.array(boxes), width))
    ratios = lines.weights.width * widths + lines.weights.level * levels
    shapes = probabilities[:, : len(lines.characters)]
    fitting = shapes * np.exp(np.minimum(ratios[:, : shapes.shape[1]], 0))
    return np.sort(fitting, axis=1)[:, -2:].sum(1)


def usual_width(widths: np.ndarray) -> float:
    """Median of the widths, (A,) in letter heights, of pieces wider than an I."""
    widths = widths[(widths > 0.35) & (widths < 1.3)]
    return float(np.clip(np.median(widths), 0.55, 1.0)) if len(widths) > 4 else 0.75


def touch_log_odds(widths: np.ndarray) -> float:
    """Log-odds that neighbours touch, from the widths, (A,) in usual widths: some are too large for one character."""
    touching = 2 * ((widths > TWO) & (widths < 2 * TWO)).sum() + TRUST * USUAL_TOUCH  # as many touch although they are narrower
    return math.log(touching / (len(widths) + TRUST))


def _to_line(path: list[Arc], graph: Graph, lattice: Lattice, characters: str) -> Line:
    likely = character_posteriors(graph, path, lattice.candidates, characters)
    parts: list[list[tuple[Arc, tuple[tuple[str, float], ...]]]] = []
    for arc, others in zip(path, likely):
        if arc.space or not parts:
            parts.append([])
        parts[-1].append((arc, others))
    line = []
    for part in parts:
        read = []
        for arc, others in part:
            text = characters[arc.label]
            posterior, rest = _apart(others, text)
            read.append(Character(text, lattice.candidates[arc.candidate].box, posterior, alternatives=rest))
        whole = word_posteriors(graph, [arc for arc, _ in part], lattice.candidates, characters)
        line.append(Word(read, *_apart(whole, "".join(character.text for character in read))))
    return Line(line)


def _apart(ranked: tuple[tuple[str, float], ...], text: str) -> tuple[float, tuple[tuple[str, float], ...]]:
    """The posterior of what was read, and the rest."""
    return dict(ranked).get(text, 0.0), tuple(entry for entry in ranked if entry[0] != text)
