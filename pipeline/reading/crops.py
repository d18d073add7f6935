"""Crops: a photo of one line, word or character, read without a search for sheets, skew and lines."""

import numpy as np

from pipeline.reading.constraint import Both, Constraint
from pipeline.reading.glyphs import Model, classify, draw_glyphs
from pipeline.reading.layout import Components, Row, find_components
from pipeline.reading.lines import read_lines
from pipeline.reading.models import Models
from pipeline.reading.options import OcrOptions
from pipeline.reading.page import Character, Line, Word
from pipeline.reading.pattern import Pattern
from pipeline.reading.segment import Atom, Candidate

ALTERNATIVES = 3


def read_crop(ink: np.ndarray, models: Models, options: OcrOptions, constraint: Constraint | None) -> list[Line]:
    """Read the ink as the line, word or character that `options.mode` names; no line if nothing is there or allowed.

    Args:
        ink: (H, W) bool.
        constraint: the texts that are allowed.
    """
    found = find_components(ink)
    pieces = np.flatnonzero(found.areas > 0)
    if not len(pieces):
        return []
    if options.mode == "character":
        character = read_character(found, pieces, models.characters, constraint)
        return [Line([Word([character])])] if character else []
    if options.mode == "word":
        whole = Pattern("[^ ]*")
        constraint = Both(constraint, whole) if constraint else whole
    order = pieces[np.argsort(found.boxes[pieces, 0], kind="stable")]
    return read_lines(found, [Row(order.tolist(), found.height)], models, options, constraint)[0]


def read_character(found: Components, pieces: np.ndarray, model: Model, constraint: Constraint | None) -> Character | None:
    """Read all pieces as one character; None if no character is allowed."""
    boxes = found.boxes[pieces]
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    atom = Atom(tuple(int(piece) + 1 for piece in pieces), (int(low[0]), int(low[1]), int(high[0]), int(high[1])))
    chances = classify(draw_glyphs(found, [atom], [Candidate(0, 1, atom.box)]), model)[0]
    allowed = {}
    for character, chance in zip(model.alphabet.characters, chances.tolist()):
        state = constraint.step(constraint.start(), character) if constraint else 0
        if constraint is None or (state is not None and constraint.accepts(state)):
            allowed[character] = chance
    mass = sum(allowed.values())
    if mass <= 0:
        return None
    (text, chance), *others = sorted(((c, chance / mass) for c, chance in allowed.items()), key=lambda entry: -entry[1])
    return Character(text, atom.box, chance, alternatives=tuple(others[:ALTERNATIVES]))
