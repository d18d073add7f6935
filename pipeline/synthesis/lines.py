"""Lines: pages of writing as masks of ink, with the character that each pixel belongs to.

There is no paper, light or camera: this is what a page reader works on after it has found the ink, with exact segmentation.
Letters touch, strokes break, sizes and gaps differ from hand to hand, and there are specks and rests of rules, which are not
characters.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pipeline.synthesis.handwriting import Habits, write_characters
from pipeline.synthesis.ink import margin, place
from pipeline.synthesis.stroke_library import StrokeLibrary
from pipeline.synthesis.texts import Tokens, random_page, text_of


@dataclass(frozen=True)
class WrittenPage:
    """A page and its truth.

    Attributes:
        ink: (H, W) bool.
        owner: (H, W) int32, 1 + the index of the character that a pixel of ink belongs to, 0 for paper and clutter.
        lines: tokens of every line.
        characters: the text of every character, without spaces, in reading order.
        line_of: (N,) int, the line that each of the characters stands in.
        word_start: (N,) bool, whether each of them is the first of a word.
    """

    ink: np.ndarray
    owner: np.ndarray
    lines: list[Tokens]
    characters: str
    line_of: np.ndarray
    word_start: np.ndarray


def random_habits(rng: np.random.Generator, pen: float) -> Habits:
    """The habits of a hand, even or hurried, close or wide, with a pen of that width in heights of a capital."""
    letter_gap = pen + float(np.exp(rng.uniform(np.log(0.1), np.log(0.6))))
    return Habits(
        slant=rng.normal(0, 8),
        slant_jitter=rng.uniform(1, 5),
        size_jitter=rng.uniform(0.02, 0.12),
        bend=rng.uniform(0.01, 0.04),
        baseline_jitter=rng.uniform(0.01, 0.05),
        letter_gap=letter_gap,
        word_gap=letter_gap + float(np.exp(rng.uniform(np.log(0.5), np.log(1.8)))),
        gap_jitter=rng.uniform(0.1, 0.35),
        join=float(rng.choice([0.0, 0.03, 0.1, 0.3], p=[0.45, 0.25, 0.2, 0.1])),
    )


def write_page(library: StrokeLibrary, hand: int, characters: str, rng: np.random.Generator) -> WrittenPage:
    """A random page of `characters` written by `hand`, without those that the hand has no shape for."""
    lines = random_page(rng, "".join(character for character in characters if library.find(hand, character)))
    capital = float(np.exp(rng.uniform(np.log(16), np.log(70))))  # pixels
    pen = max(2.0, capital * float(np.exp(rng.uniform(np.log(0.06), np.log(0.18)))))
    habits = random_habits(rng, pen / capital)
    pitch, slope = rng.uniform(1.6, 3.0), np.tan(np.radians(rng.normal(0, 0.7)))
    pieces: list[tuple[list[np.ndarray], int]] = []  # strokes of a character in heights of a capital, its line
    written, starts = "", []
    for number, line in enumerate(lines):
        text = text_of(line)
        shift = np.array([rng.uniform(0, 0.6), number * pitch])
        for at, strokes in enumerate(write_characters(library, hand, text, habits, rng)):
            if strokes:
                pieces.append(([stroke + shift + stroke[:, :1] * [0, slope] for stroke in strokes], number))
                written += text[at]
                starts.append(at == 0 or text[at - 1] == " ")
    ink, owner = _draw(pieces, capital, pen, rng)
    ink |= _clutter(ink.shape, capital, pen, rng)
    return WrittenPage(ink, owner, lines, written, np.array([line for _, line in pieces]), np.array(starts))


def _draw(
    pieces: list[tuple[list[np.ndarray], int]], capital: float, pen: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Mask of the ink and owner of each pixel, after a blur and a threshold as a photo and its reader apply them."""
    points = np.concatenate([stroke for strokes, _ in pieces for stroke in strokes])
    border = 1.0 + pen / capital
    low = points.min(axis=0) - border
    columns, rows = np.ceil((points.max(axis=0) + border - low) * capital).astype(int)
    dark, owner = np.zeros((rows, columns), np.float32), np.zeros((rows, columns), np.int32)
    blur, threshold, faint = rng.uniform(0, 0.03) * capital, rng.uniform(0.3, 0.5), rng.uniform(0, 0.15)
    pad = margin(pen)
    for index, (strokes, _) in enumerate(pieces):
        own = np.concatenate(strokes)
        corner = np.floor((own.min(axis=0) - low) * capital).astype(int)
        image = place(strokes, capital, pen, low + corner / capital, own.max(axis=0), rng, 0.12).astype(np.float32) / 255
        x, y = corner - pad
        window = slice(max(y, 0), y + image.shape[0]), slice(max(x, 0), x + image.shape[1])
        image = image[max(-y, 0) :, max(-x, 0) :][: rows - max(y, 0), : columns - max(x, 0)]
        stronger = image > dark[window]
        owner[window][stronger] = index + 1
        np.maximum(dark[window], image, out=dark[window])
    uneven = ndimage.gaussian_filter(rng.standard_normal(dark.shape, np.float32), 0.15 * capital)
    dark *= 1 - faint * np.abs(uneven) / max(float(uneven.std()), 1e-6)
    dark = ndimage.gaussian_filter(dark, max(blur, 0.4)) + rng.normal(0, 0.05, dark.shape)
    ink = dark > threshold
    nearest = ndimage.distance_transform_edt(owner == 0, return_distances=False, return_indices=True)
    return ink, np.where(ink, owner[tuple(nearest)], 0)


def _clutter(shape: tuple[int, int], capital: float, pen: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W) bool: specks, hairs and rests of rules where nothing is written."""
    mask = np.zeros(shape, bool)
    for _ in range(rng.poisson(rng.choice([0.3, 2.0, 8.0], p=[0.6, 0.3, 0.1]))):
        length = int(rng.uniform(0.2, 1.5) * capital) if rng.random() < 0.3 else int(pen * rng.uniform(0.3, 1.4)) + 1
        thick = max(1, int(pen * rng.uniform(0.3, 1.0)))
        height, width = (thick, length) if rng.random() < 0.7 else (length, thick)
        y, x = rng.integers(0, max(shape[0] - height, 1)), rng.integers(0, max(shape[1] - width, 1))
        mask[y : y + height, x : x + width] = True
    return mask
