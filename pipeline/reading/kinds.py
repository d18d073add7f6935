"""Kinds: the kinds of tokens in a text, the shapes of each kind, and the order in which they follow each other.

The stage `lattice` counts the models on texts as people write them; only the list of kinds is set by hand.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.reading.ngrams import NGrams, count_ngrams

END = " "
KINDS = ("word", "number", "letters", "code")
FIRST = len(KINDS)
"""Row of `Kinds.follow` for the first token of a line."""
ORDER = 5  # longest n-gram of shapes: it reaches from one separator of a date to the next
SYMBOLS = 60  # symbols that a shape can hold: letters, a digit, signs, the end

DIGITS = str.maketrans("123456789", "0" * 9)
LETTERS = str.maketrans("BCDEFGHIJKLMNOPQRSTUVWXYZ", "A" * 25)
RUN = re.compile("AA+")

Token = tuple[str, str]
"""The text of a token and its kind."""
Row = tuple[float, ...]
Table = tuple[Row, ...]


def shape(kind: str, text: str) -> str:
    """The shape of a token: digits become `0`, letters become `A`, one for a run of letters in words; in numbers they stay."""
    if kind == "number":
        return text.upper().translate(DIGITS)
    letters = text.upper().translate(DIGITS).translate(LETTERS)
    return RUN.sub("A", letters) if kind == "word" else letters


@dataclass
class Kinds:
    """Models of the kinds of tokens.

    Attributes:
        shapes: for each of `KINDS` the n-grams of its shapes, between two ends.
        follow: (K + 1, K) probability of each kind after each kind, and, in the last row, at the beginning of a line.
        trust: the weight of `follow` against the counts of the page, in tokens.
    """

    shapes: tuple[NGrams, ...]
    follow: np.ndarray
    trust: float

    @property
    def start(self) -> Table:
        """`follow` as counts, so that those of the page can be added."""
        return tuple(tuple(row) for row in (self.trust * self.follow).tolist())

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays for a file."""
        arrays = {"follow": self.follow, "trust": np.array(self.trust)}
        for kind, ngrams in zip(KINDS, self.shapes):
            arrays[f"{kind}_shapes"], arrays[f"{kind}_counts"] = ngrams.arrays()
        return arrays

    @classmethod
    def of_arrays(cls, arrays: dict[str, np.ndarray]) -> "Kinds":
        """The inverse of `arrays`."""
        counts = [dict(zip(arrays[f"{kind}_shapes"].tolist(), arrays[f"{kind}_counts"].tolist())) for kind in KINDS]
        shapes = tuple(NGrams(count, ORDER, SYMBOLS) for count in counts)
        return cls(shapes, arrays["follow"], float(arrays["trust"]))


def fit_kinds(pages: Sequence[Sequence[Sequence[Token]]]) -> Kinds:
    """Count shapes and successions of kinds on pages of lines of tokens, and find the trust that makes the pages most likely."""
    tokens = [token for page in pages for line in page for token in line]
    shapes = tuple(
        NGrams(count_ngrams((END + shape(kind, text) + END for text, own in tokens if own == kind), ORDER), ORDER, SYMBOLS)
        for kind in KINDS
    )
    follow = np.ones((len(KINDS) + 1, len(KINDS)))  # one of each: nothing is impossible
    for page in pages:
        for before, kind in _transitions(page):
            follow[before, kind] += 1
    follow /= follow.sum(axis=1, keepdims=True)

    def cost(log_trust: float) -> float:
        trust = np.exp(log_trust)
        total = 0.0
        for page in pages:
            seen = trust * follow
            for before, kind in _transitions(page):
                total -= np.log(seen[before, kind] / seen[before].sum())
                seen[before, kind] += 1
        return total

    from scipy.optimize import minimize_scalar  # not above: who reads a page does not fit, and need not wait for it

    best = minimize_scalar(cost, bounds=(np.log(0.1), np.log(100)), method="bounded", options={"xatol": 0.05})
    return Kinds(shapes, follow, float(np.exp(best.x)))


def _transitions(page: Iterable[Sequence[Token]]) -> Iterable[tuple[int, int]]:
    """For every token the pair of the kind before it, or FIRST, and its own kind."""
    for line in page:
        before = FIRST
        for _, kind in line:
            yield before, KINDS.index(kind)
            before = KINDS.index(kind)
