"""Language: how likely a line is as text, so that context can settle 0/O, 1/I, 5/S and 2/Z.

A token is the text between two word gaps: a word, a number, letters that are not a word, or a code. Each kind is a generative
model: n-grams of the shape of the token (`00:00`, `A,`), and a model of its characters (English spelling in words, any digit or
letter otherwise). A token is scored under the mixture of the kinds. The weights of the mixture depend on the kind of the token
before it, or on its being the first of its line, and on the kinds that followed each other on this page (Bayes): a number follows
a label, and on a page of codes a code is not read as a similar word.
"""

import math
from array import array
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.common.arrays import load_arrays
from pipeline.common.errors import DataError
from pipeline.reading.kinds import END, FIRST, KINDS, ORDER, Kinds, Row, Table, shape

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHABET = END + LETTERS + "?"  # characters of the English n-grams; "?" marks the back-off weight of a context
BASE, DIGIT = len(ALPHABET) + 1, {character: number for number, character in enumerate(ALPHABET, 1)}
SCALE = 24  # costs are stored in 1/24 nat, in one byte
MAX_NGRAMS, MAX_ORDER = 5_000_000, 12  # most bytes of a table; more would fill the memory
NEUTRAL = 1 / 36, 1 / 4
"""Probability of each character, and of the end of a token, without a language; gains are relative to it."""


class Symbols(dict[str, float]):
    """P(character) in a token of one kind after one context, computed at the first use."""

    def __init__(self, compute: Callable[[str], float]) -> None:
        self._compute = compute

    def __missing__(self, character: str) -> float:
        likely = self[character] = self._compute(character)
        return likely


class State(NamedTuple):
    """The state of the model after a part of a text.

    Attributes:
        text: of the token so far.
        kinds: probability of each kind, given the token so far.
        before: probability of each kind of the token before, and that there is none in the line.
        seen: how often each kind followed each kind on the page so far, added to the counts of `Kinds.follow`.
    """

    text: str
    kinds: Row
    before: Row
    seen: Table


def encode(ngram: str) -> int:
    """A number for a string over ALPHABET, in base len(ALPHABET) + 1: strings of different lengths have different numbers."""
    key = 0
    for character in ngram:
        key = key * BASE + DIGIT[character]
    return key


class English:
    """Character n-grams of English words, with Katz's back-off (1987). `scripts/build_language.py` makes the table.

    Args:
        keys: (N,) uint64, increasing, the n-grams as `encode` numbers them.
        costs: (N,) uint8, of each of them, in 1/SCALE nat.
        order: length of the longest.
    """

    def __init__(self, keys: np.ndarray, costs: np.ndarray, order: int) -> None:
        self.order = order
        # looked up by bisection: a page asks for a few thousand, and a dictionary of all takes 0.1 s and 40 MB
        self._keys, self._costs = array("Q", keys.tobytes()), costs.tobytes()
        self._contexts = lru_cache(maxsize=100_000)(self._find_contexts)

    def probability(self, context: str, character: str) -> float:
        """P(character | context), both over END and A-Z."""
        digit = DIGIT[character]
        for key, penalty in self._contexts(context[-(self.order - 1) :]):
            found = self._find(key + digit)
            if found is not None:
                return math.exp(penalty + found)
        return math.exp(penalty) / len(ALPHABET)

    def _find_contexts(self, context: str) -> list[tuple[int, float]]:
        """For the context and each of its suffixes, the key of its successors, and the cost of backing off to it."""
        found, penalty = [], 0.0
        for start in range(len(context) + 1):
            key = encode(context[start:]) * BASE
            found.append((key, penalty))
            penalty += self._find(key + DIGIT["?"]) or 0.0
        return found

    def _find(self, key: int) -> float | None:
        """What the table holds for an n-gram, in nat; None if it lacks it."""
        place = bisect_left(self._keys, key)
        return -self._costs[place] / SCALE if place < len(self._keys) and self._keys[place] == key else None


def log_add(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))


class Language:
    """How likely a text is; this base class finds all texts alike.

    Attributes:
        most: the largest gain of a character.
        lends: whether a part of the gains depends on how the token ends; `unearned` says how much.
    """

    most, lends = 0.0, False

    def start(self) -> State:
        """The only state there is."""
        return State("", (), (), ())

    def new_line(self, state: State) -> State:
        """The state itself."""
        return state

    def gain(self, state: State, character: str) -> float:
        """0: no text gains anything."""
        return 0.0

    def advance(self, state: State, character: str) -> State:
        """The state itself."""
        return state

    def unearned(self, state: State) -> float:
        """The part of the gains so far that depends on how the token ends: 0."""
        return 0.0

    def read(self, state: State, text: str) -> tuple[float, State]:
        """Sum of the gains of a line, whose tokens are separated by single spaces, and the state before the next line."""
        total = 0.0
        for character in text + END:
            total += self.gain(state, character)
            state = self.advance(state, character)
        return total, self.new_line(state)


class LanguageModel(Language):
    """Scores text character by character; the module describes the model."""

    def __init__(self, english: English, kinds: Kinds) -> None:
        self.english, self.kinds = english, kinds
        self.most = -math.log(NEUTRAL[0])  # the largest gain of a character
        self._symbols = lru_cache(maxsize=None)(self._make_symbols)  # as many as there are contexts
        self._next = lru_cache(maxsize=100_000)(self._find_next)

    def start(self) -> State:
        """Before the first token of a page."""
        return self._begin(tuple(float(kind == FIRST) for kind in range(len(KINDS) + 1)), self.kinds.start)

    def new_line(self, state: State) -> State:
        """The state at the beginning of the next line, after one that has ended in END."""
        return self._begin(self.start().before, state.seen)

    def gain(self, state: State, character: str) -> float:
        """Log-probability of the next character (or END) over NEUTRAL.

        So a text that is not language neither gains nor loses, whatever its length.
        """
        character = character.upper()
        total = sum([kind * known[character] for kind, known in zip(state.kinds, self._next(state.text))])
        return math.log(total / NEUTRAL[character == END])

    def advance(self, state: State, character: str) -> State:
        """The state after the next character (or END)."""
        upper = character.upper()
        joint = [kind * known[upper] for kind, known in zip(state.kinds, self._next(state.text))]
        total = sum(joint)
        kinds = tuple([value / total for value in joint])
        if character != END:
            text = state.text + character
            return State(text, kinds, state.before, state.seen)
        seen = tuple(
            tuple([count + before * kind for count, kind in zip(row, kinds)]) for row, before in zip(state.seen, state.before)
        )
        return self._begin((*kinds, 0.0), seen)

    def score(self, text: str) -> float:
        """Sum of the gains of a text of lines of tokens."""
        total, state = 0.0, self.start()
        for line in text.split("\n"):
            gain, state = self.read(state, line)
            total += gain
        return total

    def _begin(self, before: Row, seen: Table) -> State:
        """The state before a token, with the probabilities of its kinds given the token before it and the page."""
        kinds = [0.0] * len(KINDS)
        for weight, row in zip(before, seen):
            if weight:
                mass = weight / sum(row)
                for kind, count in enumerate(row):
                    kinds[kind] += mass * count
        return State("", tuple(kinds), before, seen)

    def _find_next(self, text: str) -> tuple[Symbols, ...]:
        """For each kind the probabilities of the next character. They depend on the end of the shape of the token so far,
        and in words on the letters so far."""
        text = text.upper()
        stem = text[len(text.rstrip(LETTERS)) :][-self.english.order :]
        return tuple(
            self._symbols(number, shape(kind, END + text)[1 - ORDER :], stem if kind == "word" else "")
            for number, kind in enumerate(KINDS)
        )

    def _make_symbols(self, number: int, before: str, stem: str) -> Symbols:
        return Symbols(lambda character: self._probability(number, before, stem, character))

    def _probability(self, number: int, before: str, stem: str, character: str) -> float:
        kind = KINDS[number]
        if kind == "word" and stem and character in LETTERS:  # within a word
            return self.english.probability(END + stem, character)
        likely = self.kinds.shapes[number].probability(before, END if character == END else shape(kind, character))
        if kind == "word":
            if stem:
                likely *= self.english.probability(END + stem, END)
            return likely * self.english.probability(END, character) if character in LETTERS else likely
        if character.isdigit():
            return likely / 10
        return likely / len(LETTERS) if character in LETTERS and kind != "number" else likely


def load_language(path: Path) -> English:
    """Read the table of English n-grams.

    Raises:
        DataError: the file is missing, damaged, too large or not such a table.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: no language table; run scripts/build_language.py, or set language_weight to 0")
    keys, costs, order = load_arrays(path, ("keys", "costs", "order")).values()
    if not (
        keys.dtype == np.uint64
        and costs.dtype == np.uint8
        and keys.ndim == 1
        and keys.shape == costs.shape
        and len(keys) <= MAX_NGRAMS
        and order.dtype.kind == "i"
        and order.shape == ()
        and 1 < order <= MAX_ORDER
        and (keys[1:] > keys[:-1]).all()
    ):
        raise DataError(f"{path}: not a language table; write it again with scripts/build_language.py")
    return English(keys, costs, int(order))
