"""The language model: prefers English where it is read, and leaves codes alone."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.characters import CLASSES
from pipeline.common.errors import DataError
from pipeline.reading.kinds import KINDS, Kinds
from pipeline.reading.language import END, NEUTRAL, LanguageModel, load_language

TABLE = Path(__file__).parents[2] / "data/language.npz"


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


def test_a_long_word_is_known_to_its_end(language):
    """Shorter n-grams find GNETTI about as good as GHETTI."""
    assert language.score("SPAGHETTI") > language.score("SPAGNETTI") + 5


@pytest.mark.parametrize(
    "number, word",
    [
        ("FLAT 1", "FLAT I"),
        ("ROOM 101", "ROOM IOI"),
        ("BUS 10", "BUS IO"),
        ("CHEESE 100", "CHEESE IOO"),
        ("1\n10\n11\n100", "I\nIO\nII\nIOO"),
        ("1. BUDGET", "I. BUDGET"),
        ("3.14", "3.I4"),
        ("SEE YOU AT 7", "SEE YOU AT T"),
    ],
)
def test_a_number_stays_one_among_words(language, number, word):
    assert language.score(number) > language.score(word)


def test_in_a_code_no_character_is_preferred_much(language):
    """Less than one in six to one: the classifier decides unless it is at a loss."""
    for a, b in (("X7O4", "X704"), ("K2ZB5", "KZZB5"), ("7SQ1", "75Q1")):
        assert abs(language.score(a) - language.score(b)) < 1.8


def test_a_page_of_codes_makes_a_code_of_what_looks_like_a_word(language):
    codes, words = (
        language.read(language.start(), text)[1] for text in ("K7Q2 X9ZD 4HVM PW36 J0TB", "THE QUICK BROWN FOX JUMPED")
    )

    def gain(text, state):
        return language.read(state, text)[0]

    assert gain("DOOR", language.start()) > gain("D0OR", language.start()) + 4
    assert gain("DSMZE", codes) - gain("D5MZE", codes) < gain("DSMZE", words) - gain("D5MZE", words)
    assert gain("DOOR", codes) < gain("DOOR", language.start()) < gain("DOOR", words)
    assert words.kinds[0] > 0.7 and codes.kinds[3] > 0.5


def test_what_follows_a_label_is_learnt_from_the_page(language):
    number = KINDS.index("number")
    state = language.start()
    for line in ("BREAD 25", "MILK 7", "CHEESE 348"):
        state = language.read(state, line)[1]
    for character in "WATER ":
        state = language.advance(state, character)
    assert state.kinds[number] > 0.75


def test_the_next_character_is_a_probability(language):
    for state in (language.start(), language.advance(language.start(), "T")):
        mass = sum(np.exp(language.gain(state, c)) * NEUTRAL[0] for c in CLASSES)
        end = np.exp(language.gain(state, END)) * NEUTRAL[1]
        assert 0.5 < mass <= 1.05 and end < 1  # the rest are signs
        assert language.most >= max(language.gain(state, c) for c in CLASSES)


def test_kinds_survive_being_stored(language):
    again = Kinds.of_arrays(language.kinds.arrays())
    assert LanguageModel(language.english, again).score("BUS 10\n24.06.2019") == language.score("BUS 10\n24.06.2019")


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
        ({"keys": KEYS[::-1], "costs": COSTS, "order": ORDER}, "not a language table"),
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
