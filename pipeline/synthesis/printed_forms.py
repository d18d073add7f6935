"""Printed forms: labels, and fields to write in."""

import numpy as np

from pipeline.synthesis.lettering import make_text
from pipeline.synthesis.sheet import Sheet


def form(sheet: Sheet) -> None:
    """Fill a sheet with printed labels, each beside or above a field to write in; some fields are filled in."""
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
    below, numbered = rng.random() < 0.3, rng.random() < 0.2
    for y in np.arange(rng.uniform(-0.5, 1) * row, size + row, row):
        x = rng.uniform(-0.5, 0.3) * size
        while x < size:
            if rng.random() < 0.85:
                label = make_text(rng, str(rng.choice(["mixed", "lower", "upper"])), int(rng.integers(1, 4)))
                label += str(rng.choice(["", ":", ":"]))
                if numbered:
                    label = f"{rng.integers(1, 60)}{rng.choice(['.', '.', ')', ''])}"
                if below:
                    sheet.print(label, x, y + 1.2 * small + 0.2 * h, 0.8 * small)
                else:
                    x = sheet.print(label, x, y, small) + rng.uniform(0.2, 1) * h
            x = entry(sheet, str(rng.choice(kinds)), x, y, tight * h, wide * h, pen, rng.random() < filled)
            x += rng.uniform(0.5, 4) * h
            if rng.random() < 0.4:
                break


def entry(sheet: Sheet, kind: str, x: float, y: float, tall: float, wide: float, pen: float, filled: bool) -> float:
    """Print one field that starts at `x` with its base line at `y`, write in it if `filled`; return the x at which it ends."""
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
