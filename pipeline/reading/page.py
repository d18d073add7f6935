"""Page: the text that was read, its places and its probabilities."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the photo


@dataclass(frozen=True)
class Character:
    """`text` as read; if `rejected` it is shown as `?`.

    Attributes:
        confidence: posterior probability of this character.
        alternatives: (text, posterior) of other characters, the most probable first.
    """

    text: str
    box: Box
    confidence: float
    rejected: bool = False
    alternatives: tuple[tuple[str, float], ...] = ()

    @property
    def existence(self) -> float:
        """Posterior probability that a character stands there, whichever it is."""
        return min(1.0, self.confidence + sum(posterior for _, posterior in self.alternatives))

    @property
    def shown(self) -> str:
        return "?" if self.rejected else self.text


class Place(NamedTuple):
    """Of a cell: the number of its row of cells on the page, its column in it, and how many columns that has; a comb is one."""

    row: int
    column: int
    columns: int


@dataclass(frozen=True)
class Word:
    """Characters between two word gaps.

    Attributes:
        posterior: probability of the whole word; None: that of independent characters.
        alternatives: (text, posterior) of other words, the most probable first.
        printed: whether it is known to be print.
        place: of the cell it is written in, if it is in one.
    """

    characters: list[Character]
    posterior: float | None = None
    alternatives: tuple[tuple[str, float], ...] = ()
    printed: bool = False
    place: Place | None = None

    @property
    def text(self) -> str:
        return "".join(character.shown for character in self.characters)

    @property
    def box(self) -> Box:
        return around([character.box for character in self.characters])

    @property
    def confidence(self) -> float:
        """Probability that the whole word is right."""
        return math.prod(c.confidence for c in self.characters) if self.posterior is None else self.posterior


@dataclass(frozen=True)
class Line:
    words: list[Word]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def characters(self) -> list[Character]:
        return [character for word in self.words for character in word.characters]

    @property
    def box(self) -> Box:
        return around([word.box for word in self.words])


@dataclass(frozen=True)
class Page:
    """Lines top to bottom. `rotation`: degrees, counter-clockwise, that turn the photo upright."""

    width: int
    height: int
    rotation: float
    lines: list[Line]

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)

    @property
    def characters(self) -> list[Character]:
        return [character for line in self.lines for character in line.characters]


def around(boxes: list[Box]) -> Box:
    """The smallest box around boxes."""
    x0, y0, x1, y1 = zip(*boxes)
    return min(x0), min(y0), max(x1), max(y1)


def within(box: Box, outer: Box) -> bool:
    """Whether a box lies within another one."""
    return box[0] >= outer[0] and box[1] >= outer[1] and box[2] <= outer[2] and box[3] <= outer[3]


def level(rotation: float) -> np.ndarray:
    """(2, 2) matrix that turns points of the photo, y down, by `rotation` degrees counter-clockwise about (0, 0)."""
    turn = np.deg2rad(rotation)
    return np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def level_box(characters: Iterable[Character], rotation: float) -> Box:
    """The smallest box around characters, after a rotation of their photo by `rotation`."""
    corners = np.array([(x, y) for x0, y0, x1, y1 in (c.box for c in characters) for x in (x0, x1) for y in (y0, y1)])
    turned = corners @ level(rotation).T  # (4 N, 2)
    return *turned.min(axis=0), *turned.max(axis=0)


def whole(box: Box) -> tuple[int, int, int, int]:
    """The smallest box in whole pixels that contains the box."""
    return math.floor(box[0]), math.floor(box[1]), math.ceil(box[2]), math.ceil(box[3])


def reject(page: Page, below: float) -> Page:
    """The page; characters whose posterior is lower than `below` are marked as rejected."""
    lines = [
        Line(
            [
                replace(word, characters=[replace(c, rejected=c.confidence < below) for c in word.characters])
                for word in line.words
            ]
        )
        for line in page.lines
    ]
    return replace(page, lines=lines)
