"""Language: how likely a word is as text, so that context can settle 0/O, 1/I, 5/S and 2/Z.

A word is English, or a number, or letters that spell nothing, or a code of anything. Each kind is a generative model of a
word; a reading is scored under their mixture, and the weights of the mixture follow from what has been read so far (Bayes):
of the word, of the word before, and of the page. A serial number is thus as likely under "code" whatever its characters are,
and is left as the classifier saw it, and on a page of them no word is read into one that happens to look like it.
"""

import math
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.characters import CLASSES
from pipeline.common.arrays import load_arrays
from pipeline.common.errors import DataError

END = " "
ALPHABET = END + CLASSES[10:] + "?"  # "?" marks a context's back-off weight
SCALE = 24  # costs are stored in 1/24 nat, in one byte
MAX_NGRAMS, MAX_ORDER = 5_000_000, 12  # what a table may hold; more would fill the memory

# Prior of the kinds (English, number, letters, code), the number of words that it counts as against those read so far, the
# chance that the next word is of the same kind as this one, and the chance that a word that is not English ends after a
# character. None of them is critical: they say what is usual in notes, lists, labels and forms.
PRIOR = (0.43, 0.16, 0.06, 0.35)
TRUST = 2.0
SAME_KIND = 0.75
STOP = 0.25
NEUTRAL = 1 / 36  # probability of a character of a code, against which the others are measured


class State(NamedTuple):
    """What the model remembers of a text.

    Attributes:
        word: the word so far, behind a word end.
        weights: of the kinds, for this word.
        seen: how many words of each kind there were before, and TRUST words of what is usual.
    """

    word: str
    weights: tuple[float, ...]
    seen: tuple[float, ...]

    @property
    def code_share(self) -> float:
        """Share of codes among the words so far, 0..1."""
        return self.seen[3] / sum(self.seen)


START = State(END, PRIOR, tuple(TRUST * share for share in PRIOR))


def encode(ngram: str) -> int:
    """A number for a string over ALPHABET: base len(ALPHABET) + 1, so that lengths never clash."""
    key = 0
    for character in ngram:
        key = key * (len(ALPHABET) + 1) + ALPHABET.index(character) + 1
    return key


class LanguageModel:
    """Scores text character by character. See the module for the model, `scripts/build_language.py` for the table."""

    def __init__(self, keys: np.ndarray, costs: np.ndarray, order: int) -> None:
        self.order = order
        self.most = -math.log(NEUTRAL)  # the largest gain of a character
        self._table = dict(zip(keys.tolist(), (-costs.astype(float) / SCALE).tolist()))
        self._english = lru_cache(maxsize=50_000)(self._log_english)

    def _log_english(self, context: str, character: str) -> float:
        """log P(character | context), backing off to shorter contexts (Katz 1987 form)."""
        context = context[-(self.order - 1) :]
        if any(letter not in ALPHABET for letter in context + character):
            return -12.0  # English words hold no digits
        penalty = 0.0
        while True:
            found = self._table.get(encode(context + character))
            if found is not None:
                return penalty + found
            if not context:
                return penalty - math.log(len(ALPHABET))
            penalty += self._table.get(encode(context + "?"), 0.0)
            context = context[1:]

    def extend(self, state: State, character: str) -> tuple[float, State]:
        """Gain of the next character (or END), and the new state.

        The gain is its log-probability over that in a code, NEUTRAL for a character and STOP for a word's end: what is no
        language neither gains nor loses, whatever its length.
        """
        english, number, letters, code = state.weights
        if character == END:
            english *= math.exp(self._english(state.word, END)) / STOP
        else:
            english *= math.exp(self._english(state.word, character)) / (1 - STOP if len(state.word) > 1 else 1.0)
            number *= 0.1 if character <= "9" else 0.0
            letters *= 0.0 if character <= "9" else 1 / 26
            code *= 1 / 36
        total = english + number + letters + code
        if character == END:
            kinds = english / total, number / total, letters / total, code / total
            seen = tuple(count + kind for count, kind in zip(state.seen, kinds))
            rest = (1 - SAME_KIND) / sum(seen)
            weights = tuple(SAME_KIND * kind + rest * count for kind, count in zip(kinds, seen))
            return math.log(total), State(END, weights, seen)
        weights = (english / total, number / total, letters / total, code / total)
        return math.log(total / NEUTRAL), State(state.word + character, weights, state.seen)

    def score(self, text: str) -> float:
        """Sum of `extend` over a text of words with single spaces."""
        total, state = 0.0, START
        for character in text + END:
            gain, state = self.extend(state, character)
            total += gain
        return total


def load_language(path: Path) -> LanguageModel:
    """Read the table.

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
    ):
        raise DataError(f"{path}: not a language table; write it again with scripts/build_language.py")
    return LanguageModel(keys, costs, int(order))
