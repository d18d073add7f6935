"""The style that all figures share, and the writing of a figure."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from pipeline.common.files import replacing

STYLE: dict[Any, Any] = {
    "axes.grid": True,
    "grid.color": "0.9",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "figure.constrained_layout.use": True,
}
BLUE, ORANGE, GREEN, GREY = "#2563a8", "#d9731a", "#3b8f4a", "0.55"


def save(figure: Figure, path: Path, dpi: int) -> None:
    """Write the figure as PNG, without a time stamp or version inside: the same picture is the same bytes."""
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)  # `savefig` draws everything twice
    canvas.draw()
    with replacing(path) as temporary:
        Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").save(temporary)


def apart(heights: dict[str, float], least: float) -> dict[str, float]:
    """The heights of labels, moved up where they would lie less than `least` above the one below."""
    moved: dict[str, float] = {}
    for name in sorted(heights, key=lambda name: heights[name]):
        moved[name] = max(heights[name], max(moved.values(), default=-np.inf) + least)
    return moved


def new_axes(rows: int, columns: int, width: float, height: float, **options: Any) -> tuple[Figure, np.ndarray]:
    """A figure of `width` x `height` inches with a grid of axes `(rows, columns)` in the project's style."""
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        return figure, figure.subplots(rows, columns, squeeze=False, **options)
