"""Page: what was read, where, and how surely."""

from dataclasses import dataclass, replace

Box = tuple[float, float, float, float]     # x0, y0, x1, y1 in pixels of the photo


@dataclass(frozen=True)
class Character:
    """`text` as read; `confidence` 0..1; if `rejected` it is shown as `?`."""

    text: str
    box: Box
    confidence: float
    rejected: bool = False


@dataclass(frozen=True)
class Word:
    characters: list[Character]

    @property
    def text(self) -> str:
        return "".join("?" if character.rejected else character.text for character in self.characters)

    @property
    def box(self) -> Box:
        return around([character.box for character in self.characters])

    @property
    def confidence(self) -> float:
        return sum(character.confidence for character in self.characters) / len(self.characters)


@dataclass(frozen=True)
class Line:
    words: list[Word]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

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
        return [character for line in self.lines for word in line.words for character in word.characters]


def around(boxes: list[Box]) -> Box:
    """The smallest box around boxes."""
    x0, y0, x1, y1 = zip(*boxes)
    return min(x0), min(y0), max(x1), max(y1)


def reject(page: Page, below: float) -> Page:
    """The page with the characters that are less certain than `below` marked as rejected."""
    lines = [Line([Word([replace(c, rejected=c.confidence < below) for c in word.characters]) for word in line.words])
             for line in page.lines]
    return replace(page, lines=lines)
