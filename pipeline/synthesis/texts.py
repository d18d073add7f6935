"""Texts: random pages of what people write in capitals, as lines of tokens whose kind is known.

Notes, forms, shopping lists, enumerations, columns of numbers, codes, single letters and sums. The page reader is fitted to them:
they show how words, numbers and codes follow one another.
"""

from collections.abc import Callable

import numpy as np

from pipeline.synthesis.tokens import DIGITS, LETTERS, Token, code, digits, letters, number, pick, sign, word

Tokens = list[Token]


def random_page(rng: np.random.Generator, characters: str) -> list[Tokens]:
    """The lines of one page, at least one and none empty; what `characters` does not hold is left out."""
    while True:
        lines = [_only(line, characters) for line in pick(rng, PAGES)(rng)]
        lines = [line for line in lines if line]
        if lines:
            return lines


def text_of(line: Tokens) -> str:
    """The line as text, its tokens separated by single spaces."""
    return " ".join(token.text for token in line)


def _only(line: Tokens, characters: str) -> Tokens:
    kept = [Token("".join(c for c in token.text if c in characters), token.kind) for token in line]
    return [token for token in kept if any(c.isalnum() for c in token.text) or token.text in set("+-=&/*()?")]


def _words(rng: np.random.Generator, low: int, high: int) -> Tokens:
    return [word(rng) for _ in range(rng.integers(low, high + 1))]


def _note(rng: np.random.Generator) -> list[Tokens]:
    """Sentences, some with a number, a letter or a code in them."""
    lines = []
    for _ in range(rng.integers(1, 7)):
        line = _words(rng, 1, 5)
        while rng.random() < 0.35:
            line.insert(int(rng.integers(0, len(line) + 1)), pick(rng, {number: 8, letters: 1.5, code: 1})(rng))
        lines.append(line)
    return lines


def _form(rng: np.random.Generator) -> list[Tokens]:
    """A label and its value: FLAT 1, ROOM 101, DATE 24.06.2019, NAME J. FOX."""
    value: dict[Callable, float] = {number: 6, word: 3, letters: 1, code: 2}
    lines = []
    for _ in range(rng.integers(1, 8)):
        line = _words(rng, 1, 2) + [pick(rng, value)(rng)]
        while rng.random() < 0.3:
            line.append(pick(rng, value)(rng))
        lines.append(line)
    return lines


def _shopping(rng: np.random.Generator) -> list[Tokens]:
    """Things to buy, their amounts in front of or behind them."""
    before = rng.random() < 0.3
    lines = []
    for _ in range(rng.integers(2, 9)):
        things = _words(rng, 1, 2)
        lines.append([number(rng), *things] if before else [*things, number(rng)])
    return lines


def _enumeration(rng: np.random.Generator) -> list[Tokens]:
    """1. FIRST / 2. SECOND, some with a heading."""
    behind = rng.choice([".", ")", ""], p=[0.6, 0.2, 0.2])
    lines = [_words(rng, 1, 3)] if rng.random() < 0.5 else []
    for count in range(1, int(rng.integers(3, 8))):
        lines.append([Token(f"{count}{behind}", "number"), *_words(rng, 1, 4)])
        if rng.random() < 0.3:
            lines.append(_words(rng, 1, 3))
    return lines


def _column(rng: np.random.Generator) -> list[Tokens]:
    """A column of numbers, or rows of them."""
    across = int(pick(rng, {1: 6, 2: 1, 3: 1, 6: 1}))
    return [[number(rng) for _ in range(across)] for _ in range(rng.integers(1, 8))]


def _codes(rng: np.random.Generator) -> list[Tokens]:
    across = int(rng.integers(1, 4))
    return [[code(rng) for _ in range(across)] for _ in range(rng.integers(1, 7))]


def _singles(rng: np.random.Generator) -> list[Tokens]:
    """Rows of single letters or digits, as in exercises and grids."""
    kind, among = ("letters", LETTERS) if rng.random() < 0.6 else ("number", DIGITS)
    return [[Token(rng.choice(list(among)), kind) for _ in range(rng.integers(1, 9))] for _ in range(rng.integers(1, 5))]


def _sum(rng: np.random.Generator) -> list[str]:
    """A sum of two terms, some with a result: 7 - 12 = -5."""
    a, b = int(digits(rng, int(rng.integers(1, 4)))), int(digits(rng, int(rng.integers(1, 3))))
    mark = pick(rng, {"+": 4, "-": 3, "X": 1, "*": 0.5, "/": 0.5})
    result = {"+": a + b, "-": a - b, "X": a * b, "*": a * b, "/": a // b}[mark]
    return [str(a), mark, str(b), "=", *pick(rng, {(str(result),): 3, (): 1, ("?",): 0.3})]


def _expression(rng: np.random.Generator, terms: int, nested: float = 0.2) -> list[str]:
    """A longer sum, 4 X ( 2 + 2 ) - 1 / 3; `nested` is the probability that a term is a sum in parentheses."""
    parts: list[str] = []
    for term in range(terms):
        if term:
            parts.append(pick(rng, {"+": 4, "-": 4, "/": 2, "*": 1, "X": 1}))
        if rng.random() < nested:
            parts += ["(", *_expression(rng, int(rng.integers(2, 4)), nested=0), ")"]
        else:
            parts.append(digits(rng, int(pick(rng, {1: 6, 2: 3, 3: 1})), lead=bool(rng.random() < 0.9)))
    return parts


def _sums(rng: np.random.Generator) -> list[Tokens]:
    lines = []
    for _ in range(rng.integers(1, 5)):
        parts = _sum(rng) if rng.random() < 0.6 else _expression(rng, int(rng.integers(2, 7)))
        lines.append([Token("".join(parts), "number")] if rng.random() < 0.5 else [sign(part) for part in parts])
    return lines


PAGES: dict[Callable[[np.random.Generator], list[Tokens]], float] = {
    _note: 7,
    _form: 5,
    _shopping: 3,
    _enumeration: 2,
    _column: 2,
    _codes: 3,
    _singles: 1,
    _sums: 2.5,
}
"""Kinds of pages -> how often each is drawn, relative to the others."""
