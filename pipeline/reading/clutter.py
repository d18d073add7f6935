"""Clutter: characters that were read where nothing is written."""

import numpy as np

from pipeline.reading.page import Character, Line, Word


def drop_clutter(lines: list[Line]) -> list[Line]:
    """Drop characters that were read where nothing is written: few, unlikely, and far from others or of another size."""
    if not lines:
        return lines
    everything = [c for line in lines for c in line.characters]
    usual = _height(everything) or max(c.box[3] - c.box[1] for c in everything)
    kept = []
    for line in lines:
        line_words = line.words
        for end in (0, -1):  # at the line's ends
            while len(line_words) > 1 and _stray(line_words[end], line_words[1 if end == 0 else -2], usual):
                line_words = line_words[1:] if end == 0 else line_words[:-1]
        characters = [c for word in line_words for c in word.characters]
        sure = float(np.mean([c.confidence for c in characters]))
        size = (_height(characters) or usual) / usual  # a dash or a full stop alone does not show the size
        few = len(characters) <= 3
        if not (few and len(lines) > 1 and (sure < 0.5 or not 0.5 < size < 2.2)):
            kept.append(Line(line_words))
    return kept


def _stray(word: Word, neighbour: Word, height: float) -> bool:
    gap = max(word.box[0] - neighbour.box[2], neighbour.box[0] - word.box[2]) / height
    return gap > 4 and len(word.characters) < 3 and min(c.existence for c in word.characters) < 0.6


def _height(characters: list[Character]) -> float | None:
    """Median height of the letters and digits in pixels, None if there are none."""
    heights = [c.box[3] - c.box[1] for c in characters if c.text.isalnum()]
    return float(np.median(heights)) if heights else None
