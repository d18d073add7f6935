"""Insertions: words written above a line, at whose foot a caret shows their place in it."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pipeline.reading import straighten
from pipeline.reading.geometry import find_frame
from pipeline.reading.glyphs import Model, classify
from pipeline.reading.layout import Components, Row
from pipeline.reading.page import Box, Line, Word, around, within
from pipeline.reading.segment import LARGE
from pipeline.reading.sides import draw_pieces

UPSIDE_DOWN = "V"  # what a caret looks like that is turned by 180 degrees
CLOSE = 1.0  # letter heights; what is inserted is closer to its line, and to its caret sideways, than the height of a letter


class Insertion(NamedTuple):
    """Attributes: x: of the caret; line, above: boxes around the line that it belongs to, and around what is inserted."""

    x: float
    line: Box
    above: Box


def find_insertions(found: Components, rows: list[Row], model: Model) -> tuple[list[Row], list[Insertion]]:
    """The rows without the carets in them, and what these insert."""
    if UPSIDE_DOWN not in model.alphabet.characters:
        return rows, []
    carets = _find_carets(found, rows, model)
    boxes = [around(found.boxes[row.pieces].tolist()) for row in rows]
    insertions: list[Insertion] = []
    kept = list(rows)
    for number, piece in carets:
        x = float(found.boxes[piece, ::2].mean())
        reach = CLOSE * rows[number].height
        top = float(np.median(found.boxes[rows[number].pieces, 1]))
        # a long letter may reach down into the line, by half a letter
        above = [box for box in boxes if -reach / 2 < top - box[3] < reach and box[0] - reach < x < box[2] + reach]
        if above:
            insertions.append(Insertion(x, boxes[number], above[0]))
            kept[number] = kept[number]._replace(pieces=[other for other in kept[number].pieces if other != piece])
    return [row for row in kept if row.pieces], insertions


def _find_carets(found: Components, rows: list[Row], model: Model) -> list[tuple[int, int]]:
    """The number of the row and the piece of each caret: it reaches below the foot of the line, and not up to its middle."""
    low: list[tuple[int, int]] = []
    for number, row in enumerate(rows):
        _, tops, bottoms = find_frame(found, row).place(found.boxes[row.pieces], 1.0).T
        deep = (bottoms < 0) & (tops < 0.5) & (tops - bottoms > LARGE)
        low += [(number, piece) for piece, is_low in zip(row.pieces, deep) if is_low]
    if not low:
        return []
    turned = straighten.turn_over(draw_pieces(found, np.array([piece for _, piece in low])), 2)
    likely = classify(turned, model)[:, model.alphabet.characters.index(UPSIDE_DOWN)]
    return [caret for caret, chance in zip(low, likely) if chance > 0.5]


def insert(lines: list[Line], insertions: list[Insertion]) -> list[Line]:
    """The lines, with what stands above a caret in the line below it; each word goes to the nearest caret of its line."""
    lines = list(lines)
    for above in dict.fromkeys(insertion.above for insertion in insertions):
        here = [insertion for insertion in insertions if insertion.above == above]
        source = next((line for line in lines if within(line.box, above)), None)
        target = next((line for line in lines if line is not source and within(line.box, here[0].line)), None)
        if source is None or target is None:
            continue
        words = target.words
        for insertion in here:
            own = [word for word in source.words if _nearest(word, here) is insertion]
            before, after = _split(words, insertion.x)
            words = before + own + after
        lines[lines.index(target)] = Line(words)
        lines.remove(source)
    return lines


def _nearest(word: Word, insertions: list[Insertion]) -> Insertion:
    middle = (word.box[0] + word.box[2]) / 2
    return min(insertions, key=lambda insertion: abs(insertion.x - middle))


def _split(words: list[Word], x: float) -> tuple[list[Word], list[Word]]:
    """The words before and after a place of their line; one that runs across it is two."""
    before, after = [], []
    for word in words:
        left = [c for c in word.characters if c.box[0] + c.box[2] < 2 * x]
        right = word.characters[len(left) :]
        if left and right:  # what is known of the whole word does not hold for its parts
            before.append(replace(word, characters=left, posterior=None, alternatives=()))
            after.append(replace(word, characters=right, posterior=None, alternatives=()))
        else:
            (before if left else after).append(word)
    return before, after
