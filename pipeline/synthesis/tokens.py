"""Tokens: random words, numbers, codes and signs as people write them in capitals, each with its kind."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

WORDS = Path(__file__).with_name("words.txt")
"""The most frequent English words, one a line, most frequent first."""
KINDS = ("word", "number", "letters", "code")
CONSONANTS, VOWELS = "BCDFGHJKLMNPQRSTVWXYZ", "AEIOU"
LETTERS, DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"

Choice = TypeVar("Choice")


class Token(NamedTuple):
    """The text between two word gaps, and its kind, one of `KINDS`."""

    text: str
    kind: str


@cache
def frequent_words() -> list[str]:
    """The words of `WORDS`."""
    return WORDS.read_text(encoding="utf-8").split()


@cache
def _vocabulary() -> tuple[list[str], np.ndarray]:
    """Words and their cumulative probabilities: Zipf's law, flattened because frequent words are rarer in notes than in prose."""
    words = frequent_words()
    mass = np.cumsum(1 / (np.arange(len(words)) + 60.0) ** 0.7)
    return words, mass / mass[-1]


def pick(rng: np.random.Generator, choices: Mapping[Choice, float]) -> Choice:
    """One of the keys, drawn with a probability proportional to its weight."""
    keys, weights = list(choices), np.array(list(choices.values()), float)
    return keys[int(np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random()))]


def digits(rng: np.random.Generator, count: int, lead: bool = True) -> str:
    """`count` random digits; with `lead`, the first one is not 0."""
    text = "".join(rng.choice(list(DIGITS), count))
    return DIGITS[rng.integers(1, 10)] + text[1:] if lead and count else text


def _word(rng: np.random.Generator) -> str:
    words, mass = _vocabulary()
    return words[int(np.searchsorted(mass, rng.random()))]


def _name(rng: np.random.Generator) -> str:
    """A made-up name: two or three syllables."""
    syllables = [rng.choice(list(CONSONANTS)) + rng.choice(list(VOWELS)) for _ in range(rng.integers(2, 4))]
    return "".join(syllables) + (rng.choice(list("NRSLTK")) if rng.random() < 0.5 else "")


def word(rng: np.random.Generator) -> Token:
    """An English word or a name, sometimes with a sign before or behind it."""
    text = _name(rng) if rng.random() < 0.12 else _word(rng)
    form = pick(rng, {"{}": 70, "{},": 6, "{}.": 6, "{}:": 4, "{}!": 2, "{}?": 2, '"{}"': 1.5, "({})": 2, "{}'S": 2, "{};": 0.5})
    if rng.random() < 0.03:
        text = text + rng.choice(list("-/&")) + _word(rng)
    return Token(form.format(text), "word")


def number(rng: np.random.Generator) -> Token:
    """A count, amount, price, date, time, telephone number, share, measure or ordinal."""
    whole = int(pick(rng, {1: 30, 2: 30, 3: 20, 4: 14, 5: 4, 6: 2}))
    cents, day, month = digits(rng, 2, False), rng.integers(1, 32), rng.integers(1, 13)
    year = str(rng.integers(1950, 2050)) if rng.random() < 0.5 else f"{rng.integers(0, 100):02}"
    mark = rng.choice(list("./-"))
    forms: dict[str, float] = {
        digits(rng, whole): 45,
        f"{10 ** int(rng.integers(0, 4)) * int(rng.integers(1, 10))}": 6,
        str(rng.integers(1, 32)): 5,
        f"{digits(rng, int(rng.integers(1, 4)))}.{cents}": 8,
        f"{digits(rng, int(rng.integers(1, 3)))}.{digits(rng, 1, False)}": 3,
        f"{digits(rng, int(rng.integers(1, 3)))},{cents}": 2,
        f"{digits(rng, int(rng.integers(1, 3)))},{digits(rng, 3, False)}": 1.5,
        f"{rng.choice(list('$€'))}{digits(rng, int(rng.integers(1, 4)))}{rng.choice(['', '.' + cents])}": 5,
        f"{digits(rng, int(rng.integers(1, 4)))}{rng.choice(['', '.' + cents])}{rng.choice(['€', '%', '#'][:2])}": 3,
        f"#{digits(rng, int(rng.integers(1, 5)))}": 2,
        f"{day:02}{mark}{month:02}{mark}{year}": 4,
        f"{day}{mark}{month}{mark}{year}": 3,
        f"{rng.integers(1950, 2050)}-{month:02}-{day:02}": 2,
        f"{rng.integers(0, 24)}:{rng.integers(0, 12) * 5:02}": 5,
        f"{rng.integers(1, 13)}{rng.choice([':', '.'])}{rng.integers(0, 4) * 15:02}{rng.choice(['AM', 'PM'])}": 1,
        f"0{digits(rng, int(rng.integers(8, 11)))}": 1.5,
        f"{digits(rng, 3)}-{digits(rng, 4, False)}": 2,
        f"{digits(rng, 3)}-{digits(rng, 3, False)}-{digits(rng, 4, False)}": 1.5,
        f"+{digits(rng, 2)}{digits(rng, int(rng.integers(8, 11)))}": 1,
        f"{rng.integers(1, 10)}/{rng.integers(2, 10)}": 1.5,
        f"({digits(rng, int(rng.integers(1, 4)))})": 1,
        f"-{digits(rng, int(rng.integers(1, 4)))}": 1,
        f"{digits(rng, int(rng.integers(1, 3)))}X{digits(rng, int(rng.integers(1, 3)))}": 0.7,
        f"{digits(rng, int(rng.integers(1, 4)))}{rng.choice(['KG', 'G', 'M', 'KM', 'CM', 'ML', 'L', 'MM', 'H', 'X'])}": 2.5,
        f"{rng.integers(1, 32)}{rng.choice(['ST', 'ND', 'RD', 'TH'])}": 0.7,
        digits(rng, whole, False): 3,
    }
    text = pick(rng, forms)
    return Token(text + (rng.choice(list(",.;")) if rng.random() < 0.03 else ""), "number")


def letters(rng: np.random.Generator) -> Token:
    """Initials and abbreviations."""
    text = "".join(rng.choice(list(LETTERS), int(pick(rng, {1: 50, 2: 20, 3: 20, 4: 7, 5: 3}))))
    dotted = ".".join(text) + "." if rng.random() < 0.2 else text
    return Token(dotted, "letters")


def code(rng: np.random.Generator) -> Token:
    """A code, such as a serial number, a number plate or a postcode: letters and digits mixed or in groups, some with a dash."""
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
    """A sign between spaces, as in sums; its kind is that of numbers."""
    return Token(text, "number")
