"""Checks of a configuration's values."""

import math
from collections.abc import Callable, Iterable
from typing import Any

from pipeline.errors import ConfigError


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
