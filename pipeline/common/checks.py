"""Checks of a configuration's values."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from pipeline.common.errors import ConfigError


def check_each(options: object, keys: Iterable[str], holds: Callable[[Any], bool], wanted: str) -> None:
    """Make sure that what each of the keys holds is as `wanted`, such as "must be 0 or more".

    Raises:
        ConfigError: naming the first key for which it is not.
    """
    for key in keys:
        value = getattr(options, key)
        if not holds(value):
            raise ConfigError(f"{key}: {wanted}, not {value!r}")


def check_choice(options: object, key: str, choices: Iterable[str]) -> None:
    """Make sure that what the key holds is one of the choices; otherwise ConfigError."""
    check_each(options, (key,), lambda value: value in choices, f"must be one of {', '.join(choices)}")


def is_number(value: object) -> bool:
    """Whether `value` is a finite number (True and False are none)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_whole(value: object, low: int = 1) -> bool:
    """Whether `value` is a whole number, `low` or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def check_shares(options: object, *keys: str) -> None:
    """Probabilities, or shares of a whole."""
    check_each(options, keys, lambda value: 0 <= value <= 1, "must be from 0 to 1")


def check_strengths(options: object, *keys: str) -> None:
    """How much of something there is; no effect makes sense at 1000."""
    check_each(options, keys, lambda value: 0 <= value < 1000, "must be 0 or more")
