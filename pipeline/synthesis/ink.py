"""From strokes to pixels: a pen and its ink, for pages."""

import numpy as np
from PIL import Image, ImageDraw

FINE = 4  # drawn this much larger, then averaged: smooth edges


def place(
    strokes: list[np.ndarray],
    height: float,
    pen: float,
    low: np.ndarray,
    high: np.ndarray,
    rng: np.random.Generator | None = None,
    pressure: float = 0.0,
) -> np.ndarray:
    """Strokes as ink (h, w) uint8 on 0, for the part of the plane from `low` to `high` (x, y).

    Pixel (0, 0) lies `margin(pen)` pixels before `low`.

    Args:
        strokes: arrays (K, 2) of (x, y), y down, a capital's height is 1.
        height: pixels of a capital.
        pen: width of the pen in pixels.
        rng: for the pressure; None presses evenly.
        pressure: standard deviation of the logarithm of the width along a stroke.
    """
    pad = margin(pen)
    columns, rows = (int(np.ceil(n)) + 2 * pad for n in (high - low) * height)
    canvas = Image.new("L", (columns * FINE, rows * FINE), 0)
    pencil = ImageDraw.Draw(canvas)
    for stroke in strokes:
        points = ((stroke - low) * height + pad) * FINE  # (K, 2)
        widths = pen * FINE * widths_along(len(points), rng, pressure)
        _line(pencil, points, widths)
    return np.asarray(canvas.reduce(FINE))


def margin(pen: float) -> int:
    """Pixels that `place` leaves around the strokes' points for a pen of `pen` pixels."""
    return int(np.ceil(pen)) + 1


def widths_along(count: int, rng: np.random.Generator | None, pressure: float) -> np.ndarray:
    """Relative widths (K,) that change smoothly along a stroke."""
    if rng is None or not pressure:
        return np.ones(count)
    at = np.linspace(0, 1, count)
    start, bow, end = rng.normal(0, pressure, 3)
    return np.exp(start * (1 - at) + end * at + bow * np.sin(np.pi * at))


def _line(pencil: ImageDraw.ImageDraw, points: np.ndarray, widths: np.ndarray) -> None:
    flat = points.ravel().tolist()
    half = np.maximum(widths / 2, 0.5)
    thick = np.maximum(1, np.rint(half[:-1] + half[1:])).astype(int)
    changes = [0, *(np.flatnonzero(np.diff(thick)) + 1).tolist(), len(thick)]
    for start, end in zip(changes, changes[1:]):  # pieces of one width in one go
        pencil.line(flat[2 * start : 2 * end + 2], fill=255, width=int(thick[start]))
    disc = np.hstack([points - half[:, None], points + half[:, None]])  # (K, 4)
    for box in disc[_needs_disc(points)].tolist():
        pencil.ellipse(box, fill=255)


def _needs_disc(points: np.ndarray) -> np.ndarray:
    """Where (K,) bool the straight pieces of a line leave a notch: at its ends and where it turns."""
    wanted = np.ones(len(points), bool)
    a, b = np.diff(points[:-1], axis=0), np.diff(points[1:], axis=0)
    along, across = (a * b).sum(axis=1), a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    wanted[1:-1] = np.abs(across) > 0.15 * along  # also when it turns back
    return wanted
