"""Print: find the printed words of a page, by a logistic regression over what is seen of each word and of those around it."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from pipeline.reading.outline import close_gaps
from pipeline.reading.page import Line, Page, whole

WORD_GAP = 0.6  # heights of a letter; printed letters of a word, and words of a label, are closer to each other
FEATURES = ("odds", "page", "outside", "label")
"""Mean log-odds of print of the word; those of the rest of the page; the square root of the share of the
page's letters that are in cells, where the word is outside of them; the product of that and the odds."""


class Words(NamedTuple):
    """The words of a page.

    Attributes:
        labels: (H, W) int, number of the word of each pixel of ink, from 1; 0 elsewhere.
        features: (W, F) of `FEATURES`.
        letters: (W,) number of letters.
        single: (W,) bool, a single character in a cell.
    """

    labels: np.ndarray
    features: np.ndarray
    letters: np.ndarray
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
    cell_of = _most(piece_of, cells[ink], count)
    run_of = _most(piece_of, runs[ink], count)
    _, word_of = np.unique(np.stack([run_of, cell_of]), axis=1, return_inverse=True)  # (pieces,)
    word_of = word_of.reshape(-1)
    number = int(word_of.max()) + 1
    labels = np.concatenate([[0], word_of + 1])[pieces]
    word_at = word_of[piece_of]
    odds = np.log((printed[ink] + 0.02) / (1.02 - printed[ink]))
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
    rest = (weight @ odds - weight * odds) / np.maximum(weight.sum() - weight, 1e-9)
    rest = np.where(weight.sum() > weight, rest, 0.0)
    outside = np.sqrt((1 - inside) * (weight @ inside) / max(weight.sum(), 1e-9))
    features = np.stack([odds, rest, outside, outside * odds], axis=1)
    return Words(labels, features, letters, (letters == 1) & (inside > 0))


def _most(piece_of: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """(count,) the value that most pixels of each piece have."""
    pairs, times = np.unique(piece_of.astype(np.int64) * (int(values.max()) + 1) + values, return_counts=True)
    piece, value = np.divmod(pairs, int(values.max()) + 1)
    most = np.zeros(count, int)
    order = np.argsort(times, kind="stable")
    most[piece[order]] = value[order]  # of several, the last one stays
    return most


def find_print(ink: np.ndarray, printed: np.ndarray, lines: np.ndarray, cells: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(H, W) bool, the pixels of printed words; the arguments are those of `find_words`.

    All pixels of a word decide together, because single letters look like either. A single printed character in a cell stays: it
    is a part of a sudoku or a code that writing completes, not a label.

    Args:
        weights: (F + 1,) of the features, and a constant.
    """
    words = find_words(ink, printed, lines, cells)
    if words is None:
        return ink
    dropped = (words.features @ weights[:-1] + weights[-1] > 0) & ~words.single
    return np.concatenate([[False], dropped])[words.labels]


def fit_print(features: np.ndarray, is_print: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(F + 1,) weights of the features, and a constant, that make the kinds of the words most likely.

    A prior keeps them small: the weight of a feature, in its standard deviations, is normal with a standard deviation of 1.

    Args:
        features: (W, F).
        is_print: (W,) bool.
        counts: (W,) how many times each word counts.
    """
    from scipy.optimize import minimize  # not above: who reads a page does not fit, and need not wait for it

    mean, spread = (
        features.sum(0) / max(len(features), 1),
        features.std(0) + 1e-9 if len(features) else np.ones(features.shape[1]),
    )
    scaled = np.column_stack([(features - mean) / spread, np.ones(len(features))])
    signs = np.where(is_print, 1.0, -1.0)

    def cost(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = signs * (scaled @ weights)
        pull = np.append(weights[:-1], 0.0)
        gradient = -(counts * signs * np.exp(-np.logaddexp(0, margin))) @ scaled + pull
        return float(counts @ np.logaddexp(0, -margin) + pull @ pull / 2), gradient

    best = minimize(cost, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B").x
    slopes = best[:-1] / spread
    return np.append(slopes, best[-1] - slopes @ mean)


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
