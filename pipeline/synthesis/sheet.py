"""A sheet: what is written, drawn and printed on it, before a canvas shows it as pixels."""

from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.synthesis.handwriting import STEP, Habits, vary
from pipeline.synthesis.lettering import Hand, make_hand, write
from pipeline.synthesis.stroke_library import StrokeLibrary
from pipeline.synthesis.typefaces import TYPEFACES


@dataclass
class Sheet:
    """The contents of a sheet, in pixels of the sheet. A picture shows about the square from (0, 0) to (size, size) of it.

    Attributes:
        library: the stroke library that the hand belongs to.
        size: side in pixels of the square that is shown.
        capital: height of written capitals in pixels.
        pen: width of the pen in pixels.
        hand: the writer.
        rng: draws everything random.
        typeface: of printed text.
        stretch: width of printed letters relative to the typeface's.
        rules: printed lines: width in pixels -> strokes (K, 2).
        drawn: strokes (K, 2) of lines drawn by hand.
        written: strokes (K, 2) of writing.
        printed: printed texts, as `Canvas.print` takes them.
        crossed: strokes (K, 2) of words that are crossed out, and of what crosses them out.
        tints: corners (4, 2) of shaded areas.
    """

    library: StrokeLibrary
    size: int
    capital: float
    pen: float
    hand: Hand
    rng: np.random.Generator
    typeface: str
    stretch: float
    rules: dict[float, list[np.ndarray]] = field(default_factory=dict)
    drawn: list[np.ndarray] = field(default_factory=list)
    written: list[np.ndarray] = field(default_factory=list)
    printed: list[tuple[str, float, float, int, str, float]] = field(default_factory=list)
    crossed: list[np.ndarray] = field(default_factory=list)
    tints: list[np.ndarray] = field(default_factory=list)

    def write(self, text: str, x: float, y: float, capital: float | None = None, angle: float = 0.0) -> float:
        """Write on the base line `y`, starting at `x`; return the x at which the text ends."""
        size = capital or self.capital
        strokes, width = write(self.library, self.hand, text, self.rng)
        turn = size * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        step = max(1, int(0.8 / (STEP * size)))  # points that lie closer than a pixel cost time and change nothing
        self.written += [stroke[_every(len(stroke), step)] @ turn + (x, y) for stroke in strokes]
        return x + width * size

    def print(self, text: str, x: float, y: float, capital: float, typeface: str | None = None) -> float:
        """Print on the base line `y`, starting at `x`; return about the x at which the text ends."""
        self.printed.append((text, x, y, max(4, round(capital)), typeface or self.typeface, self.stretch))
        return x + 0.85 * len(text) * capital * self.stretch

    def rule(self, points: list[tuple[float, float]], width: float, style: str = "solid") -> None:
        """Print a line through the points; `style` is solid, dashed or dotted."""
        line = np.array(points, float)
        self.rules.setdefault(width, []).extend([line] if style == "solid" else _dashes(line, width, style))

    def box(self, x: float, y: float, width: float, height: float, pen: float) -> None:
        """Print a rectangle whose top left corner is (x, y)."""
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
        self.rule(corners, pen)

    def draw(self, points: np.ndarray) -> None:
        """Draw a line by hand through the points (K, 2)."""
        start, length = points.min(0), float(np.ptp(points, axis=0).max())
        shaky = Habits(0, 0, 0, 0.03 * self.rng.random(), 0, 0, 0, 0, 0)
        strokes = vary([(points - start) / length], shaky, self.rng)
        self.drawn += [stroke * length + start for stroke in strokes]

    def draw_ellipse(self, x: float, y: float, wide: float, tall: float, share: float = 1.0) -> None:
        """Draw by hand a `share` of an ellipse, not quite closed; (x, y) is its centre, `wide` and `tall` are its half axes."""
        start = self.rng.uniform(0, 2 * np.pi)
        along = np.linspace(start, start + 2 * np.pi * share * self.rng.uniform(0.93, 1.05), 40)
        self.draw(np.column_stack([x + wide * np.cos(along), y + tall * np.sin(along)]))


def _every(count: int, step: int) -> np.ndarray:
    """Indices of every `step`-th of `count` points, and of the last point."""
    return np.append(np.arange(0, count - 1, step), count - 1)


def _dashes(line: np.ndarray, width: float, style: str) -> list[np.ndarray]:
    """The dashes or dots, each (2, 2), of the line between the two points (2, 2); width and lengths in pixels."""
    (x0, y0), (x1, y1) = line[0], line[-1]
    length = float(np.hypot(x1 - x0, y1 - y0))
    on, off = (0.5 * width, 3.0 * width) if style == "dotted" else (5.0 * width, 4.0 * width)
    starts = np.arange(0, length, max(on + off, 3.0)) / max(length, 1)
    step = np.array([x1 - x0, y1 - y0])
    return [np.array([line[0] + s * step, line[0] + min(1.0, s + on / length) * step]) for s in starts]


def make_sheet(
    library: StrokeLibrary, split: str, size: int, capital: float, pen: float, rng: np.random.Generator, capitals: bool = False
) -> Sheet:
    """An empty sheet with a random hand and typeface of the split; `capitals`: the hand writes only these."""
    hand, typeface, stretch = make_hand(library, split, rng), str(rng.choice(TYPEFACES[split])), float(rng.uniform(0.78, 1.1))
    if capitals:
        hand = replace(hand, case="upper", connect=0.0)
    return Sheet(library, size, capital, pen, hand, rng, typeface, stretch)
