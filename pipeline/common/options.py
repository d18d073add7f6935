"""Options: the fields of a dataclass, each with its meaning and its range in one annotation.

The check, the comments in `conf/` and the table in the documentation are made from the annotations
(`python -m scripts.update_options` writes the last two).

>>> @dataclass
... class Motion(Options):
...     speed: Annotated[float, "of the walk, in metres a second", Range(0, 3)]
>>> Motion(speed=5.0)
Traceback (most recent call last):
pipeline.common.errors.ConfigError: speed: must be a number from 0 to 3, not 5.0
"""

from collections.abc import Iterable
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from pipeline.common.checks import is_number
from pipeline.common.errors import ConfigError


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; or above and below others, which are not included."""

    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        return (
            (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        """The range in words.

        >>> str(Range(0, 1)), str(Range(1)), str(Range(0, below=1)), str(Range(above=0))
        ('from 0 to 1', '1 or more', '0 or more and below 1', 'above 0')
        """
        if self.low is not None and self.high is not None:
            return f"from {self.low} to {self.high}"
        ends = ((self.low, "{} or more"), (self.above, "above {}"), (self.high, "at most {}"), (self.below, "below {}"))
        return " and ".join(words.format(end) for end, words in ends if end is not None)


SHARE = Range(0, 1)
"""A probability, or a part of a whole."""
STRENGTH = Range(0, below=1000)
"""How strong an effect is, 0 for none; no effect makes sense at 1000."""


class OneOf(tuple[str, ...]):
    """The texts that an option may be; for an option that is a list, the texts that may be in it."""

    def __new__(cls, choices: Iterable[str]) -> "OneOf":
        return super().__new__(cls, choices)

    def __str__(self) -> str:
        return ", ".join(self)


class Option(NamedTuple):
    """The annotation of an option.

    Attributes:
        kind: its type.
        meaning: its meaning in a few words.
        limits: of its value, or of each value of a list; None: any value of its type.
    """

    kind: Any
    meaning: str
    limits: Range | OneOf | None


def options_of(cls: type) -> dict[str, Option]:
    """The options of a dataclass by their names; fields without a meaning are left out."""
    found = {}
    for key, hint in get_type_hints(cls, include_extras=True).items():
        if get_origin(hint) is Annotated:
            kind, meaning, *limits = get_args(hint)
            found[key] = Option(kind, meaning, limits[0] if limits else None)
    return found


class Options:
    """A base class for dataclasses whose options are checked when one is made.

    Raises:
        ConfigError: a value is outside its range; the message names the key.
    """

    def __post_init__(self) -> None:
        for key, option in options_of(type(self)).items():
            value = getattr(self, key)
            if option.limits is not None and not _holds(value, option):
                raise ConfigError(f"{key}: must {_wanted(option)}, not {value!r}")


def _holds(value: Any, option: Option) -> bool:
    if value is None:
        return type(None) in get_args(option.kind)
    kind, many = _one(option.kind)
    if not many:
        return _is_in(value, kind, option.limits)
    if isinstance(value, str) or not isinstance(value, Iterable):
        return False
    values = list(value)
    enough = bool(values) or isinstance(option.limits, Range)
    return enough and all(_is_in(one, kind, option.limits) for one in values)


def _one(kind: Any) -> tuple[Any, bool]:
    """The type of a single value, without None; whether the option is a list of them."""
    kind = next((part for part in get_args(kind) if part is not type(None)), kind) if get_origin(kind) is UnionType else kind
    return (get_args(kind)[0], True) if get_origin(kind) is list else (kind, False)


def _is_in(value: Any, kind: Any, limits: Any) -> bool:
    if isinstance(limits, OneOf):
        return value in limits
    return is_number(value) and (kind is float or isinstance(value, int)) and value in limits


def _wanted(option: Option) -> str:
    """What an option must be, in words."""
    kind, many = _one(option.kind)
    if isinstance(option.limits, OneOf):
        return f"name one or more of {option.limits}" if many else f"be one of {option.limits}"
    number, limits = "number" if kind is float else "whole number", str(option.limits)
    link = " " if limits.startswith(("from", "above", "at most")) else ", " if limits else ""
    return f"be {f'a list of {number}s' if many else f'a {number}'}{link}{limits}"
