"""Notes: lines of writing, and the ruling of the paper below them."""

import numpy as np

from pipeline.synthesis.lettering import make_amount, make_text
from pipeline.synthesis.sheet import Sheet


def notes(sheet: Sheet) -> None:
    """Fill a sheet with lines of writing; some texts are underlined, framed, crossed out, or follow a box to tick."""
    rng, size, h = sheet.rng, sheet.size, sheet.capital
    pitch = h * rng.uniform(1.35, 3.2)
    first = rng.uniform(-0.3, 1.0) * pitch + h
    ruling(sheet, pitch, first)
    left = rng.uniform(-0.6, 0.5) * size
    amounts = rng.uniform(0.1, 0.95) * size if rng.random() < 0.12 else 0.0
    sparse = rng.random() < 0.15  # a word or a number a line, as in lists
    for y in np.arange(first, size + h, pitch):
        if rng.random() < 0.12:
            continue
        x = left + rng.uniform(0, 0.4) * h + (rng.random() < 0.15) * rng.uniform(0, size)
        if amounts and rng.random() < 0.8:
            sheet.write(make_amount(rng), amounts + rng.normal(0, 0.1) * h, y)
        if rng.random() < 0.1:
            box = 0.8 * h
            sheet.draw(np.array([(x, y), (x + box, y), (x + box, y - box), (x, y - box), (x, y)]))
            if rng.random() < 0.5:
                sheet.draw(
                    np.array([(x + 0.1 * h, y - 0.5 * h), (x + 0.35 * h, y - 0.1 * h), (x + h, y - rng.uniform(0.7, 1.3) * h)])
                )
            x += 1.3 * h
        for _ in range(1 if sparse or amounts else rng.integers(1, 7)):
            start, before = x, len(sheet.written)
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
            elif extra < 0.14 and x - start > 1.2 * h:  # a stroke through one letter makes another letter
                cross_out(sheet, before, start, x, y)
            x += sheet.hand.habits.word_gap * h


def corrections(sheet: Sheet) -> None:
    """Fill a sheet with lines of words, many of which are crossed out."""
    rng, size, h = sheet.rng, sheet.size, sheet.capital
    pitch = h * rng.uniform(1.35, 3.2)
    ruling(sheet, pitch, h)
    left = rng.uniform(-0.4, 0.3) * size
    for y in np.arange(h, size + h, pitch):
        x = left
        while x < size:
            start, before = x, len(sheet.written)
            x = sheet.write(make_text(rng, sheet.hand.case), x, y)
            if rng.random() < 0.4 and x - start > 1.2 * h:
                cross_out(sheet, before, start, x, y)
            x += sheet.hand.habits.word_gap * h


def labelled(sheet: Sheet) -> None:
    """Fill a sheet with lines of writing, some of which stand under a printed heading or behind a printed label."""
    rng, size, h = sheet.rng, sheet.size, sheet.capital
    pitch, small = h * rng.uniform(1.5, 3.2), max(9.0, h * rng.uniform(0.35, 1.0))
    ruling(sheet, pitch, h)
    left = rng.uniform(-0.2, 0.3) * size
    labels, headings = rng.uniform(0, 0.4), rng.uniform(0.05, 0.2)
    for y in np.arange(h, size + h, pitch):
        case = str(rng.choice(["lower", "mixed", "mixed", "upper"]))
        if rng.random() < headings:
            sheet.print(make_text(rng, case, int(rng.integers(1, 7))), left + rng.uniform(-2, 2) * h, y, small)
            continue
        x = left
        if rng.random() < labels:
            x = sheet.print(make_text(rng, case, int(rng.integers(1, 3))), x, y, small) + rng.uniform(0.4, 1.5) * h
        for _ in range(rng.integers(1, 5)):
            if x < size:
                x = sheet.write(make_text(rng, sheet.hand.case), x, y) + sheet.hand.habits.word_gap * h


CROSSED = {"line": 0.3, "double": 0.15, "cross": 0.05, "wave": 0.1, "zigzag": 0.15, "loops": 0.1, "fill": 0.15}
"""How words are crossed out, and the share of each."""


def cross_out(sheet: Sheet, before: int, left: float, right: float, y: float) -> None:
    """Cross out what has been written since there were `before` strokes, from `left` to `right` on the line `y`.

    The word and what crosses it out become one: nobody shall read it. Lines go through a word once or twice, or cross; a scribble
    goes to and fro, up and down or in loops until the word is gone.
    """
    rng, h = sheet.rng, sheet.capital
    sheet.crossed += sheet.written[before:]
    del sheet.written[before:]
    left, right = left - rng.uniform(-0.1, 0.4) * h, right + rng.uniform(-0.1, 0.4) * h
    kind = str(rng.choice(list(CROSSED), p=list(CROSSED.values())))
    if kind in ("line", "double", "cross"):
        ends = y - rng.uniform(0.25, 0.7, 2) * h
        lines = [ends, ends + rng.uniform(-0.3, 0.3, 2) * h] if kind == "double" else [ends]
        if kind == "cross":
            lines = [y - h * np.array([-0.05, 1.05]), y - h * np.array([1.05, -0.05])]
        for start, end in lines:
            bow = np.array([0, rng.normal(0, 0.04) * h, 0])
            sheet.crossed.append(np.column_stack([np.linspace(left, right, 3), np.linspace(start, end, 3) + bow]))
        return
    pitch = h * {"wave": 0.7, "zigzag": 0.3, "loops": 0.3, "fill": 0.12}[kind] * rng.uniform(0.7, 1.4)
    turns = max(2, int((right - left) / pitch))
    tall = h * (rng.uniform(0.08, 0.25) if kind == "wave" else rng.uniform(0.35, 0.6))
    if kind == "fill" and rng.random() < 0.5:  # to and fro along the word
        rows = int(rng.integers(4, 14))
        ends = np.where(np.arange(rows) % 2 == 0, left, right) + rng.normal(0, 0.1, rows) * h
        points = np.column_stack([ends, y - 0.5 * h + np.linspace(-tall, tall, rows) + rng.normal(0, 0.04, rows) * h])
    else:
        along = np.linspace(0, 2 * np.pi * turns, 8 * turns + 1)
        reach = 0.25 * h * (kind == "loops") * np.cos(along)
        across = tall * np.exp(rng.normal(0, 0.15, len(along))) * np.sin(along)
        points = np.column_stack([np.linspace(left, right, len(along)) + reach, y - 0.5 * h + across])
    sheet.crossed.append(points)


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
