"""Groups: the letters of a page that belong together as words, before anything is read."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from pipeline.seeing.outline import close_gaps

WORD_GAP = 0.6  # heights of a letter; printed letters of a word, and words of a label, are closer to each other


class Words(NamedTuple):
    """The W words of a page.

    Attributes:
        labels: (H, W) int, number of the word of each pixel of ink, from 1; 0 elsewhere.
        odds: (W,) mean log-odds of print of its pixels.
        outside: (W,) the square root of the share of the page's letters that are in cells, where the word is outside of them.
        letters: (W,) number of letters.
        weight: (W,) number of letters, 0 for specks, which say nothing about the page.
        single: (W,) bool, a single character in a cell.
    """

    labels: np.ndarray
    odds: np.ndarray
    outside: np.ndarray
    letters: np.ndarray
    weight: np.ndarray
    single: np.ndarray


def find_words(ink: np.ndarray, printed: np.ndarray, lines: np.ndarray, cells: np.ndarray) -> Words | None:
    """Join letters to words; None without ink.

    The letters of a word are closer to each other than they are tall, with no line between, and not in different cells.

    Args:
        ink: (H, W) bool.
        printed: (H, W) probability that the pixel is print if it is ink.
        lines: (H, W) bool, lines of tables and forms.
        cells: (H, W) int, number of the cell of each pixel, 0 outside of all cells.
    """
    pieces, count = ndimage.label(ink, np.ones((3, 3), bool))
    if not count:
        return None
    boxes = np.array([(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(pieces)], float)
    tall = boxes[:, 3] - boxes[:, 1]
    reach = max(1, int(WORD_GAP * np.median(tall[tall > 0.3 * np.quantile(tall, 0.9)])))
    runs, _ = ndimage.label((close_gaps(ink, reach + 1) & ~lines) | ink, np.ones((3, 3), bool))
    piece_of = pieces[ink] - 1  # (P,) for each pixel of ink
    sizes = np.bincount(piece_of, minlength=count)
    cell_of = most_common(piece_of, cells[ink], count)
    run_of = most_common(piece_of, runs[ink], count)
    _, word_of = np.unique(np.stack([run_of, cell_of]), axis=1, return_inverse=True)  # (pieces,)
    word_of = word_of.reshape(-1)
    number = int(word_of.max()) + 1
    labels = np.concatenate([[0], word_of + 1])[pieces]
    word_at = word_of[piece_of]
    odds = log_odds(printed[ink])
    area = np.bincount(word_of, sizes, number)
    odds = np.bincount(word_at, odds, number) / area
    inside = np.bincount(word_of, sizes * (cell_of > 0), number) / area
    sides = np.maximum(tall, boxes[:, 2] - boxes[:, 0])
    order = np.argsort(sides)
    usual = sides[order][np.searchsorted(np.cumsum(sides[order]), sides.sum() / 2)]
    largest = np.zeros(number)
    np.maximum.at(largest, word_of, sides)
    full = sides > 0.5 * np.minimum(usual, largest[word_of])  # no dots
    letters = np.maximum(np.bincount(word_of, full, number), 1)
    weight = np.where(largest > 0.3 * usual, letters, 0.0)  # specks say nothing about the page
    outside = np.sqrt((1 - inside) * (weight @ inside) / max(weight.sum(), 1e-9))
    return Words(labels, odds, outside, letters, weight, (letters == 1) & (inside > 0))


def log_odds(chances: np.ndarray) -> np.ndarray:
    """Log-odds of probabilities, none of which counts as quite certain."""
    return np.log((chances + 0.02) / (1.02 - chances))


def most_common(piece_of: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """(count,) the value that most pixels of each piece have."""
    pairs, times = np.unique(piece_of.astype(np.int64) * (int(values.max()) + 1) + values, return_counts=True)
    piece, value = np.divmod(pairs, int(values.max()) + 1)
    most = np.zeros(count, int)
    order = np.argsort(times, kind="stable")
    most[piece[order]] = value[order]  # of several, the last one stays
    return most
