"""Tables: grids whose cells hold writing, print or nothing."""

import numpy as np

from pipeline.synthesis.lettering import make_text
from pipeline.synthesis.sheet import Sheet


def table(sheet: Sheet) -> None:
    """Fill a sheet with a grid, printed or drawn by hand, as in tables, sudokus and crosswords; most cells hold text."""
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
