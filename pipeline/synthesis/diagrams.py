"""Diagrams: shapes drawn by hand, with lettering."""

import numpy as np

from pipeline.synthesis.lettering import make_text
from pipeline.synthesis.sheet import Sheet


def diagram(sheet: Sheet) -> None:
    """Fill a sheet with shapes drawn by hand, and lettering in, beside and across them."""
    rng, size, h = sheet.rng, sheet.size, sheet.capital
    for _ in range(int(rng.integers(2, 6))):
        x, y = rng.uniform(0, size, 2)
        wide, tall = h * rng.uniform(1.2, 5), h * rng.uniform(1.2, 4)
        kind = rng.choice(["ellipse", "box", "arrow", "hatch", "line", "bent"])
        if kind == "ellipse":
            sheet.draw_ellipse(x, y, wide, tall)
        elif kind == "box":
            sheet.draw(np.array([(x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall), (x, y)]))
        elif kind == "hatch":
            slope, gap = rng.uniform(-1, 1), h * rng.uniform(0.2, 0.6)
            for step in np.arange(0, wide, gap):
                sheet.draw(np.array([(x + step, y), (x + step + slope * tall, y + tall)]))
        elif kind == "bent":  # corners, brackets, loops that do not close
            steps = rng.normal(0, 1.2 * h, (int(rng.integers(2, 5)), 2))
            points = np.array([x, y]) + np.cumsum(np.vstack([(0, 0), steps + np.sign(steps) * 0.8 * h]), axis=0)
            sheet.draw(points) if rng.random() < 0.5 else sheet.draw_ellipse(x, y, wide, tall, rng.uniform(0.4, 0.9))
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
