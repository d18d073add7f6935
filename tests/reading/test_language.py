"""The language model: prefers English where it is read, and leaves codes alone."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.characters import CLASSES
from pipeline.common.errors import DataError
from pipeline.reading.language import END, NEUTRAL, START, STOP, load_language
from pipeline.reading.lines import CODES

TABLE = Path(__file__).parents[2] / "data/language.npz"


@pytest.fixture(scope="module")
def language():
    return load_language(TABLE)


@pytest.mark.parametrize(
    "likely, unlikely",
    [
        ("BOOK", "B00K"),
        ("THING", "TH1NG"),
        ("SENSE", "5EN5E"),
        ("ZOE", "20E"),
        ("2024", "2O24"),
        ("150", "I50"),
        ("THE FIRST", "THEFIRST"),
        ("LEARNING", "LERRNING"),
        ("REFRIGERATOR", "REFRI GERATOR"),
        ("A B C D", "A 8 C D"),
    ],
)
def test_what_people_write_is_likelier(language, likely, unlikely):
    assert language.score(likely) > language.score(unlikely)


def test_in_a_code_no_character_is_preferred(language):
    for a, b in (("X7O4", "X704"), ("K2ZB5", "KZZB5"), ("7SQ1", "75Q1")):
        assert abs(language.score(a) - language.score(b)) < 0.35


def read_on(language, text):
    """The model's state after a text."""
    state = START
    for character in text + END:
        state = language.extend(state, character)[1]
    return state


def test_a_page_of_codes_makes_a_code_of_what_looks_like_a_word(language):
    def gain(text, state):
        total = 0.0
        for character in text + END:
            likely, state = language.extend(state, character)
            total += likely
        return total

    codes, words = read_on(language, "K7Q2 X9ZD 4HVM PW36 J0TB 8CRA"), read_on(language, "THE QUICK BROWN FOX JUMPED")
    assert gain("DOOR", START) > gain("D0OR", START) + 4
    assert abs(gain("DSMZE", codes) - gain("D5MZE", codes)) < 0.1 and gain("DOOR", codes) < gain("DOOR", START) - 2
    assert gain("DOOR", words) > gain("DOOR", START) and words.weights[0] > 0.9 and codes.weights[3] > 0.9


def test_a_page_of_codes_is_told_from_one_that_holds_some(language):
    assert START.code_share < 0.5 < CODES < read_on(language, "K7Q2 X9ZD 4HVM PW36 J0TB 8CRA").code_share
    assert read_on(language, "ORDER 4711 B DATE 24 06 2019 SERIAL NX 30582 KQ PART 8806 W7 QTY 150").code_share < 0.5


def test_the_next_character_is_a_probability(language):
    for state in (START, language.extend(START, "T")[1]):
        mass = sum(np.exp(language.extend(state, c)[0]) * NEUTRAL for c in CLASSES)
        end = np.exp(language.extend(state, END)[0]) * STOP if len(state.word) > 1 else 0
        assert 0.9 < mass <= 1.4 and end < 1
        assert language.most >= max(language.extend(state, c)[0] for c in CLASSES)


def test_a_missing_table_is_one_line(tmp_path):
    with pytest.raises(DataError, match="no language table; run scripts/build_language.py, or set language_weight"):
        load_language(tmp_path / "none.npz")


KEYS, COSTS, ORDER = np.arange(3, dtype=np.uint64), np.zeros(3, np.uint8), np.array(6)


@pytest.mark.parametrize(
    "arrays, reason",
    [
        ({"keys": KEYS, "costs": COSTS}, "holds no array 'order'"),
        ({"keys": np.array([object()]), "costs": COSTS, "order": ORDER}, "Python objects"),
        ({"keys": KEYS.astype(float), "costs": COSTS, "order": ORDER}, "not a language table"),
        ({"keys": KEYS[:2], "costs": COSTS, "order": ORDER}, "not a language table"),
        ({"keys": KEYS, "costs": COSTS, "order": np.array([6, 6])}, "not a language table"),
        ({"keys": KEYS, "costs": COSTS, "order": np.array(10**9)}, "not a language table"),
    ],
)
def test_what_is_not_a_table_is_refused(tmp_path, arrays, reason):
    path = tmp_path / "table.npz"
    np.savez_compressed(path, **arrays)
    with pytest.raises(DataError, match=reason) as caught:
        load_language(path)
    assert "table.npz" in str(caught.value) and "\n" not in str(caught.value)


def test_a_table_that_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr("pipeline.reading.language.MAX_NGRAMS", 1000)
    with pytest.raises(DataError, match="not a language table"):
        load_language(TABLE)


def test_a_damaged_table_is_refused(tmp_path):
    (tmp_path / "bad.npz").write_bytes(TABLE.read_bytes()[:9000])
    with pytest.raises(DataError, match="bad.npz"):
        load_language(tmp_path / "bad.npz")
