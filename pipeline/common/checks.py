"""Checks of a configuration's values."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from pipeline.common.errors import ConfigError


def check_each(options: object, keys: Iterable[str], holds: Callable[[Any], bool], wanted: str) -> None:
    """Check the values of several options.

    Args:
        holds: the condition on a value.
        wanted: the condition in words, such as "must be 0 or more".

    Raises:
        ConfigError: a value does not meet the condition; the message names the key.
    """
    for key in keys:
        value = getattr(options, key)
        if not holds(value):
            raise ConfigError(f"{key}: {wanted}, not {value!r}")


def check_choice(options: object, key: str, choices: Iterable[str]) -> None:
    """Check that the value of an option is one of the choices.

    Raises:
        ConfigError: it is not.
    """
    check_each(options, (key,), lambda value: value in choices, f"must be one of {', '.join(choices)}")


def is_number(value: object) -> bool:
    """Whether `value` is a finite number; True and False are not.

    >>> is_number(0.5), is_number(float("nan")), is_number(True), is_number("1")
    (True, False, False, False)
    """
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def is_whole(value: object, low: int = 1) -> bool:
    """Whether `value` is an int of `low` or more.

    >>> is_whole(3), is_whole(3.0), is_whole(0), is_whole(0, low=0)
    (True, False, False, True)
    """
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def check_shares(options: object, *keys: str) -> None:
    """Check options that are probabilities, or shares of a whole."""
    check_each(options, keys, lambda value: 0 <= value <= 1, "must be from 0 to 1")


def check_strengths(options: object, *keys: str) -> None:
    """Check options that say how strong an effect is; none makes sense at 1000."""
    check_each(options, keys, lambda value: 0 <= value < 1000, "must be 0 or more")
