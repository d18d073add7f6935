"""Notes: lines of writing, and the ruling of the paper below them."""

import numpy as np

from pipeline.synthesis.lettering import make_text
from pipeline.synthesis.sheet import Sheet


def notes(sheet: Sheet) -> None:
    """Fill a sheet with lines of writing; some texts are underlined, framed, crossed out, or follow a box to tick."""
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
                sheet.draw(np.array(corners)) if rng.random() < 0.5 else sheet.draw_ellipse(
                    (start + x) / 2, (top + low) / 2, (x - start) / 2 + 2 * pad, 1.1 * h
                )
            elif extra < 0.12:  # crossed out with the pen of the writing: it counts as writing
                sheet.written.append(
                    np.array([(start - 0.1 * h, y - rng.uniform(0.3, 0.6) * h), (x + 0.1 * h, y - rng.uniform(0.3, 0.6) * h)])
                )
            x += sheet.hand.habits.word_gap * h


def ruling(sheet: Sheet, pitch: float, first: float) -> None:
    """Print rules, squares or dots on the paper; their spacing may or may not follow the `pitch` of the lines of writing."""
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
