"""Lettering: strokes of any text, lower case and signs too, by a hand that is neat or hurried.

Lengths are in heights of a capital, x to the right, y down, the line at y = 0, as in `handwriting`.
"""

import string
from dataclasses import dataclass

import numpy as np

from pipeline.synthesis.handwriting import Habits, touching_gap, vary
from pipeline.synthesis.stroke_library import StrokeLibrary
from pipeline.synthesis.typefaces import SKELETONS, skeleton

SIGNS = ".,:;-/'\"()+=*#&%$@!?_"
LETTERS = "ETAOINSHRDLUCMFWYPVBGKJQXZ"
RARE = 0.15
"""Probability of one of the library's rarer shapes of a character."""
SHARES = np.array([12, 9, 8, 7.5, 7, 6.7, 6.3, 6, 6, 4.3, 4, 2.8, 2.8, 2.4, 2.2, 2.4, 2, 1.9, 1, 1.5, 2, 0.8, 0.3, 0.2, 0.3, 0.2])


@dataclass
class Hand:
    """A writer.

    Attributes:
        index: of the hand in the library.
        habits: how it writes.
        case: upper, lower or mixed.
        typeface: the skeletons of characters that the library does not have of this hand.
    """

    index: int
    habits: Habits
    case: str
    typeface: str
    connect: float  # probability that the pen stays down between two letters


def make_hand(library: StrokeLibrary, split: str, rng: np.random.Generator) -> Hand:
    """A hand of a split of the library, steady or hurried."""
    haste = rng.uniform(0, 1) ** 1.5
    letter_gap = rng.uniform(0.12, 0.5) if rng.random() < 0.93 else rng.uniform(0.5, 1.6)  # a few space their letters out
    habits = Habits(
        slant=rng.normal(4, 8),
        slant_jitter=1 + 5 * haste,
        size_jitter=0.02 + 0.10 * haste,
        bend=0.01 + 0.05 * haste,
        baseline_jitter=0.01 + 0.06 * haste,
        letter_gap=letter_gap,
        word_gap=letter_gap + rng.uniform(0.4, 1.5),
        gap_jitter=0.1 + 0.3 * haste,
        join=rng.choice([0.0, 0.1, 0.5]),
    )
    case = str(rng.choice(["upper", "mixed", "lower"], p=[0.7, 0.15, 0.15]))
    connect = 0.8 if case != "upper" and rng.random() < 0.5 else 0.0
    return Hand(int(rng.choice(library.hands_of(split))), habits, case, str(rng.choice(SKELETONS[split])), connect)


def write(library: StrokeLibrary, hand: Hand, text: str, rng: np.random.Generator) -> tuple[list[np.ndarray], float]:
    """The strokes of a line of text, and its width."""
    written: list[np.ndarray] = []
    habits, x, wander, before = hand.habits, 0.0, 0.0, None
    for character in text:
        if character == " ":
            x += (habits.word_gap - habits.letter_gap) * np.exp(rng.normal(0, habits.gap_jitter))
            before = None
            continue
        glyph = vary(_skeleton(library, hand, character, rng), habits, rng)
        gap = habits.letter_gap * np.exp(rng.normal(0, habits.gap_jitter)) * (0.6 if character in ".,:;'\"" else 1)
        if before is not None and character not in SIGNS and rng.random() < habits.join:
            gap = touching_gap(before, glyph)
        wander = 0.8 * wander + rng.normal(0, habits.baseline_jitter)
        start = x + gap if written else 0.0
        glyph_placed = [stroke + (start, wander) for stroke in glyph]
        if before is not None and written and character not in SIGNS and rng.random() < hand.connect:
            written.append(
                np.stack([written[-1][-1], (written[-1][-1] + glyph_placed[0][0]) / 2 + (0, 0.06), glyph_placed[0][0]])
            )
        written += glyph_placed
        x = start + max(stroke[:, 0].max() for stroke in glyph)
        before = None if character in SIGNS else glyph
    return written, x


def _skeleton(library: StrokeLibrary, hand: Hand, character: str, rng: np.random.Generator) -> list[np.ndarray]:
    """Strokes of the character as the hand writes it, or, if the hand lacks it and sometimes otherwise, as another one does."""
    found, rare = library.find(hand.index, character), library.rare_shapes(character)
    if len(rare) and (not found or rng.random() < RARE):
        found = rare.tolist()
    if not found:
        return skeleton(hand.typeface, character)
    return [stroke - (0, 1) for stroke in library.glyphs[int(rng.choice(found))].strokes]


def make_text(rng: np.random.Generator, case: str = "upper", words: int = 1) -> str:
    """Words, numbers, codes, dates, prices and sums, of random letters: what a pixel is does not depend on what it says."""
    return " ".join(_word(rng, case) for _ in range(words))


def make_amount(rng: np.random.Generator) -> str:
    """What stands in a column of its own: a number, a price, a single digit."""
    digits = "".join(rng.choice(list("1123456789000"), rng.integers(1, 5)))
    return digits + str(rng.choice(["", "", "", "x", ".50", "%"]))


def _word(rng: np.random.Generator, case: str) -> str:
    kind = rng.random()
    if kind < 0.03:  # all stems and bars, as lines have them: 1, 11, III, HILL, 1/7
        return "".join(rng.choice(list("11IIILTEFH7/-" if case != "lower" else "11lliitf7/-"), rng.integers(1, 6)))
    digits = "".join(rng.choice(list(string.digits), rng.integers(1, 6)))
    if kind < 0.07:  # one character after another, as in lists of letters
        return " ".join(rng.choice(list(LETTERS.lower() if case == "lower" else LETTERS + string.digits), rng.integers(2, 8)))
    if kind < 0.62:
        word = "".join(rng.choice(list(LETTERS), rng.integers(1, 10), p=SHARES / SHARES.sum()))
        word = word.lower() if case == "lower" else word.capitalize() if case == "mixed" else word
        return word + str(rng.choice(["", "", "", ".", ",", ":", "!", "?", ";"]))
    if kind < 0.78:
        return digits
    if kind < 0.84:
        return f"{digits[:2]}{rng.choice(list('/-.:'))}{rng.integers(0, 99):02d}{rng.choice(['', '/24', '.19', '-2021'])}"
    if kind < 0.9:
        return f"{rng.choice(list('$#@&(%_*'))}{digits}{rng.choice(['', '.50', '.-', ')', '%'])}"
    if kind < 0.925:
        return str(rng.choice(list("---=+_*&#")))
    if kind < 0.97:
        sign = rng.choice(list("+-=/*"))
        gap, result = str(rng.choice(["", " "])), str(rng.choice(["", f"={digits}"]))
        return f"{digits[:2]}{gap}{sign}{gap}{rng.integers(0, 99)}{result}"
    return "".join(rng.choice(list(LETTERS + string.digits), rng.integers(3, 8)))
