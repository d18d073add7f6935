"""Score: the accuracy of a page, by edit distance (Levenshtein 1966)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Score(NamedTuple):
    """Edits and lengths of a page; those of several pages can be added.

    Attributes:
        edits, characters: without any spaces; the accuracy is 1 - edits / characters.
        spaced_edits, spaced: with single spaces and line ends; their ratio is the character error rate (CER).
        word_edits, words: their ratio is the word error rate (WER).
    """

    edits: int
    characters: int
    spaced_edits: int
    spaced: int
    word_edits: int
    words: int

    @property
    def accuracy(self) -> float:
        return 1 - self.edits / max(self.characters, 1)

    @property
    def cer(self) -> float:
        return self.spaced_edits / max(self.spaced, 1)

    @property
    def wer(self) -> float:
        return self.word_edits / max(self.words, 1)


def score(read: str, truth: str) -> Score:
    """Compare the text of a page with the truth; case and the width of spaces do not count."""
    read_words, true_words = read.upper().split(), truth.upper().split()
    read_lines = [" ".join(line.split()) for line in read.upper().splitlines() if line.strip()]
    true_lines = [" ".join(line.split()) for line in truth.upper().splitlines() if line.strip()]
    bare_read, bare_true = "".join(read_words), "".join(true_words)
    spaced_read, spaced_true = "\n".join(read_lines), "\n".join(true_lines)
    return Score(
        edit_distance(bare_read, bare_true),
        len(bare_true),
        edit_distance(spaced_read, spaced_true),
        len(spaced_true),
        edit_distance(read_words, true_words),
        len(true_words),
    )


def in_words(part: Score) -> dict[str, float]:
    """The score under the names of the metrics: accuracy without spaces, CER with spaces, WER."""
    return {"character_accuracy": round(part.accuracy, 4), "cer": round(part.cer, 4), "wer": round(part.wer, 4)}


def total(scores: Sequence[Score]) -> Score:
    """The score of all pages together."""
    return Score(*(sum(column) for column in zip(*scores))) if scores else Score(0, 0, 0, 0, 0, 0)


def edit_distance(a: Sequence, b: Sequence) -> int:
    """Least number of insertions, deletions and substitutions that turn a into b, row by row."""
    ids = {item: index for index, item in enumerate(dict.fromkeys([*a, *b]))}
    target = np.array([ids[item] for item in b], int)
    steps = np.arange(len(b) + 1)
    row = steps.copy()
    for count, item in enumerate(a, 1):
        changed = np.minimum(row[1:] + 1, row[:-1] + (target != ids[item]))  # deletion, substitution
        row = np.concatenate([[count], changed])
        row = np.minimum.accumulate(row - steps) + steps  # insertions
    return int(row[-1])
