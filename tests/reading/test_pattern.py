"""Patterns against Python's own regular expressions."""

import itertools
import re

import pytest

from pipeline.common.errors import ConfigError
from pipeline.reading.constraint import Allowed, Both, matches, possible
from pipeline.reading.pattern import Pattern

EXPRESSIONS = (
    "AB", "A|B", "A|", "(A|B)*", "A?B", "A*", "A+B", "A{2}", "A{0}B", "A{1,}", "A{0,2}B", "(AB){1,2}", "[AB]1", "[^A]", "[A-C]+",
    ".B", "\\d+", "(A|1)(B|)", "[]A]", "[A-]+", "A\\+", "(A{1,2}){2}", "((A|B)1?)+", "", "(A*)*B", "[1-][AB]?",
    "^AB$", "^A|B$", "^(A|B){2}$", "^[^A]+$", "^$",
)  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_matches_what_a_regular_expression_matches(expression):
    pattern = Pattern(expression)
    for length in range(5):
        for text in map("".join, itertools.product("AB1-", repeat=length)):
            assert pattern.matches(text) == bool(re.fullmatch(expression, text)), text


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_goes_on_only_where_a_match_can_still_be_reached(expression):
    pattern = Pattern(expression)
    texts = ["".join(text) for length in range(5) for text in itertools.product("AB1-]+C", repeat=length)]
    whole = {text for text in texts if re.fullmatch(expression, text)}
    begun = {text[:end] for text in whole for end in range(len(text) + 1)}
    for text in itertools.product("AB1", repeat=2):
        state = pattern.start()
        for place, character in enumerate(text):
            state = pattern.step(state, character)
            assert (state is not None) == ("".join(text[: place + 1]) in begun)
            if state is None:
                break


@pytest.mark.parametrize(
    "expression, reason",
    [
        ("(A", "misses a )"), ("A)", "a ) too many"), ("[A", "ends too early"), ("A{x}", "no number of times"),
        ("A{3,2}", "no number of times"), ("*A", "nothing before it"), ("A\\b", "means nothing"), ("[9-0]", "wrong way round"),
        ("(?:A)", "means nothing"), ("A\\", "ends too early"), ("([0-9]{99}){99}", "too many texts"),
        ("A^B", "not at its beginning"),
    ],
)  # fmt: skip
def test_what_is_no_pattern_is_refused_in_one_line(expression, reason):
    with pytest.raises(ConfigError, match=re.escape(reason)) as raised:
        Pattern(expression)
    assert "\n" not in str(raised.value)


def test_allowed_characters():
    assert matches(Allowed("0123456789"), "10 12") and not matches(Allowed("0123456789"), "1O")
    assert not matches(Allowed("0123456789", gaps=False), "10 12")


def test_a_dollar_is_a_sign_but_at_the_end():
    assert Pattern("$[0-9]+").matches("$12") and Pattern("[0-9]+\\$").matches("12$")
    assert not Pattern("[0-9]+$").matches("12$")


@pytest.mark.parametrize(
    "constraint, wanted",
    [
        (Pattern("[A-Z]{2}[0-9]+"), True), (Pattern("[a-z]*"), False), (Pattern("A[a-z]B|C"), True), (Pattern("a|A[é]"), False),
        (Allowed("helo"), False), (Allowed("heLo"), True), (Both(Allowed("0123456789"), Pattern("[A-Z]+")), False),
    ],
)  # fmt: skip
def test_whether_any_text_is_possible(constraint, wanted):
    """With an empty text alone nothing can be read."""
    assert possible(constraint, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == wanted
