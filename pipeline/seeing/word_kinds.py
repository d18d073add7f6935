"""Word kinds: which words of a page are writing, which are print, and which are neither: crossed out, a blot, a rest of a line.

A network looks at each word by itself (`windows.py`). Softmax regression then weighs what it says of a word against what it
says of the others on the page, and against where the word stands.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.common.arrays import load_arrays
from pipeline.common.errors import DataError
from pipeline.nn.network import Network, network_of
from pipeline.seeing.groups import Words, log_odds
from pipeline.seeing.windows import SHAPE, Sight, cut_windows

LEAST_WRITTEN = 0.1  # share of the letters of a page; what is fitted holds for pages with more writing
WRITING, PRINT, NEITHER = range(3)
NAMES = "writing", "print", "neither"
FEATURES = ("print", "neither", "page_print", "page_neither", "outside", "label", "pixels", "hand")
"""The network's log-odds of print and of neither against writing; the log-odds of their shares of the other words on the page;
`Words.outside`, and the product of that and the odds of print; `Words.odds`; and the mean log-odds of print of the other words
that are writing, with one more letter of even odds: beside a clear hand, a word that may be either is print."""

EVIDENCE = ("print", "page_print", "label", "pixels"), ("neither", "page_neither")
"""The features that speak for print and for neither: more of them never makes these kinds less likely, whatever else is known."""


class WordModel(NamedTuple):
    """What tells the kinds of words.

    Attributes:
        network: from windows to the logits of the kinds.
        weights: (2, F + 1) of the `FEATURES` and a constant, for the log-odds of print and of neither against writing.
    """

    network: Network
    weights: np.ndarray


def word_network_of(arrays: dict[str, np.ndarray], path: Path) -> Network:
    """The network whose arrays were found in the file at `path`.

    Raises:
        DataError: it is no network that tells the kinds of words.
    """
    network, _ = network_of(arrays, path)
    if network.input_shape != SHAPE or network.classes != len(NAMES):
        raise DataError(f"{path}: its network does not tell the kinds of words; make it with `dvc repro words`")
    return network


def load_word_network(path: Path) -> Network:
    """The network that the stage `words` wrote; see `word_network_of`.

    Raises:
        DataError: it is not there, or another one.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file; get it with `dvc pull words`, or make it with `dvc repro words`")
    return word_network_of(load_arrays(path), path)


def find_kinds(sight: Sight, model: WordModel) -> np.ndarray:
    """(W,) int, the most probable kind of each word.

    A single printed character in a cell counts as writing: it is a part of a sudoku or a code that writing completes, not a
    label. So does a dot, which nothing tells apart; and everything, where hardly anything is writing: a neat hand may look like
    print, and a 1 alone like a rest of a line.
    """
    owners, windows = cut_windows(sight)
    words = sight.words
    odds = features(words, owners, model.network.logits(windows)) @ model.weights[:, :-1].T + model.weights[:, -1]
    odds[words.single, 0] = -np.inf
    kinds = np.column_stack([np.zeros(len(odds)), odds]).argmax(axis=1)
    kinds[~np.isin(np.arange(len(kinds)), owners)] = WRITING
    return kinds if words.weight @ (kinds == WRITING) > LEAST_WRITTEN * words.weight.sum() else np.full_like(kinds, WRITING)


def features(words: Words, owners: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """(W, F) the `FEATURES` of the words, from the logits (M, 3) of their windows; several windows of a word are averaged."""
    count = len(words.letters)
    seen = np.maximum(np.bincount(owners, minlength=count), 1)
    odds = np.stack(
        [np.bincount(owners, logits[:, kind] - logits[:, WRITING], count) / seen for kind in (PRINT, NEITHER)]
    )  # (2, W)
    total = np.logaddexp.reduce([np.zeros(count), *odds])
    chances, writing = np.exp(odds - total), np.exp(-total)  # (2, W), (W,)
    weight = words.weight * (np.bincount(owners, minlength=count) > 0)
    others = np.maximum(weight.sum() - weight, 1e-9)
    shares = np.where(weight.sum() > weight, ((chances @ weight)[:, None] - weight * chances) / others, 0.0)
    written = weight * ~words.single * writing  # (W,) letters
    hand = (written @ odds[0] - written * odds[0]) / (1 + written.sum() - written)
    return np.stack([*odds, *log_odds(shares), words.outside, words.outside * odds[0], words.odds, hand], axis=1)


def fit_word_kinds(features: np.ndarray, kinds: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(2, F + 1) weights of the features, and constants, that make the kinds of the words most likely.

    A prior keeps them small: the weight of a feature, in its standard deviations, is normal with a standard deviation of 1. The
    weights of `EVIDENCE` are not negative: features that say the same could otherwise correct each other, which holds for the
    typefaces and hands of the fit alone.

    Args:
        features: (W, F).
        kinds: (W,) int.
        counts: (W,) how many times each word counts.
    """
    from scipy.optimize import minimize  # not above: who reads a page does not fit, and need not wait for it

    width = features.shape[1]
    mean, spread = np.zeros(width), np.ones(width)
    if len(features):
        mean, spread = features.mean(0), features.std(0) + 1e-9
    scaled = np.column_stack([(features - mean) / spread, np.ones(len(features))])
    right = np.eye(3)[kinds]

    def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(2, width + 1)
        logits = np.column_stack([np.zeros(len(scaled)), scaled @ weights.T])
        log = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        pull = np.column_stack([weights[:, :-1], np.zeros(2)])
        gradient = ((np.exp(log) - right)[:, 1:] * counts[:, None]).T @ scaled + pull
        return float(-counts @ (log * right).sum(1) + (pull * pull).sum() / 2), gradient.ravel()

    bounds = [(0 if name in evidence else None, None) for evidence in EVIDENCE for name in (*FEATURES, "constant")]
    best = minimize(cost, np.zeros(2 * (width + 1)), jac=True, method="L-BFGS-B", bounds=bounds).x.reshape(2, width + 1)
    slopes = best[:, :-1] / spread
    return np.column_stack([slopes, best[:, -1] - slopes @ mean])
