"""Figures of a training: its curves, its weights, its cost."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.figures.style import BLUE, GREY, ORANGE, apart, new_axes


def learning_curves(rows: Sequence[dict[str, float]], title: str) -> Figure:
    """Loss and accuracy of training and validation over the epochs: the loss from 0, the accuracy up to 1."""
    epochs = [row["epoch"] for row in rows]
    best = max(rows, key=lambda row: row["valid/accuracy"])
    figure, ((left, right),) = new_axes(1, 2, 10, 4)
    for axis, quantity in ((left, "loss"), (right, "accuracy")):
        curves = {split: [row[f"{split}/{quantity}"] for row in rows] for split in ("train", "valid")}
        everything = [value for values in curves.values() for value in values]
        bottom, top = (0.0, 1.05 * max(everything)) if quantity == "loss" else (min(0.5, min(everything)), 1.0)
        ends = apart({split: values[-1] for split, values in curves.items()}, 0.055 * (top - bottom))
        for (split, values), color in zip(curves.items(), (BLUE, ORANGE)):
            axis.plot(epochs, values, color=color, marker="." if len(rows) < 50 else None)
            axis.annotate(
                f"{split} {values[-1]:.3f}",
                (epochs[-1], ends[split]),
                xytext=(6, 0),
                textcoords="offset points",
                color=color,
                va="center",
                annotation_clip=False,
            )
        axis.set(xlabel="epoch", title=quantity, ylim=(bottom, top))
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.axvline(best["epoch"], color=GREY, linestyle=":", linewidth=1)
    right.set_title(f"accuracy (dotted: the best on valid, {best['valid/accuracy']:.4f} in epoch {best['epoch']:g})")
    figure.suptitle(title)
    return figure


def weight_pictures(before: np.ndarray, after: np.ndarray, title: str) -> Figure:
    """Weights `(units, height, width)` right after initialisation beside the learned ones, each picture on its own scale."""
    units, height, width = after.shape
    columns = int(np.ceil(np.sqrt(units)))
    rows = int(np.ceil(units / columns))
    figure, ((left, right),) = new_axes(1, 2, 11, 4.6 * rows * (height + 1) / columns / (width + 1) + 0.9)
    for axis, weights, name in ((left, before, "right after initialisation"), (right, after, "learned")):
        sheet = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1), np.nan)
        for i, picture in enumerate(weights):
            row, column = divmod(i, columns)
            top, start = row * (height + 1) + 1, column * (width + 1) + 1
            sheet[top : top + height, start : start + width] = picture / max(np.abs(picture).max(), 1e-12)
        image = axis.imshow(sheet, cmap="RdBu_r", vmin=-1, vmax=1)
        axis.set_axis_off()
        axis.set_title(name)
    figure.colorbar(
        image, ax=(left, right), ticks=(-1, 0, 1), shrink=0.6, label="weight, relative to the largest of its unit"
    ).outline.set_visible(False)
    figure.suptitle(title)
    return figure


def linear_cost(costs: dict[str, tuple[Sequence[int], Sequence[float]]], title: str) -> Figure:
    """Processor seconds against the number of each thing; the slope of the straight line is the cost of one more."""
    figure, (axes,) = new_axes(1, len(costs), 3.6 * len(costs), 3.4)
    for axis, (name, (counts, seconds)) in zip(axes, costs.items()):
        slope, start = np.polyfit(counts, seconds, 1)
        line = np.array([0, max(counts)])
        axis.plot(line, start + slope * line, color=GREY, linewidth=1)
        axis.plot(counts, seconds, "o", color=BLUE)
        axis.set(
            xlabel=name,
            ylabel="processor seconds",
            xlim=(0, None),
            ylim=(0, None),
            title=f"{name}: {start:.1f} s + {slope:.2g} s each",
        )
    figure.suptitle(title)
    return figure
