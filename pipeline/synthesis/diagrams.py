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
        kind = rng.choice(["ellipse", "box", "arrow", "hatch", "line", "bent", "dots"])
        if kind == "ellipse":
            sheet.draw_ellipse(x, y, wide, tall)
        elif kind == "box":
            sheet.draw(np.array([(x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall), (x, y)]))
        elif kind == "hatch":
            hatch(sheet, x, y, wide, tall)
        elif kind == "dots":  # nodes, bullets, points of a plot
            for _ in range(int(rng.integers(1, 5))):
                radius = h * rng.uniform(0.05, 0.3)
                at = np.array([x, y]) + rng.normal(0, 2 * h, 2)
                sheet.draw_ellipse(at[0], at[1], radius, radius, rng.uniform(1, 2))
        elif kind == "bent":  # corners, brackets, loops that do not close
            steps = rng.normal(0, 1.2 * h, (int(rng.integers(2, 5)), 2))
            points = np.array([x, y]) + np.cumsum(np.vstack([(0, 0), steps + np.sign(steps) * 0.8 * h]), axis=0)
            sheet.draw(points) if rng.random() < 0.5 else sheet.draw_ellipse(x, y, wide, tall, rng.uniform(0.4, 0.9))
        else:
            angle, length = rng.uniform(0, 2 * np.pi), h * np.exp(rng.uniform(np.log(0.8), np.log(8)))
            end = np.array([x + length * np.cos(angle), y + length * np.sin(angle)])
            sheet.draw(np.array([(x, y), end]))
            if kind == "arrow":
                barb = min(0.6 * h, 0.4 * length)
                barbs = [end - barb * np.array([np.cos(angle + turn), np.sin(angle + turn)]) for turn in (0.5, -0.5)]
                sheet.draw(np.array([barbs[0], end, barbs[1]]))
    angle = rng.normal(0, 0.25)
    for _ in range(int(rng.integers(2, 6))):
        sheet.write(
            make_text(rng, sheet.hand.case, int(rng.integers(1, 3))),
            rng.uniform(-0.2, 0.8) * size,
            rng.uniform(0, 1.1) * size,
            angle=angle,
        )


def hatch(sheet: Sheet, x: float, y: float, wide: float, tall: float) -> None:
    """Lines that fill a loop, a box or nothing drawn, one way or both, each of its own or all without lifting the pen."""
    rng, h = sheet.rng, sheet.capital
    middle, kind = np.array([x, y]), str(rng.choice(["loop", "box", "open"]))
    if kind == "loop":
        sheet.draw_ellipse(x, y, wide, tall)
    elif kind == "box":
        sheet.draw(middle + np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]) * (wide, tall))
    gap, angle = h * rng.uniform(0.15, 0.6), rng.uniform(0, np.pi)
    for turn in (angle, angle + rng.uniform(0.7, 2.4))[: 2 if rng.random() < 0.5 else 1]:
        direction, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        reach = float(np.hypot(*(across * (wide, tall))))
        lines: list[np.ndarray] = []
        for step in np.arange(-reach, reach, gap):
            half = chord(direction, across * step, wide, tall, kind == "loop")
            if half is not None:
                ends = across * step + direction * np.array(half)[:, None] + rng.normal(0, 0.06 * h, (2, 2))
                lines.append(middle + ends[:: -1 if len(lines) % 2 else 1])
        if rng.random() < 0.3 and lines:
            sheet.draw(np.concatenate(lines))
        else:
            for line in lines:
                sheet.draw(line)


def chord(direction: np.ndarray, start: np.ndarray, wide: float, tall: float, loop: bool) -> tuple[float, float] | None:
    """Where a straight line enters and leaves an ellipse or a box of these half sides, from `start` on; None: nowhere."""
    along, at = direction / (wide, tall), start / (wide, tall)
    if not loop:
        near = (-np.sign(along) - at) / along
        far = (np.sign(along) - at) / along
        enter, leave = float(near.max()), float(far.min())
        return (enter, leave) if enter < leave else None
    a, b, c = float(along @ along), float(along @ at), float(at @ at) - 1
    root = b * b - a * c
    return ((-b - root**0.5) / a, (-b + root**0.5) / a) if root > 0 else None
