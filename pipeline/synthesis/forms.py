"""Forms: what stands on a sheet: notes on ruled paper, forms to fill in, tables, printed pages, diagrams.

A `Sheet` collects it in pixels of the sheet, of which a picture shows the square from (0, 0) to (size, size), more or less.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from pipeline.synthesis.handwriting import STEP, Habits, vary
from pipeline.synthesis.lettering import Hand, make_hand, make_text, write
from pipeline.synthesis.stroke_library import StrokeLibrary
from pipeline.synthesis.typefaces import TYPEFACES


@dataclass
class Sheet:
    """What stands on a sheet.

    Attributes:
        capital: height of written capitals in pixels.
        pen: width of what writes, in pixels.
        rules: width -> strokes of printed lines.
        drawn, written: strokes of lines drawn by hand, and of writing.
        printed: as `Canvas.print` takes them.
        tints: corners (4, 2) of shaded parts.
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
    tints: list[np.ndarray] = field(default_factory=list)

    def write(self, text: str, x: float, y: float, capital: float | None = None, angle: float = 0.0) -> float:
        """Write on the line `y` from `x` on; return where it ends."""
        size = capital or self.capital
        strokes, width = write(self.library, self.hand, text, self.rng)
        turn = size * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        step = max(1, int(0.8 / (STEP * size)))  # points that lie closer than a pixel cost time and change nothing
        self.written += [stroke[_every(len(stroke), step)] @ turn + (x, y) for stroke in strokes]
        return x + width * size

    def print(self, text: str, x: float, y: float, capital: float, typeface: str | None = None) -> float:
        """Print on the line `y` from `x` on; return about where it ends."""
        self.printed.append((text, x, y, max(4, round(capital)), typeface or self.typeface, self.stretch))
        return x + 0.85 * len(text) * capital * self.stretch

    def rule(self, points: list[tuple[float, float]], width: float, style: str = "solid") -> None:
        """A printed line: solid, dashed or dotted."""
        line = np.array(points, float)
        self.rules.setdefault(width, []).extend([line] if style == "solid" else _dashes(line, width, style))

    def box(self, x: float, y: float, width: float, height: float, pen: float) -> None:
        """A printed rectangle, (x, y) its top left corner."""
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
        self.rule(corners, pen)

    def draw(self, points: np.ndarray) -> None:
        """A line drawn by hand through the points (K, 2)."""
        start, length = points.min(0), float(np.ptp(points, axis=0).max())
        shaky = Habits(0, 0, 0, 0.03 * self.rng.random(), 0, 0, 0, 0, 0)
        strokes = vary([(points - start) / length], shaky, self.rng)
        self.drawn += [stroke * length + start for stroke in strokes]


def _every(count: int, step: int) -> np.ndarray:
    """Indices of every `step`-th of `count` points and of the last one."""
    return np.append(np.arange(0, count - 1, step), count - 1)


def _dashes(line: np.ndarray, width: float, style: str) -> list[np.ndarray]:
    (x0, y0), (x1, y1) = line[0], line[-1]
    length = float(np.hypot(x1 - x0, y1 - y0))
    on, off = (0.5 * width, 3.0 * width) if style == "dotted" else (5.0 * width, 4.0 * width)
    starts = np.arange(0, length, max(on + off, 3.0)) / max(length, 1)
    step = np.array([x1 - x0, y1 - y0])
    return [np.array([line[0] + s * step, line[0] + min(1.0, s + on / length) * step]) for s in starts]


def make_sheet(library: StrokeLibrary, split: str, size: int, capital: float, pen: float, rng: np.random.Generator) -> Sheet:
    """An empty sheet and somebody to write on it."""
    hand, typeface, stretch = make_hand(library, split, rng), str(rng.choice(TYPEFACES)), float(rng.uniform(0.78, 1.1))
    return Sheet(library, size, capital, pen, hand, rng, typeface, stretch)


def notes(sheet: Sheet) -> None:
    """Lines of writing on plain, ruled, squared or dotted paper; some underlined, crossed out, boxed or ticked off."""
    rng, size, h = sheet.rng, sheet.size, sheet.capital
    pitch = h * rng.uniform(1.35, 3.2)
    first = rng.uniform(-0.3, 1.0) * pitch + h
    ruling(sheet, pitch, first)
    left = rng.uniform(-0.6, 0.5) * size
    for y in np.arange(first, size + h, pitch):
        if rng.random() < 0.12:
            continue
        x = left + rng.uniform(0, 0.4) * h + (rng.random() < 0.15) * rng.uniform(0, size)
        if rng.random() < 0.1:
            box = 0.8 * h
            sheet.draw(np.array([(x, y), (x + box, y), (x + box, y - box), (x, y - box), (x, y)]))
            if rng.random() < 0.5:
                sheet.draw(
                    np.array([(x + 0.1 * h, y - 0.5 * h), (x + 0.35 * h, y - 0.1 * h), (x + h, y - rng.uniform(0.7, 1.3) * h)])
                )
            x += 1.3 * h
        for _ in range(rng.integers(1, 7)):
            start = x
            if x > size:
                break
            x = sheet.write(make_text(rng, sheet.hand.case), x, y)
            extra = rng.random()
            if extra < 0.06:  # underlined
                for row in range(1 if rng.random() < 0.8 else 2):
                    sheet.draw(
                        np.array(
                            [(start - 0.2 * h, y + (0.2 + 0.2 * row) * h), (x, y + (rng.uniform(0.15, 0.35) + 0.2 * row) * h)]
                        )
                    )
            elif extra < 0.10:  # framed
                top, low, pad = y - 1.4 * h, y + 0.4 * h, rng.uniform(0.05, 0.5) * h
                corners = [(start - pad, low), (x + pad, low), (x + pad, top), (start - pad, top), (start - pad, low)]
                sheet.draw(np.array(corners)) if rng.random() < 0.5 else ellipse(
                    sheet, (start + x) / 2, (top + low) / 2, (x - start) / 2 + 2 * pad, 1.1 * h
                )
            elif extra < 0.12:  # crossed out: the pen of the writing, and no line of the paper
                sheet.written.append(
                    np.array([(start - 0.1 * h, y - rng.uniform(0.3, 0.6) * h), (x + 0.1 * h, y - rng.uniform(0.3, 0.6) * h)])
                )
            x += sheet.hand.habits.word_gap * h


def ruling(sheet: Sheet, pitch: float, first: float) -> None:
    """Rules, squares or dots of the paper itself, in step with the writing or not."""
    rng, size, h = sheet.rng, sheet.size, sheet.capital
    kind = str(rng.choice(["plain", "ruled", "squared", "dots", "dashed", "dotted"], p=[0.35, 0.25, 0.23, 0.07, 0.05, 0.05]))
    if kind == "plain":
        return
    pen = float(rng.choice([1.0, 1.4, 2.0, max(1.0, 0.06 * h), max(1.0, sheet.pen * rng.uniform(0.4, 1.2))]))
    spacing = pitch * rng.choice([0.5, 1, 1]) if rng.random() < 0.6 else h * rng.uniform(0.5, 2.5)
    if kind in ("squared", "dots"):
        spacing = pitch / rng.integers(1, 5) if rng.random() < 0.5 else h * rng.uniform(0.4, 1.7)
    spacing = max(spacing, 7.0)
    rows = np.arange(first + rng.uniform(-0.03, 0.25) * h - 20 * spacing, 1.4 * size, spacing)
    rows = rows[rows > -0.4 * size]
    far = (-0.4 * size, 1.4 * size)
    columns = np.arange(rng.uniform(-0.4, -0.3) * size, 1.4 * size, spacing)
    if kind == "dots":
        for y in rows:
            sheet.rules.setdefault(1.5 * pen, []).extend(np.array([(x, y), (x + 0.3, y)]) for x in columns)
        return
    style = kind if kind in ("dashed", "dotted") else "solid"
    for y in rows:
        sheet.rule([(far[0], y), (far[1], y)], pen, style)
    if kind == "squared":
        for x in columns:
            sheet.rule([(x, far[0]), (x, far[1])], pen)
    elif rng.random() < 0.2:
        margin = rng.uniform(0, 1) * size
        sheet.rule([(margin, far[0]), (margin, far[1])], pen)


def form(sheet: Sheet) -> None:
    """Printed labels, and beside or below them fields to write in: boxes, combs, lines; filled in or empty."""
    rng, size, h = sheet.rng, sheet.size, sheet.capital
    small = max(5.0, h * rng.uniform(0.35, 1.0))
    row = h * rng.uniform(2.0, 4.0)
    pen = float(rng.choice([1.0, 1.3, 2.0, 3.0, max(1.0, 0.08 * h)]))
    kinds = rng.choice(["box", "comb", "ticks", "boxes", "line", "dotted", "frame"], 2)
    filled, tight, wide = rng.uniform(0.2, 1.0), rng.uniform(1.05, 1.8), rng.uniform(0.75, 1.7)
    if rng.random() < 0.25:
        sheet.box(
            -rng.uniform(0, 0.2) * size,
            -rng.uniform(0, 0.2) * size,
            rng.uniform(0.9, 1.3) * size,
            rng.uniform(0.9, 1.3) * size,
            pen,
        )
    below = rng.random() < 0.3
    for y in np.arange(rng.uniform(-0.5, 1) * row, size + row, row):
        x = rng.uniform(-0.5, 0.3) * size
        while x < size:
            if rng.random() < 0.85:
                label = make_text(rng, str(rng.choice(["mixed", "lower", "upper"])), int(rng.integers(1, 4))) + str(
                    rng.choice(["", ":", ":"])
                )
                if below:
                    sheet.print(label, x, y + 1.2 * small + 0.2 * h, 0.8 * small)
                else:
                    x = sheet.print(label, x, y, small) + rng.uniform(0.2, 1) * h
            x = entry(sheet, str(rng.choice(kinds)), x, y, tight * h, wide * h, pen, rng.random() < filled)
            x += rng.uniform(0.5, 4) * h
            if rng.random() < 0.4:
                break


def entry(sheet: Sheet, kind: str, x: float, y: float, tall: float, wide: float, pen: float, filled: bool) -> float:
    """One field of a form, the line to write on at `y`; return where it ends."""
    rng, h = sheet.rng, sheet.capital
    count = int(rng.integers(1, 14))
    top = y - h - rng.uniform(0.2, 0.8) * (tall - h)
    low = top + tall
    if kind in ("comb", "ticks", "boxes"):
        gap = rng.uniform(0.1, 0.6) * h if kind == "boxes" else 0.0
        for cell in range(count):
            at = x + cell * (wide + gap)
            if kind == "boxes":
                sheet.box(at, top, wide, tall, pen)
            else:
                start = top if kind == "comb" else low - rng.uniform(0.2, 0.6) * tall
                sheet.rule([(at, start), (at, low)], pen)
            if filled and rng.random() < 0.9:
                character = make_text(rng, "upper").strip()[0]
                sheet.write(character, at + 0.5 * (wide - 0.6 * h) + rng.normal(0, 0.1) * h, y + rng.normal(0, 0.08) * h)
        end = x + count * (wide + gap)
        if kind != "boxes":
            sheet.rule([(end, top if kind == "comb" else low - 0.3 * tall), (end, low)], pen)
            sheet.rule([(x, low), (end, low)], pen)
            if kind == "comb":
                sheet.rule([(x, top), (end, top)], pen)
        return end
    end = x + count * wide
    if filled:
        written = sheet.write(make_text(rng, sheet.hand.case, int(rng.integers(1, 3))), x + 0.3 * h, y + rng.normal(0, 0.08) * h)
        end = max(end, written + 0.3 * h) if rng.random() < 0.8 else end
    if kind in ("line", "dotted"):
        line = y + rng.uniform(0.05, 0.3) * h
        sheet.rule([(x, line), (end, line)], pen, "dotted" if kind == "dotted" else "solid")
    else:
        sheet.box(x, top, end - x, tall, pen * (2 if kind == "frame" else 1))
    return end


def table(sheet: Sheet) -> None:
    """A grid, drawn by hand or printed, with writing, print or nothing in its cells: tables, sudokus, crosswords."""
    rng, size, h = sheet.rng, sheet.size, sheet.capital
    tall, wide = h * rng.uniform(1.25, 2.4), h * rng.choice([rng.uniform(1.1, 1.6), rng.uniform(2, 7)])
    thin, thick = float(rng.choice([1.0, 1.5, 2.0, 3.0])), float(rng.choice([2.0, 3.0, 5.0]))
    left, top = rng.uniform(-1, 0.4) * wide, rng.uniform(-1, 0.8) * tall
    columns, rows = min(40, int(1.3 * size / wide) + 1), min(40, int(1.3 * size / tall) + 1)
    if rng.random() < 0.4:
        columns, rows = int(rng.integers(1, columns + 1)), int(rng.integers(1, rows + 1))
    by_hand, every, digits = rng.random() < 0.15, int(rng.choice([1, 3, 99])), wide < 1.7 * h
    shares = rng.dirichlet([1.2, 0.8, 0.8])
    for line in range(rows + 1):
        _grid_line(
            sheet,
            [(left, top + line * tall), (left + columns * wide, top + line * tall)],
            by_hand,
            thick if line % every == 0 and every > 1 else thin,
        )
    for line in range(columns + 1):
        _grid_line(
            sheet,
            [(left + line * wide, top), (left + line * wide, top + rows * tall)],
            by_hand,
            thick if line % every == 0 and every > 1 else thin,
        )
    tinted = 0.15 if rng.random() < 0.2 else 0.0
    for row in range(rows):
        for column in range(columns):
            if tinted and rng.random() < tinted:
                a, b = np.array([left + column * wide, top + row * tall]), np.array([wide, tall])
                sheet.tints.append(np.array([a, a + b * (1, 0), a + b, a + b * (0, 1)]))
            x, y = left + column * wide, top + (row + 1) * tall - 0.5 * (tall - h)
            if not (-wide < x < size and -h < y < size + 2 * h):
                continue
            text = str(rng.integers(0, 10)) if digits else make_text(rng, sheet.hand.case)[: max(1, int(wide / h * 1.1))]
            what = rng.choice(3, p=shares)
            start = x + (0.5 * (wide - 0.6 * h) if digits else 0.3 * h) + rng.normal(0, 0.07) * h
            if what == 0:
                sheet.write(text, start, y + rng.normal(0, 0.08) * h)
            elif what == 1:
                sheet.print(text, start, y, h * rng.choice([0.7, 0.85]))
    for _ in range(int(rng.integers(0, 3))):
        sheet.print(
            make_text(rng, "mixed", 2), rng.uniform(-0.2, 0.6) * size, top - rng.uniform(0.2, 1) * h, h * rng.uniform(0.4, 1.5)
        )


def _grid_line(sheet: Sheet, ends: list[tuple[float, float]], by_hand: bool, pen: float) -> None:
    sheet.draw(np.array(ends)) if by_hand else sheet.rule(ends, pen)


def printed_page(sheet: Sheet) -> None:
    """Printed text, perhaps with a note written on it."""
    rng, size = sheet.rng, sheet.size
    capital = float(np.exp(rng.uniform(np.log(7), np.log(70))))
    pitch = capital * rng.uniform(1.5, 2.2)
    left = rng.uniform(-0.5, 0.3) * size
    for y in np.arange(rng.uniform(0, 1) * pitch, size + capital, pitch):
        if rng.random() < 0.1:
            continue
        case = str(rng.choice(["lower", "lower", "mixed", "upper"]))
        sheet.print(make_text(rng, case, max(1, int(1.6 * size / (5 * capital)))), left, y, capital)
    if rng.random() < 0.3:
        y = rng.uniform(0, size)
        sheet.rule([(-0.2 * size, y), (1.2 * size, y)], float(rng.choice([1.0, 2.0, 4.0, 8.0, 16.0])))
    for _ in range(int(rng.integers(0, 3))):
        sheet.write(
            make_text(rng, sheet.hand.case, int(rng.integers(1, 4))), rng.uniform(-0.2, 0.7) * size, rng.uniform(0, 1.1) * size
        )


def one_line(sheet: Sheet) -> None:
    """A line, a word or one character that fills the picture."""
    rng, size = sheet.rng, sheet.size
    text = make_text(rng, sheet.hand.case, int(rng.integers(1, 3)))
    sheet.write(text, rng.uniform(-0.3, 0.3) * size, rng.uniform(0.4, 0.8) * size)


def diagram(sheet: Sheet) -> None:
    """Shapes drawn by hand, with lettering in, at and across them."""
    rng, size, h = sheet.rng, sheet.size, sheet.capital
    for _ in range(int(rng.integers(2, 6))):
        x, y = rng.uniform(0, size, 2)
        wide, tall = h * rng.uniform(1.2, 5), h * rng.uniform(1.2, 4)
        kind = rng.choice(["ellipse", "box", "arrow", "hatch", "line", "bent"])
        if kind == "ellipse":
            ellipse(sheet, x, y, wide, tall)
        elif kind == "box":
            sheet.draw(np.array([(x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall), (x, y)]))
        elif kind == "hatch":
            slope, gap = rng.uniform(-1, 1), h * rng.uniform(0.2, 0.6)
            for step in np.arange(0, wide, gap):
                sheet.draw(np.array([(x + step, y), (x + step + slope * tall, y + tall)]))
        elif kind == "bent":  # corners, brackets, loops that do not close
            steps = rng.normal(0, 1.2 * h, (int(rng.integers(2, 5)), 2))
            points = np.array([x, y]) + np.cumsum(np.vstack([(0, 0), steps + np.sign(steps) * 0.8 * h]), axis=0)
            sheet.draw(points) if rng.random() < 0.5 else ellipse(sheet, x, y, wide, tall, rng.uniform(0.4, 0.9))
        else:
            angle, length = rng.uniform(0, 2 * np.pi), h * rng.uniform(2, 8)
            end = np.array([x + length * np.cos(angle), y + length * np.sin(angle)])
            sheet.draw(np.array([(x, y), end]))
            if kind == "arrow":
                barbs = [end - 0.6 * h * np.array([np.cos(angle + turn), np.sin(angle + turn)]) for turn in (0.5, -0.5)]
                sheet.draw(np.array([barbs[0], end, barbs[1]]))
    angle = rng.normal(0, 0.25)
    for _ in range(int(rng.integers(2, 6))):
        sheet.write(
            make_text(rng, sheet.hand.case, int(rng.integers(1, 3))),
            rng.uniform(-0.2, 0.8) * size,
            rng.uniform(0, 1.1) * size,
            angle=angle,
        )


def ellipse(sheet: Sheet, x: float, y: float, wide: float, tall: float, share: float = 1.0) -> None:
    """A loop drawn by hand, not quite closed, or a `share` of one."""
    start = sheet.rng.uniform(0, 2 * np.pi)
    along = np.linspace(start, start + 2 * np.pi * share * sheet.rng.uniform(0.93, 1.05), 40)
    sheet.draw(np.column_stack([x + wide * np.cos(along), y + tall * np.sin(along)]))


SCENES: dict[Callable[[Sheet], None], float] = {
    notes: 0.45,
    form: 0.22,
    table: 0.12,
    printed_page: 0.06,
    one_line: 0.08,
    diagram: 0.07,
}
"""What a sheet may be, and the share of each."""
