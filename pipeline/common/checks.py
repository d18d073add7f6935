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
