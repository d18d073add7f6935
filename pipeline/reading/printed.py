"""Print: find the printed words of a page."""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from pipeline.reading.page import Line, Page, whole

PRINT = 1.0  # least mean log-odds of the pixels of a printed word
WORD_GAP = 0.6  # heights of a letter; printed letters of a word, and words of a label, are closer to each other


def find_print(ink: np.ndarray, printed: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """(H, W) bool, the pixels of printed words.

    The letters of a word are closer to each other than they are tall, with no line between. All pixels of a word decide together,
    because single letters look like either. A single printed character stays: it is a part of a sudoku or a code that writing
    completes, not a label.

    Args:
        ink: (H, W) bool.
        printed: (H, W) probability that the pixel is print if it is ink.
        lines: (H, W) bool, lines of tables and forms.
    """
    letters, count = ndimage.label(ink, np.ones((3, 3), bool))
    if not count:
        return ink
    boxes = ndimage.find_objects(letters)
    tall = np.array([box[0].stop - box[0].start for box in boxes])
    reach = max(1, int(WORD_GAP * np.median(tall[tall > 0.3 * np.quantile(tall, 0.9)])))
    beside = np.pad(ink, ((0, 0), (reach, reach))).view(np.uint8)  # grey closing works along the rows, binary closing on windows
    joined = ndimage.grey_closing(beside, (1, reach + 1))[:, reach:-reach] > 0
    words, number = ndimage.label((joined & ~lines) | ink, np.ones((3, 3), bool))
    log_odds = np.log((printed[ink] + 0.02) / (1.02 - printed[ink]))
    chance = np.bincount(words[ink], log_odds, number + 1)[1:] / np.maximum(np.bincount(words[ink], minlength=number + 1)[1:], 1)
    first = [words[box][letters[box] == index + 1][0] for index, box in enumerate(boxes)]
    members = np.bincount(first, minlength=number + 1)[1:]
    if np.median(np.repeat(chance, members)) > 0:  # a page that is all print is written by a neat hand
        return np.zeros_like(ink)
    return np.concatenate([[False], (chance > PRINT) & (members > 1)])[words] & ink


def mark_print(page: Page, ink: np.ndarray, printed: np.ndarray) -> Page:
    """The page; words with more print than writing are marked.

    Args:
        ink, printed: (H, W) bool, in a frame of the photo's, larger or smaller.
    """
    height, width = ink.shape
    across, down = width / page.width, height / page.height

    def is_print(box: tuple[float, float, float, float]) -> bool:
        x0, y0, x1, y1 = whole((box[0] * across, box[1] * down, box[2] * across, box[3] * down))
        inside = ink[y0:y1, x0:x1]
        return bool(2 * printed[y0:y1, x0:x1][inside].sum() > inside.sum())

    lines = [Line([replace(word, printed=is_print(word.box)) for word in line.words]) for line in page.lines]
    return replace(page, lines=lines)
