"""Checks of a configuration's values."""

from collections.abc import Callable, Iterable
from typing import Any

from pipeline.errors import ConfigError


def check_each(options: object, keys: Iterable[str], holds: Callable[[Any], bool], wanted: str) -> None:
    """Make sure that what each of the keys holds is as `wanted`.

    Raises:
        ConfigError: naming the first key for which it is not.
    """
    for key in keys:
        value = getattr(options, key)
        if not holds(value):
            raise ConfigError(f"{key}: {value} {wanted}")
