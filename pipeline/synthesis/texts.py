"""Texts: what people write in capitals, as random pages of lines of tokens whose kind is known.

Notes, lists, forms, columns of amounts, sums, time tables, pages of codes, single letters. They are what the fitted parts of
the page reader learn from how words, numbers and codes follow one another; the words are the most frequent English ones.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

WORDS = Path(__file__).with_name("words.txt")
KINDS = ("word", "number", "letters", "code")
CONSONANTS, VOWELS = "BCDFGHJKLMNPQRSTVWXYZ", "AEIOU"
LETTERS, DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"


class Token(NamedTuple):
    """What stands between two word gaps, and which of `KINDS` it is."""

    text: str
    kind: str


Line = list[Token]
Choice = TypeVar("Choice")


def random_page(rng: np.random.Generator, characters: str) -> list[Line]:
    """The lines of one page, of what can be written with `characters`; at least one, none of them empty."""
    while True:
        lines = [_only(line, characters) for line in _pick(rng, PAGES)(rng)]
        lines = [line for line in lines if line]
        if lines:
            return lines


def text_of(line: Line) -> str:
    """The line with single spaces."""
    return " ".join(token.text for token in line)


def _only(line: Line, characters: str) -> Line:
    kept = [Token("".join(c for c in token.text if c in characters), token.kind) for token in line]
    return [token for token in kept if any(c.isalnum() for c in token.text) or token.text in set("+-=&/*()?")]


@cache
def _vocabulary() -> tuple[list[str], np.ndarray]:
    """Words, and their cumulative probabilities: Zipf's law with the most frequent ones made rarer, as they are in notes."""
    words = WORDS.read_text(encoding="utf-8").split()
    mass = np.cumsum(1 / (np.arange(len(words)) + 60.0) ** 0.7)
    return words, mass / mass[-1]


def _pick(rng: np.random.Generator, choices: Mapping[Choice, float]) -> Choice:
    """One of a dict's keys, drawn by their weights."""
    keys, weights = list(choices), np.array(list(choices.values()), float)
    return keys[int(np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random()))]


def _digits(rng: np.random.Generator, count: int, lead: bool = True) -> str:
    """`count` digits; `lead`: the first is no 0."""
    text = "".join(rng.choice(list(DIGITS), count))
    return DIGITS[rng.integers(1, 10)] + text[1:] if lead and count else text


def _word(rng: np.random.Generator) -> str:
    words, mass = _vocabulary()
    return words[int(np.searchsorted(mass, rng.random()))]


def _name(rng: np.random.Generator) -> str:
    """A name that no list of words holds: syllables."""
    syllables = [rng.choice(list(CONSONANTS)) + rng.choice(list(VOWELS)) for _ in range(rng.integers(2, 4))]
    return "".join(syllables) + (rng.choice(list("NRSLTK")) if rng.random() < 0.5 else "")


def word(rng: np.random.Generator) -> Token:
    """An English word or a name, sometimes with a sign before or behind it."""
    text = _name(rng) if rng.random() < 0.12 else _word(rng)
    form = _pick(rng, {"{}": 70, "{},": 6, "{}.": 6, "{}:": 4, "{}!": 2, "{}?": 2, '"{}"': 1.5, "({})": 2, "{}'S": 2, "{};": 0.5})
    if rng.random() < 0.03:
        text = text + rng.choice(list("-/&")) + _word(rng)
    return Token(form.format(text), "word")


def number(rng: np.random.Generator) -> Token:
    """A count, amount, price, date, time, telephone number, share, measure or ordinal."""
    whole = int(_pick(rng, {1: 30, 2: 30, 3: 20, 4: 14, 5: 4, 6: 2}))
    cents, day, month = _digits(rng, 2, False), rng.integers(1, 32), rng.integers(1, 13)
    year = str(rng.integers(1950, 2050)) if rng.random() < 0.5 else f"{rng.integers(0, 100):02}"
    mark = rng.choice(list("./-"))
    forms: dict[str, float] = {
        _digits(rng, whole): 45,
        f"{10 ** int(rng.integers(0, 4)) * int(rng.integers(1, 10))}": 6,
        str(rng.integers(1, 32)): 5,
        f"{_digits(rng, int(rng.integers(1, 4)))}.{cents}": 8,
        f"{_digits(rng, int(rng.integers(1, 3)))}.{_digits(rng, 1, False)}": 3,
        f"{_digits(rng, int(rng.integers(1, 3)))},{cents}": 2,
        f"{_digits(rng, int(rng.integers(1, 3)))},{_digits(rng, 3, False)}": 1.5,
        f"{rng.choice(list('$€'))}{_digits(rng, int(rng.integers(1, 4)))}{rng.choice(['', '.' + cents])}": 5,
        f"{_digits(rng, int(rng.integers(1, 4)))}{rng.choice(['', '.' + cents])}{rng.choice(['€', '%', '#'][:2])}": 3,
        f"#{_digits(rng, int(rng.integers(1, 5)))}": 2,
        f"{day:02}{mark}{month:02}{mark}{year}": 4,
        f"{day}{mark}{month}{mark}{year}": 3,
        f"{rng.integers(1950, 2050)}-{month:02}-{day:02}": 2,
        f"{rng.integers(0, 24)}:{rng.integers(0, 12) * 5:02}": 5,
        f"{rng.integers(1, 13)}{rng.choice([':', '.'])}{rng.integers(0, 4) * 15:02}{rng.choice(['AM', 'PM'])}": 1,
        f"0{_digits(rng, int(rng.integers(8, 11)))}": 1.5,
        f"{_digits(rng, 3)}-{_digits(rng, 4, False)}": 2,
        f"{_digits(rng, 3)}-{_digits(rng, 3, False)}-{_digits(rng, 4, False)}": 1.5,
        f"+{_digits(rng, 2)}{_digits(rng, int(rng.integers(8, 11)))}": 1,
        f"{rng.integers(1, 10)}/{rng.integers(2, 10)}": 1.5,
        f"({_digits(rng, int(rng.integers(1, 4)))})": 1,
        f"-{_digits(rng, int(rng.integers(1, 4)))}": 1,
        f"{_digits(rng, int(rng.integers(1, 3)))}X{_digits(rng, int(rng.integers(1, 3)))}": 0.7,
        f"{_digits(rng, int(rng.integers(1, 4)))}{rng.choice(['KG', 'G', 'M', 'KM', 'CM', 'ML', 'L', 'MM', 'H', 'X'])}": 2.5,
        f"{rng.integers(1, 32)}{rng.choice(['ST', 'ND', 'RD', 'TH'])}": 0.7,
        _digits(rng, whole, False): 3,
    }
    text = _pick(rng, forms)
    return Token(text + (rng.choice(list(",.;")) if rng.random() < 0.03 else ""), "number")


def letters(rng: np.random.Generator) -> Token:
    """Initials and abbreviations."""
    text = "".join(rng.choice(list(LETTERS), int(_pick(rng, {1: 50, 2: 20, 3: 20, 4: 7, 5: 3}))))
    dotted = ".".join(text) + "." if rng.random() < 0.2 else text
    return Token(dotted, "letters")


def code(rng: np.random.Generator) -> Token:
    """A serial number, a plate, a postcode: anything, or letters and digits in groups, with dashes between some."""
    count = int(rng.integers(3, 10))
    if rng.random() < 0.5:
        text = "".join(rng.choice(list(LETTERS + DIGITS), count))
    else:
        groups = [rng.choice(list(rng.choice([LETTERS, DIGITS])), rng.integers(1, 4)) for _ in range(rng.integers(2, 5))]
        text = "".join(c for group in groups for c in group)
    if rng.random() < 0.25 and len(text) > 3:
        at = int(rng.integers(1, len(text)))
        text = text[:at] + rng.choice(list("--/._")) + text[at:]
    return Token(text, "code")


def sign(text: str) -> Token:
    """A sign that stands alone, as in sums: counted with the numbers."""
    return Token(text, "number")


def _words(rng: np.random.Generator, low: int, high: int) -> Line:
    return [word(rng) for _ in range(rng.integers(low, high + 1))]


def _note(rng: np.random.Generator) -> list[Line]:
    """Sentences, here and there with a number, a letter or a code in them."""
    lines = []
    for _ in range(rng.integers(1, 7)):
        line = _words(rng, 1, 5)
        while rng.random() < 0.35:
            line.insert(int(rng.integers(0, len(line) + 1)), _pick(rng, {number: 8, letters: 1.5, code: 1})(rng))
        lines.append(line)
    return lines


def _form(rng: np.random.Generator) -> list[Line]:
    """A label and its value: FLAT 1, ROOM 101, DATE 24.06.2019, NAME J. FOX."""
    value: dict[Callable, float] = {number: 6, word: 3, letters: 1, code: 2}
    lines = []
    for _ in range(rng.integers(1, 8)):
        line = _words(rng, 1, 2) + [_pick(rng, value)(rng)]
        while rng.random() < 0.3:
            line.append(_pick(rng, value)(rng))
        lines.append(line)
    return lines


def _shopping(rng: np.random.Generator) -> list[Line]:
    """Things with amounts before or behind them."""
    before = rng.random() < 0.3
    lines = []
    for _ in range(rng.integers(2, 9)):
        things = _words(rng, 1, 2)
        lines.append([number(rng), *things] if before else [*things, number(rng)])
    return lines


def _enumeration(rng: np.random.Generator) -> list[Line]:
    """1. FIRST / 2. SECOND, a heading perhaps."""
    behind = rng.choice([".", ")", ""], p=[0.6, 0.2, 0.2])
    lines = [_words(rng, 1, 3)] if rng.random() < 0.5 else []
    for count in range(1, int(rng.integers(3, 8))):
        lines.append([Token(f"{count}{behind}", "number"), *_words(rng, 1, 4)])
        if rng.random() < 0.3:
            lines.append(_words(rng, 1, 3))
    return lines


def _column(rng: np.random.Generator) -> list[Line]:
    """Numbers below one another, or rows of them."""
    across = int(_pick(rng, {1: 6, 2: 1, 3: 1, 6: 1}))
    return [[number(rng) for _ in range(across)] for _ in range(rng.integers(1, 8))]


def _codes(rng: np.random.Generator) -> list[Line]:
    across = int(rng.integers(1, 4))
    return [[code(rng) for _ in range(across)] for _ in range(rng.integers(1, 7))]


def _singles(rng: np.random.Generator) -> list[Line]:
    """Rows of single letters or digits, as in exercises and grids."""
    kind, among = ("letters", LETTERS) if rng.random() < 0.6 else ("number", DIGITS)
    return [[Token(rng.choice(list(among)), kind) for _ in range(rng.integers(1, 9))] for _ in range(rng.integers(1, 5))]


def _sum(rng: np.random.Generator) -> list[str]:
    """Operands, signs and perhaps a result: 7 - 12 = -5."""
    a, b = int(_digits(rng, int(rng.integers(1, 4)))), int(_digits(rng, int(rng.integers(1, 3))))
    mark = _pick(rng, {"+": 4, "-": 3, "X": 1, "*": 0.5, "/": 0.5})
    result = {"+": a + b, "-": a - b, "X": a * b, "*": a * b, "/": a // b}[mark]
    return [str(a), mark, str(b), "=", *_pick(rng, {(str(result),): 3, (): 1, ("?",): 0.3})]


def _expression(rng: np.random.Generator, terms: int, nested: float = 0.2) -> list[str]:
    """A longer sum, `nested` the probability that a term is one itself: 4 X ( 2 + 2 ) - 1 / 3."""
    parts: list[str] = []
    for term in range(terms):
        if term:
            parts.append(_pick(rng, {"+": 4, "-": 4, "/": 2, "*": 1, "X": 1}))
        if rng.random() < nested:
            parts += ["(", *_expression(rng, int(rng.integers(2, 4)), nested=0), ")"]
        else:
            parts.append(_digits(rng, int(_pick(rng, {1: 6, 2: 3, 3: 1})), lead=bool(rng.random() < 0.9)))
    return parts


def _sums(rng: np.random.Generator) -> list[Line]:
    lines = []
    for _ in range(rng.integers(1, 5)):
        parts = _sum(rng) if rng.random() < 0.6 else _expression(rng, int(rng.integers(2, 7)))
        lines.append([Token("".join(parts), "number")] if rng.random() < 0.5 else [sign(part) for part in parts])
    return lines


PAGES: dict[Callable[[np.random.Generator], list[Line]], float] = {
    _note: 7,
    _form: 5,
    _shopping: 3,
    _enumeration: 2,
    _column: 2,
    _codes: 3,
    _singles: 1,
    _sums: 2.5,
}
"""Kinds of pages, and how often each is drawn."""
