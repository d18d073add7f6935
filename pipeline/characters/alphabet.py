"""The alphabet: the characters that a network tells apart, and their kinds."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np

from pipeline.common.checks import check_each
from pipeline.common.errors import ConfigError, DataError

DIGITS = "0123456789"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER_CASE = "abcdefghijklmnopqrstuvwxyz"
SIGNS = ".,:;-/'\"()+=*#&%$€@!?_"
"""Signs that people write among capitals."""
ALPHANUMERIC = DIGITS + CAPITALS

LOOK_ALIKES = ("0Oo", "1Il", "5Ss", "2Zz", "Cc", "Kk", "Mm", "Pp", "Uu", "Vv", "Ww", "Xx", "Yy", "-_", ",'", "/1Il")
"""Characters that are one shape once their size and place in the line are gone."""
MOST = 200
"""Most characters of an alphabet: labels are stored in one byte."""
NOTHING = "(none)"
"""The name in tables of the class of what is not a character."""


@dataclass
class Alphabet:
    """The classes of a data set or a network: label `i` stands for `characters[i]`.

    With `nothing`, label `len(characters)` stands for what is not a character: halves, neighbours that touch, rules, blots. A
    network that cuts lines into characters needs this class.
    """

    characters: Annotated[str, "each once"]
    nothing: Annotated[bool, "whether there is a class for what is not a character, which cutting lines needs"]

    def __post_init__(self) -> None:
        check_each(
            self,
            ("characters",),
            lambda text: 1 < len(text) <= MOST and len(set(text)) == len(text) and text.isprintable() and " " not in text,
            f"must be 2 to {MOST} printable characters, each once, and no space",
        )

    def __len__(self) -> int:
        return len(self.characters)

    @property
    def classes(self) -> int:
        """Number of classes, the outputs of a network."""
        return len(self.characters) + self.nothing

    @property
    def names(self) -> list[str]:
        """Names of the K classes."""
        return [*self.characters, *([NOTHING] if self.nothing else [])]

    def index(self, character: str) -> int:
        """The label of a character."""
        return self.characters.index(character)

    @cached_property
    def kinds(self) -> np.ndarray:
        """`digit`, `capital`, `lower`, `sign` or `nothing` of each class, (K,)."""
        kinds = [
            "digit" if c.isdigit() else "capital" if c.isupper() else "lower" if c.islower() else "sign" for c in self.characters
        ]
        return np.array(kinds + ["nothing"] * self.nothing)

    @cached_property
    def alike(self) -> np.ndarray:
        """(K, K) bool: whether two classes are one shape, or the same."""
        alike = np.eye(self.classes, dtype=bool)
        for group in LOOK_ALIKES:
            rows = [self.index(c) for c in group if c in self.characters]
            alike[np.ix_(rows, rows)] = True
        return alike

    def described(self) -> dict[str, Any]:
        """The alphabet as JSON, for files."""
        return {"characters": self.characters, "nothing": self.nothing}

    def require(self, other: "Alphabet", mine: str, its: str) -> None:
        """Check that two files or settings have the same classes.

        Raises:
            DataError: one line that names both and the first difference.
        """
        if self != other:
            missing, more = ("".join(sorted(set(a.names) - set(b.names))) for a, b in ((self, other), (other, self)))
            difference = f"{mine} has {missing or 'nothing'} that {its} lacks, {its} has {more or 'nothing'} that {mine} lacks"
            raise DataError(
                f"{mine} and {its} have different alphabets ({difference}); prepare and train again with one alphabet="
            )


def from_description(description: Any, source: str) -> Alphabet:
    """The alphabet that `Alphabet.described` described.

    Raises:
        DataError: the description is not valid; the message names `source`.
    """
    try:
        characters, nothing = description["characters"], description["nothing"]
        if not isinstance(characters, str) or not isinstance(nothing, bool):
            raise TypeError("characters must be text and nothing true or false")
        return Alphabet(characters, nothing)
    except (KeyError, TypeError, ConfigError) as error:
        raise DataError(f"{source}: tells no alphabet ({error}); make it again") from None
