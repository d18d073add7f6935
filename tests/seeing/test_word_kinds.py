"""Words before anything is read: how letters are joined, what of them the network sees, and how their kinds are decided."""

import numpy as np
import pytest
import yaml

from pipeline.common.errors import ConfigError, DataError
from pipeline.nn.network import build_network, save_network
from pipeline.nn.options import ModelOptions
from pipeline.seeing.groups import Words, find_words
from pipeline.seeing.windows import SHAPE, Sight, cut_windows
from pipeline.seeing.word_kinds import (
    FEATURES,
    NEITHER,
    PRINT,
    WRITING,
    WordModel,
    features,
    find_kinds,
    fit_word_kinds,
    load_word_network,
)
from pipeline.words import WordsConfig, load_ink
from tests.conftest import ROOT

NOWHERE = np.zeros((100, 400), int)
BY_NETWORK = np.eye(2, len(FEATURES) + 1)  # the network alone decides


def word(top: int, left: int = 20, height: int = 15, count: int = 3) -> np.ndarray:
    """(100, 400) bool, letters side by side."""
    ink = np.zeros((100, 400), bool)
    for x in range(left, left + 12 * count, 12):
        ink[top : top + height, x : x + 8] = True
    return ink


def words_of(ink: np.ndarray, chance: float = 0.5, cells: np.ndarray = NOWHERE) -> Words:
    found = find_words(ink, np.full(ink.shape, chance), NOWHERE > 0, cells)
    assert found is not None
    return found


class Judge:
    """Knows the kinds of words by how many columns of their windows they fill, in steps of 30; others are writing."""

    def __init__(self, kinds: dict[int, int]) -> None:
        self.kinds = kinds

    def logits(self, windows: np.ndarray) -> np.ndarray:
        logits = np.zeros((len(windows), 3), np.float32)
        for row, window in zip(logits, windows):
            row[self.kinds.get(int((window[1] > 127).any(axis=0).sum() // 30), WRITING)] = 4.0
        return logits


def test_letters_near_each_other_are_a_word_and_lines_and_cells_part_them():
    ink = word(20) | word(20, left=120)
    assert len(words_of(ink).letters) == 2 and words_of(ink).letters.tolist() == [3, 3]
    parted = find_words(ink, np.zeros(ink.shape), np.arange(400)[None, :] + 0 * NOWHERE == 30, NOWHERE)
    assert parted is not None and sorted(parted.letters.tolist()) == [1, 2, 3]
    cells = np.where(np.arange(400)[None, :] + 0 * NOWHERE < 54, 1 + np.arange(400)[None, :] // 12, 0)
    assert words_of(ink, cells=cells).single.sum() >= 2
    assert find_words(NOWHERE > 0, np.zeros((100, 400)), NOWHERE > 0, NOWHERE) is None


def test_a_window_shows_its_word_dark_and_what_is_around_it():
    ink = word(40, count=2) | word(40, left=54, count=1)
    contrast = (60 * ink).astype(np.uint8)
    owners, windows = cut_windows(Sight(words_of(ink), contrast, np.full(ink.shape, 0.5), 15.0))
    assert windows.shape == (2, *SHAPE) and owners.tolist() == [0, 1]
    assert windows[0, 0].max() == 255, "a pencil is as dark as a pen"
    assert (windows[0, 0] > 200).sum() > 1.3 * (windows[0, 1] > 200).sum(), "the other word is seen, and is not of it"
    assert 100 < windows[0, 2].max() < 150 and not windows[0, 2][windows[0, 1] == 0].any()


def test_a_long_word_has_several_windows_and_a_dot_none():
    ink = word(40, count=28)
    ink[80:83, 20:23] = True
    owners, windows = cut_windows(Sight(words_of(ink), (200 * ink).astype(np.uint8), np.zeros(ink.shape), 15.0))
    assert len(windows) > 3 and len(set(owners.tolist())) == 1


def test_what_is_cut_at_the_edge_of_the_picture_has_a_window():
    ink = np.zeros((100, 400), bool)
    ink[:12, :8] = ink[-12:, -8:] = True
    _, windows = cut_windows(Sight(words_of(ink), (200 * ink).astype(np.uint8), np.zeros(ink.shape), 12.0))
    assert len(windows) == 2 and all(window[1].max() > 200 for window in windows)


def test_features_compare_a_word_with_the_others_of_the_page():
    words = words_of(word(20) | word(20, left=120) | word(60))
    seen = features(words, np.array([0, 0, 1, 2]), np.array([[0, 2, 0], [0, 4, 0], [0, -1, 1], [0, -1, 3]], float))
    table = dict(zip(FEATURES, seen.T))
    np.testing.assert_allclose(table["print"], [3, -1, -1])
    first = (np.exp(-1) / (1 + np.exp(-1) + np.e) + np.exp(-1) / (1 + np.exp(-1) + np.exp(3))) / 2
    np.testing.assert_allclose(table["page_print"][0], np.log((first + 0.02) / (1.02 - first)), rtol=1e-6)
    np.testing.assert_allclose(table["pixels"], 0, atol=1e-9)
    letters = 3 / (1 + np.exp(-1) + [np.exp(1), np.exp(3)])  # of the other two words, as far as they are writing
    np.testing.assert_allclose(table["hand"][0], -letters.sum() / (1 + letters.sum()), rtol=1e-6)


def test_what_the_hand_looks_like_says_nothing_where_there_is_only_one_word_or_single_characters_in_cells():
    alone = features(words_of(word(20)), np.array([0]), np.array([[0, 2.0, 0]]))
    assert alone[0, FEATURES.index("hand")] == 0
    cells = np.where(np.arange(400)[None, :] + 0 * NOWHERE < 54, 1 + np.arange(400)[None, :] // 12, 0)
    digits = words_of(word(20) | word(60, left=120), cells=cells)
    logits = np.tile([0, -9.0, -9.0], (len(digits.letters), 1))
    beside = np.flatnonzero(~digits.single)
    hand = features(digits, np.arange(len(logits)), logits)[beside, FEATURES.index("hand")]
    assert digits.single.sum() > 1 and len(beside) == 1 and hand[0] == 0


def test_the_weights_that_tell_the_kinds_are_fitted():
    rng = np.random.default_rng(0)
    seen = rng.normal(0, 2, (6000, 2)) + (5, 0)
    odds = np.column_stack([np.zeros(6000), 2 * (seen[:, 0] - 5) - seen[:, 1] + 1, seen[:, 1] - 1])
    chances = np.exp(odds) / np.exp(odds).sum(1, keepdims=True)
    kinds = (chances.cumsum(1) < rng.random((6000, 1))).sum(1)
    table = np.zeros((6000, len(FEATURES)))
    table[:, [FEATURES.index("print"), FEATURES.index("neither")]] = seen
    weights = fit_word_kinds(table, kinds, np.ones(6000))
    np.testing.assert_allclose(weights[:, [0, 1, -1]], [(2, -1, -9), (0, 1, -1)], atol=0.35)
    assert not weights[:, 2:-1].any()


def test_what_speaks_for_print_never_counts_against_it():
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 2, 2000)
    table = np.zeros((2000, len(FEATURES)))
    clear = 4 * kinds - 2 + rng.normal(0, 1, 2000)
    table[:, FEATURES.index("print")] = clear + (noise := rng.normal(0, 3, 2000))
    table[:, FEATURES.index("pixels")] = noise  # of this fit: less of it would make print more certain
    weights = fit_word_kinds(table, kinds, np.ones(2000))[0]
    assert weights[FEATURES.index("pixels")] == 0 and weights[FEATURES.index("print")] > 0.2


def test_no_words_leave_the_weights_at_nothing():
    assert not fit_word_kinds(np.zeros((0, len(FEATURES))), np.zeros(0, int), np.zeros(0)).any()


@pytest.mark.parametrize("kind", [WRITING, PRINT, NEITHER])
def test_the_kind_of_a_word_is_what_the_network_says_of_it(kind):
    ink = word(20, count=5) | word(60, count=1)
    model = WordModel(Judge({1: kind}), BY_NETWORK)
    found = find_kinds(Sight(words_of(ink), (200 * ink).astype(np.uint8), np.zeros(ink.shape), 15.0), model)
    assert sorted(found.tolist()) == sorted([kind, WRITING])


def test_a_printed_character_alone_in_a_cell_is_a_part_of_what_is_written():
    ink = word(20, count=1) | word(60, count=5)
    contrast, model = (200 * ink).astype(np.uint8), WordModel(Judge({0: PRINT}), BY_NETWORK)
    assert sorted(find_kinds(Sight(words_of(ink), contrast, np.zeros(ink.shape), 15.0), model).tolist()) == [WRITING, PRINT]
    in_cell = words_of(ink, cells=(np.arange(100)[:, None] < 50) + NOWHERE)
    assert find_kinds(Sight(in_cell, contrast, np.zeros(ink.shape), 15.0), model).tolist() == [WRITING, WRITING]


def test_a_dot_is_writing_whatever_the_network_says_of_larger_things():
    ink = word(20, count=4) | word(60, count=2)
    ink[70:73, 200:203] = True
    model = WordModel(Judge({1: NEITHER}), BY_NETWORK)
    found = find_kinds(Sight(words_of(ink), (200 * ink).astype(np.uint8), np.zeros(ink.shape), 15.0), model)
    assert sorted(found.tolist()) == [WRITING, WRITING, NEITHER]


def test_another_network_is_refused_in_one_line(tmp_path):
    options = ModelOptions("mlp", [4], "relu", 0.0, "he", 0.0, [8], 3)
    save_network(tmp_path / "words.npz", build_network(options, (32, 32), 36, np.random.default_rng(0)), {})
    with pytest.raises(DataError, match=r"words.npz: its network does not tell the kinds of words; make it with"):
        load_word_network(tmp_path / "words.npz")
    with pytest.raises(DataError, match=r"none.npz: no such file; get it with `dvc pull words`"):
        load_word_network(tmp_path / "none.npz")


def test_a_page_that_looks_printed_everywhere_is_a_neat_hand():
    ink = word(20, count=4) | word(60, count=2) | word(60, left=120, count=2)
    contrast = (200 * ink).astype(np.uint8)
    all_print = WordModel(Judge(dict.fromkeys(range(9), PRINT)), BY_NETWORK)
    assert (find_kinds(Sight(words_of(ink), contrast, np.zeros(ink.shape), 15.0), all_print) == WRITING).all()
    some = WordModel(Judge({0: PRINT}), BY_NETWORK)
    assert sorted(find_kinds(Sight(words_of(ink), contrast, np.zeros(ink.shape), 15.0), some).tolist()) == [WRITING, PRINT, PRINT]


def test_where_nothing_is_writing_nothing_is_left_out():
    ink = word(20, count=1)
    model = WordModel(Judge({0: NEITHER}), BY_NETWORK)
    assert find_kinds(Sight(words_of(ink), (200 * ink).astype(np.uint8), np.zeros(ink.shape), 15.0), model).tolist() == [WRITING]


@pytest.mark.parametrize("channels", [[], [4, 4, 4, 4]])
def test_channels_that_do_not_fit_a_window_are_named(channels):
    values = yaml.safe_load((ROOT / "conf/words/cnn.yaml").read_text())
    with pytest.raises(ConfigError, match=r"channels: \[.*\] must be one to three numbers"):
        WordsConfig(**values | {"channels": channels})


def test_an_ink_network_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(DataError, match=r"ink.npz: no such file; get it with `dvc pull ink`"):
        load_ink(tmp_path / "ink.npz")
