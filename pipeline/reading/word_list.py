"""Word list: words, names or part numbers of a user, together as likely as all other text."""

import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pipeline.common.errors import DataError
from pipeline.reading.kinds import END
from pipeline.reading.language import NEUTRAL, Language, log_add

PRIOR = 0.0  # log-odds that a token is a word of the list
MOST_BYTES = 20_000_000  # of a list; all prefixes of its words are kept in memory


class State(NamedTuple):
    """The state after a part of a text.

    Attributes:
        text: of the token so far.
        base: state of the language.
        odds: log-odds that the token is a word of the list.
    """

    text: str
    base: object
    odds: float


class WordList(Language):
    """A mixture of a language and a list, whose words are equally likely.

    Args:
        words: in any case, without spaces.
    """

    lends = True

    def __init__(self, words: Iterable[str], base: Language) -> None:
        self.base = base
        self.most = -math.log(NEUTRAL[0])
        self.words = frozenset(word.upper() for word in words)
        self.begun = Counter(word[:end] for word in self.words for end in range(len(word) + 1))

    def start(self) -> State:  # type: ignore[override]
        """Before the first token of a page."""
        return State("", self.base.start(), PRIOR)

    def new_line(self, state: State) -> State:  # type: ignore[override]
        """The state at the beginning of the next line."""
        return State("", self.base.new_line(state.base), PRIOR)  # type: ignore[arg-type]

    def gain(self, state: State, character: str) -> float:  # type: ignore[override]
        """Log-probability of the next character (or END) over NEUTRAL."""
        return log_add(*self._both(state, character)) - log_add(0.0, state.odds)

    def advance(self, state: State, character: str) -> State:  # type: ignore[override]
        """The state after the next character (or END)."""
        base = self.base.advance(state.base, character)  # type: ignore[arg-type]
        if character == END:
            return State("", base, PRIOR)
        other, listed = self._both(state, character)
        return State(state.text + character, base, listed - other)

    def unearned(self, state: State) -> float:  # type: ignore[override]
        """What the token has gained as a word of the list; it is lost again if it goes on as another word."""
        return log_add(0.0, state.odds)

    def _both(self, state: State, character: str) -> tuple[float, float]:
        """Log-probabilities over NEUTRAL of the text with the next character, by the language and as a word of the list."""
        text, upper = state.text.upper(), character.upper()
        begun = self.begun.get(text, 0)
        on = (text in self.words) if character == END else self.begun.get(text + upper, 0)
        listed = state.odds + math.log(on / begun / NEUTRAL[character == END]) if begun and on else -math.inf
        return self.base.gain(state.base, character), listed  # type: ignore[arg-type]


def load_words(path: Path) -> list[str]:
    """The words of a text file, one or more a line.

    Raises:
        DataError: the file is missing, not text, empty, or larger than `MOST_BYTES`.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{path}: is larger than {MOST_BYTES:,} bytes, which no list of words is")
        words = path.read_text(encoding="utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a list of words ({getattr(error, 'strerror', None) or error})") from None
    if not words:
        raise DataError(f"{path}: holds no words; write one a line")
    return words
