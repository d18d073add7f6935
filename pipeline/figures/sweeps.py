"""Figures of a sweep: its runs beside each other."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pipeline.figures.style import BLUE, ORANGE, new_axes


def compared_curves(runs: Mapping[str, Sequence[dict[str, float]]], title: str) -> Figure:
    """Validation accuracy and training loss of several runs over each other."""
    figure, ((left, right),) = new_axes(1, 2, 11, 4.2)
    for name, rows in runs.items():
        epochs = [row["epoch"] for row in rows]
        left.plot(epochs, [row["train/loss"] for row in rows], label=name)
        right.plot(epochs, [row["valid/accuracy"] for row in rows], label=f"{name}: {max(r['valid/accuracy'] for r in rows):.3f}")
    left.set(xlabel="epoch", title="training loss", yscale="log")
    right.set(xlabel="epoch", title="validation accuracy (best in the legend)")
    right.legend(fontsize="small")
    figure.suptitle(title)
    return figure


def heat_maps(
    panels: dict[str, np.ndarray], rows: Sequence[str], columns: Sequence[str], row_name: str, column_name: str, title: str
) -> Figure:
    """Tables of accuracies `(rows, columns)`, one for each panel, on a common scale; NaN stays empty, the best is framed."""
    best = np.nanmax([np.nanmax(values) for values in panels.values()])
    worst = max(np.nanmin([np.nanmin(values) for values in panels.values()]), best - 0.2)
    width, height = 1.4 + (0.9 + 0.75 * len(columns)) * len(panels), 1.6 + 0.55 * len(rows)
    figure, (axes,) = new_axes(1, len(panels), width, height, sharey=True)
    for axis, (name, values) in zip(axes, panels.items()):
        image = axis.imshow(100 * values, cmap="viridis", vmin=100 * worst, vmax=100 * best, aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                axis.text(
                    column,
                    row,
                    f"{100 * value:.1f}",
                    ha="center",
                    va="center",
                    color="white" if value < (worst + best) / 2 else "black",
                    weight="bold" if value == best else "normal",
                )
            if value == best:
                axis.add_patch(Rectangle((column - 0.48, row - 0.47), 0.96, 0.94, fill=False, edgecolor=ORANGE, linewidth=2.5))
        axis.set_xticks(range(len(columns)), columns)
        axis.set_yticks(range(len(rows)), rows)
        axis.grid(False)
        axis.set(xlabel=column_name, title=name)
    axes[0].set_ylabel(row_name)
    figure.colorbar(image, ax=list(axes), extend="min", label="validation accuracy in %")
    figure.suptitle(title)
    return figure


def parallel_coordinates(
    runs: Sequence[tuple[Mapping[str, str], float]], values: Mapping[str, Sequence[str]], title: str
) -> Figure:
    """One line for each configuration, through its value on the axis of each swept key, to its accuracy on the last axis.

    Args:
        runs: the value of each key, and the accuracy; the best configuration first.
        values: for each key its values, from the lowest on the axis to the highest.
    """
    accuracies = np.array([accuracy for _, accuracy in runs])
    low, high = accuracies.min(), accuracies.max()
    scale = Normalize(low, high if high > low else low + 1e-6)
    figure, ((axis,),) = new_axes(1, 1, 2.6 + 1.7 * len(values), 4.6)
    for number, (value_of, accuracy) in reversed(list(enumerate(runs))):
        heights = [_height(values[key].index(value_of[key]), len(values[key])) for key in values] + [float(scale(accuracy))]
        x, y = _rounded(heights)
        color, width, alpha = (ORANGE, 2.8, 1.0) if number == 0 else (colormaps["viridis"](scale(accuracy)), 1.2, 0.75)
        axis.plot(x, y, color=color, linewidth=width, alpha=alpha, label="the best" if number == 0 else None)
    for position, names in enumerate(values.values()):
        axis.axvline(position, color="0.3", linewidth=1)
        for index, name in enumerate(names):
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}
            axis.text(position - 0.04, _height(index, len(names)), name, ha="right", va="center", fontsize="small", bbox=box)
    axis.axvline(len(values), color="0.3", linewidth=1)
    for share in np.linspace(0, 1, 5):
        axis.text(len(values) + 0.04, share, f"{low + share * (high - low):.3f}", va="center", fontsize="small")
    axis.set_xticks(range(len(values) + 1), [*values, "validation accuracy"])
    axis.set(xlim=(-0.5, len(values) + 0.4), ylim=(-0.05, 1.05), title=title)
    axis.yaxis.set_visible(False)
    axis.grid(False)
    for side in ("left", "bottom"):
        axis.spines[side].set_visible(False)
    axis.tick_params(length=0)
    axis.legend(loc="upper right", fontsize="small", bbox_to_anchor=(1, 1.13), frameon=False)
    return figure


def _height(index: int, count: int) -> float:
    """The place of a value on an axis from 0 to 1; a single value is in the middle."""
    return index / (count - 1) if count > 1 else 0.5


def _rounded(heights: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Points of a curve through the heights at 0, 1, 2, ..., level on each axis, so that the eye can follow a line across it."""
    share = np.linspace(0, 1, 25)
    eased = share * share * (3 - 2 * share)
    x = np.concatenate([start + share for start in range(len(heights) - 1)])
    y = np.concatenate([low + eased * (high - low) for low, high in zip(heights, heights[1:])])
    return x, y


def main_effects(effects: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> Figure:
    """For each swept value, all accuracies that were reached with it, and their median: the effect of the key alone."""
    figure, (axes,) = new_axes(1, len(effects), 1.6 + 2.9 * len(effects), 3.6, sharey=True)
    for axis, (name, groups) in zip(axes, effects.items()):
        for position, values in enumerate(groups.values()):
            spread = (np.arange(len(values)) - (len(values) - 1) / 2) * min(0.5 / max(len(values), 1), 0.08)
            axis.plot(position + spread, sorted(values), ".", color=BLUE, alpha=0.6)
        axis.plot(
            range(len(groups)),
            [np.median(values) for values in groups.values()],
            color=ORANGE,
            marker="_",
            markersize=18,
            linewidth=1,
        )
        axis.set_xticks(range(len(groups)), list(groups), rotation=30 if max(map(len, groups)) > 8 or len(groups) > 6 else 0)
        axis.set(title=name)
    axes[0].set_ylabel("validation accuracy")
    figure.suptitle(title)
    return figure


def seed_spread(runs: Mapping[str, Sequence[float]], title: str) -> Figure:
    """One row for each configuration: the accuracy with every seed, and the mean."""
    figure, ((axis,),) = new_axes(1, 1, 8.5, 1.4 + 0.36 * len(runs))
    for row, values in enumerate(runs.values()):
        axis.plot(values, [row] * len(values), "o", color=BLUE, alpha=0.6)
        axis.plot(np.mean(values), row, "|", color=ORANGE, markersize=18, markeredgewidth=2.5)
    axis.set_yticks(range(len(runs)), list(runs))
    axis.invert_yaxis()
    axis.set(xlabel="validation accuracy: each seed, and the mean", title=title)
    return figure
