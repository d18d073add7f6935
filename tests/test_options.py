"""Options: their checks, and that conf/ and the documentation say what the code says of them."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from pipeline.common.errors import ConfigError
from pipeline.common.options import SHARE, OneOf, Options, Range, options_of
from scripts import update_options


@dataclass
class Walk(Options):
    speed: Annotated[float, "in metres a second", Range(above=0, high=3)] = 1.0
    steps: Annotated[int, "in all", Range(1)] = 10
    pauses: Annotated[list[int], "steps after which it stops", Range(0, 100)] = ()  # type: ignore[assignment]
    shoes: Annotated[str, "what is worn", OneOf(("boots", "sandals"))] = "boots"
    with_whom: Annotated[list[str], "company", OneOf(("dog", "friend"))] = ("dog",)  # type: ignore[assignment]
    rain: Annotated[float | None, "its probability; null: unknown", SHARE] = None
    name: Annotated[str, "of the path"] = ""
    note: str = ""


@pytest.mark.parametrize(
    "values, message",
    [
        ({"speed": 0.0}, "speed: must be a number above 0 and at most 3, not 0.0"),
        ({"speed": float("nan")}, "speed: must be a number above 0"),
        ({"speed": True}, "speed: must be a number"),
        ({"speed": "1"}, "speed: must be a number"),
        ({"steps": 0}, "steps: must be a whole number, 1 or more, not 0"),
        ({"steps": 2.0}, "steps: must be a whole number"),
        ({"pauses": [1, 101]}, "pauses: must be a list of whole numbers from 0 to 100"),
        ({"pauses": "12"}, "pauses: must be a list"),
        ({"shoes": "bare"}, "shoes: must be one of boots, sandals, not 'bare'"),
        ({"with_whom": ["cat"]}, "with_whom: must name one or more of dog, friend"),
        ({"with_whom": []}, "with_whom: must name one or more of dog, friend"),
        ({"rain": 1.5}, "rain: must be a number from 0 to 1"),
    ],
)
def test_a_value_outside_its_range_is_refused_in_one_line(values, message):
    with pytest.raises(ConfigError) as error:
        Walk(**values)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


def test_values_within_their_range_are_taken():
    walk = Walk(speed=3, steps=1, pauses=[], with_whom=["dog", "friend"], rain=0.0)
    assert walk.speed == 3 and Walk().rain is None


def test_only_annotated_fields_are_options():
    assert list(options_of(Walk)) == ["speed", "steps", "pauses", "shoes", "with_whom", "rain", "name"]


def test_every_value_in_conf_has_a_meaning_in_the_code_and_says_it():
    """`python -m scripts.update_options` brings the comments up to date."""
    for path, options in update_options.conf_files().items():
        text = path.read_text(encoding="utf-8")
        assert update_options.commented(text, options) == text, f"{path}: run python -m scripts.update_options"
        keys = {match["name"] for match in map(update_options.KEY.match, text.splitlines()) if match}
        assert keys == set(options_of(options)), path


def test_the_page_of_options_is_what_the_code_says():
    assert update_options.TABLE.read_text(encoding="utf-8") == update_options.page(), "run python -m scripts.update_options"
