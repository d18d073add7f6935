"""The language model: prefers English where it is read, and leaves codes alone."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.characters import CLASSES
from pipeline.errors import DataError
from pipeline.page.language import END, NEUTRAL, START, STOP, load_language

TABLE = Path(__file__).parents[2] / "data/language.npz"


@pytest.fixture(scope="module")
def language():
    return load_language(TABLE)


@pytest.mark.parametrize("likely, unlikely", [
    ("BOOK", "B00K"), ("THING", "TH1NG"), ("SENSE", "5EN5E"), ("ZOE", "20E"), ("2024", "2O24"), ("150", "I50"),
    ("THE FIRST", "THEFIRST"), ("LEARNING", "LERRNING"), ("REFRIGERATOR", "REFRI GERATOR"), ("A B C D", "A 8 C D")])
def test_what_people_write_is_likelier(language, likely, unlikely):
    assert language.score(likely) > language.score(unlikely)


def test_in_a_code_no_character_is_preferred(language):
    for a, b in (("X7O4", "X704"), ("K2ZB5", "KZZB5"), ("7SQ1", "75Q1")):
        assert abs(language.score(a) - language.score(b)) < 0.35


def test_the_next_character_is_a_probability(language):
    _, state = language.extend(START, "T")
    for state in (START, state):
        mass = sum(np.exp(language.extend(state, c)[0]) * NEUTRAL for c in CLASSES)
        end = np.exp(language.extend(state, END)[0]) * STOP if len(state.word) > 1 else 0
        assert 0.9 < mass <= 1.4 and end < 1
        assert language.most >= max(language.extend(state, c)[0] for c in CLASSES)


def test_a_missing_or_damaged_table_is_one_line(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"no table")
    np.savez(tmp_path / "evil.npz", keys=np.array([object()]))
    for name, reason in (("none.npz", "no language table"), ("bad.npz", "not a language table"), ("evil.npz", "not a language table")):
        with pytest.raises(DataError, match=reason):
            load_language(tmp_path / name)
