"""The only door to matplotlib: each function draws one figure from plain arrays and returns it; `save` writes it."""

from pathlib import Path
from typing import Callable, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image
from matplotlib.ticker import MaxNLocator

from pipeline.characters import CLASSES
from pipeline.files import replacing

STYLE = {
    "axes.grid": True, "grid.color": "0.9", "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlesize": "medium", "axes.titlelocation": "left", "legend.frameon": False, "figure.constrained_layout.use": True,
}
BLUE, ORANGE, GREEN, GREY = "#2563a8", "#d9731a", "#3b8f4a", "0.55"


def save(figure: Figure, path: Path, dpi: int) -> None:
    """Write the figure as PNG, without a time stamp or version inside: the same picture is the same bytes."""
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)  # `savefig` draws everything twice
    canvas.draw()
    with replacing(path) as temporary:
        Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").save(temporary)


def _axes(rows: int, columns: int, width: float, height: float, **options) -> tuple[Figure, np.ndarray]:
    """A figure of `width` x `height` inches with a grid of axes `(rows, columns)` in the project's style."""
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        return figure, figure.subplots(rows, columns, squeeze=False, **options)


def learning_curves(rows: Sequence[dict[str, float]], title: str) -> Figure:
    """Loss and accuracy of training and validation over the epochs, the best epoch marked."""
    epochs = [row["epoch"] for row in rows]
    best = int(np.argmax([row["valid/accuracy"] for row in rows]))
    figure, ((left, right),) = _axes(1, 2, 10, 4)
    for axis, quantity in ((left, "loss"), (right, "accuracy")):
        for split, color in (("train", BLUE), ("valid", ORANGE)):
            values = [row[f"{split}/{quantity}"] for row in rows]
            axis.plot(epochs, values, color=color, label=split, marker="." if len(rows) < 50 else None)
            axis.annotate(f"{split} {values[-1]:.3f}", (epochs[-1], values[-1]), xytext=(6, 0),
                          textcoords="offset points", color=color, va="center", annotation_clip=False)
        axis.axvline(epochs[best], color=GREY, linestyle=":", linewidth=1)
        axis.set(xlabel="epoch", title=quantity)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.annotate(f"best epoch {epochs[best]}: {rows[best]['valid/accuracy']:.4f}", (epochs[best], right.get_ylim()[0]),
                   xytext=(-6, 6), textcoords="offset points", ha="right", color="0.3")
    figure.suptitle(title)
    return figure


def compared_curves(runs: dict[str, Sequence[dict[str, float]]], title: str) -> Figure:
    """Validation accuracy and training loss of several runs over each other."""
    figure, ((left, right),) = _axes(1, 2, 11, 4.2)
    for name, rows in runs.items():
        epochs = [row["epoch"] for row in rows]
        left.plot(epochs, [row["train/loss"] for row in rows], label=name)
        right.plot(epochs, [row["valid/accuracy"] for row in rows], label=f"{name}: {max(r['valid/accuracy'] for r in rows):.3f}")
    left.set(xlabel="epoch", title="training loss", yscale="log")
    right.set(xlabel="epoch", title="validation accuracy (best in the legend)", ylim=(0, 1))
    right.legend(fontsize="small")
    figure.suptitle(title)
    return figure


def weight_pictures(before: np.ndarray, after: np.ndarray, title: str) -> Figure:
    """Weights `(units, height, width)` right after initialisation beside the learned ones, each picture on its own scale."""
    units = len(after)
    columns = int(np.ceil(np.sqrt(units)))
    rows = int(np.ceil(units / columns))
    figure, ((left, right),) = _axes(1, 2, 11, 5.8 * rows / columns + 0.6)
    for axis, weights, name in ((left, before, "right after initialisation"), (right, after, "learned")):
        height, width = weights.shape[1:]
        sheet = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1), np.nan)
        for i, picture in enumerate(weights):
            row, column = divmod(i, columns)
            top, start = row * (height + 1) + 1, column * (width + 1) + 1
            sheet[top:top + height, start:start + width] = picture / max(np.abs(picture).max(), 1e-12)
        image = axis.imshow(sheet, cmap="RdBu_r", vmin=-1, vmax=1)
        axis.set_axis_off()
        axis.set_title(name)
    figure.colorbar(image, ax=(left, right), ticks=(-1, 0, 1), shrink=0.6,
                    label="weight, relative to the largest of its unit").outline.set_visible(False)
    figure.suptitle(title)
    return figure


def confusion(matrix: np.ndarray, title: str) -> Figure:
    """Row-normalised confusion matrix `(36, 36)`; mistakes carry their count."""
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, ((axis,),) = _axes(1, 1, 10, 9.4)
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(matrix > 0):
        if row != column:
            axis.text(column, row, matrix[row, column], ha="center", va="center", fontsize=6.5,
                      color="white" if shares[row, column] > 0.5 else "#a02020")
    axis.set_xticks(range(len(CLASSES)), CLASSES)
    axis.set_yticks(range(len(CLASSES)), CLASSES)
    axis.grid(False)
    axis.set(xlabel="read as", ylabel="written", title=title)
    figure.colorbar(image, ax=axis, shrink=0.6, label="share of the written class")
    return figure


def confused_pairs(pairs: Sequence[dict], examples: Sequence[np.ndarray], title: str) -> Figure:
    """One row a pair, `written -> read as, count`, with example glyphs `(n, 32, 32)`."""
    columns = max((len(images) for images in examples), default=1)
    figure, axes = _axes(max(len(pairs), 1), columns, 1.0 * columns + 2.2, 0.95 * max(len(pairs), 1) + 0.7)
    for axis in axes.flat:
        axis.set_axis_off()
    for row, (pair, images) in enumerate(zip(pairs, examples)):
        for axis, image in zip(axes[row], images):
            axis.imshow(255 - image, cmap="gray", vmin=0, vmax=255)
        axes[row, 0].text(-0.25, 0.5, f"{pair['true']} read as {pair['read']}, {pair['count']} times",
                          transform=axes[row, 0].transAxes, ha="right", va="center")
    figure.suptitle(title)
    return figure


def activations(functions: dict[str, tuple[Callable, Callable]]) -> Figure:
    """Each activation with its derivative: `name -> (function, derivative)`."""
    x = np.linspace(-6, 6, 601)
    figure, axes = _axes(1, len(functions), 4 * len(functions), 3.4)
    for axis, (name, (function, derivative)) in zip(axes[0], functions.items()):
        axis.plot(x, function(x), color=BLUE, label=name)
        axis.plot(x, derivative(x), color=ORANGE, label="its derivative")
        axis.set(title=f"{name}: derivative at most {derivative(x).max():g}", xlabel="x")
        if name == "relu":
            axis.set_ylim(-0.3, 3)
        axis.legend(fontsize="small")
    figure.suptitle("Activations and their derivatives: a layer passes back at most the derivative's maximum")
    return figure


def per_layer(series: dict[str, np.ndarray], quantity: str, title: str) -> Figure:
    """One line a network, one point a layer (`(layers,)`, first layer left), on a logarithmic scale; zeros on the floor."""
    figure, ((axis,),) = _axes(1, 1, 9, 4.6)
    positive = np.concatenate([values[values > 0] for values in series.values()])
    floor = 10 ** np.floor(np.log10(positive.min()) - 1)
    ends = {name: np.log10(max(values[-1], floor)) for name, values in series.items()}
    heights = _apart(ends, 0.055 * (np.log10(max(v.max() for v in series.values())) - np.log10(floor)))
    for (name, values), color in zip(series.items(), (BLUE, ORANGE, GREEN, "0.2", "#7a4fa3")):
        layers = np.arange(1, len(values) + 1)
        axis.plot(layers, np.maximum(values, floor), color=color, marker="o", markersize=4)
        axis.text(layers[-1] + 0.25, 10 ** heights[name], name if values.any() else f"{name} (exactly 0)", color=color, va="center")
    axis.set(yscale="log", xlabel="layer, from the input", ylabel=quantity, title=title)
    axis.set_xlim(0.5, len(layers) + 2.2)
    axis.set_xticks(layers)
    return figure


def _apart(heights: dict[str, float], least: float) -> dict[str, float]:
    """The heights of labels, moved up where they would lie less than `least` above the one below."""
    moved: dict[str, float] = {}
    for name in sorted(heights, key=heights.get):
        moved[name] = max(heights[name], max(moved.values(), default=-np.inf) + least)
    return moved


def reliability(confidence: np.ndarray, correct: np.ndarray, error: float, bins: int) -> Figure:
    """Accuracy over confidence in equal-width bins: on the diagonal, a confidence of 0.8 means right 8 times in 10."""
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    size = np.bincount(bin_of, minlength=bins)
    used = size > 0
    accuracy = np.bincount(bin_of, weights=correct, minlength=bins)[used] / size[used]
    mean = np.bincount(bin_of, weights=confidence, minlength=bins)[used] / size[used]
    figure, ((axis,),) = _axes(1, 1, 5.4, 5)
    axis.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="perfectly calibrated")
    axis.scatter(mean, accuracy, s=20 + 400 * size[used] / size.sum(), color=BLUE, alpha=0.8, label="test (area: samples)")
    axis.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02),
             title=f"Confidence means accuracy: calibration error {error:.3f}")
    axis.legend(loc="upper left")
    return figure


def accuracy_coverage(coverage: np.ndarray, accuracy: np.ndarray, threshold: np.ndarray) -> Figure:
    """What rejecting the least confident characters buys, with some thresholds marked."""
    figure, ((axis,),) = _axes(1, 1, 7, 4.4)
    axis.plot(coverage, accuracy, color=BLUE)
    for value in (0.5, 0.7, 0.9, 0.97):
        answered = int((threshold >= value).sum())
        if answered:
            axis.plot(coverage[answered - 1], accuracy[answered - 1], "o", color=ORANGE)
            axis.annotate(f"below {value} rejected: {accuracy[answered - 1]:.1%} right of {coverage[answered - 1]:.0%}",
                          (coverage[answered - 1], accuracy[answered - 1]), xytext=(-8, -12), textcoords="offset points",
                          ha="right", fontsize="small")
    axis.set(xlabel="coverage: share of characters answered", ylabel="accuracy of the answers", xlim=(0, 1.02),
             ylim=(min(accuracy[len(accuracy) // 10:].min(), 0.95) - 0.02, 1.003),
             title="What the reject threshold (ocr.reject_below) buys")
    return figure


def heat_maps(panels: dict[str, np.ndarray], rows: Sequence[str], columns: Sequence[str], row_name: str, column_name: str,
              title: str) -> Figure:
    """One table of accuracies `(rows, columns)` a panel, on a common scale; NaN stays empty, the best of all is framed."""
    best = np.nanmax([np.nanmax(values) for values in panels.values()])
    worst = max(np.nanmin([np.nanmin(values) for values in panels.values()]), best - 0.2)  # a diverged run does not eat the scale
    figure, (axes,) = _axes(1, len(panels), 1.4 + (0.9 + 0.75 * len(columns)) * len(panels), 1.6 + 0.55 * len(rows), sharey=True)
    for axis, (name, values) in zip(axes, panels.items()):
        image = axis.imshow(values, cmap="viridis", vmin=worst, vmax=best, aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            if np.isfinite(value):
                axis.text(column, row, f"{100 * value:.1f}", ha="center", va="center",
                          color="white" if value < (worst + best) / 2 else "black", weight="bold" if value == best else "normal")
            if value == best:
                axis.add_patch(Rectangle((column - 0.48, row - 0.47), 0.96, 0.94, fill=False, edgecolor=ORANGE, linewidth=2.5))
        axis.set_xticks(range(len(columns)), columns)
        axis.set_yticks(range(len(rows)), rows)
        axis.grid(False)
        axis.set(xlabel=column_name, title=name)
    axes[0].set_ylabel(row_name)
    figure.colorbar(image, ax=list(axes), extend="min", label="validation accuracy")
    figure.suptitle(title)
    return figure


def main_effects(effects: dict[str, dict[str, Sequence[float]]], title: str) -> Figure:
    """For each swept value all accuracies that were reached with it, and their median: what the key does by itself."""
    figure, (axes,) = _axes(1, len(effects), 1.6 + 2.9 * len(effects), 3.6, sharey=True)
    for axis, (name, groups) in zip(axes, effects.items()):
        for position, values in enumerate(groups.values()):
            spread = (np.arange(len(values)) - (len(values) - 1) / 2) * min(0.5 / max(len(values), 1), 0.08)
            axis.plot(position + spread, sorted(values), ".", color=BLUE, alpha=0.6)
        axis.plot(range(len(groups)), [np.median(values) for values in groups.values()], color=ORANGE, marker="_",
                  markersize=18, linewidth=1)
        axis.set_xticks(range(len(groups)), list(groups), rotation=30 if max(map(len, groups)) > 8 or len(groups) > 6 else 0)
        axis.set(title=name)
    axes[0].set_ylabel("validation accuracy")
    figure.suptitle(title)
    return figure


def seed_spread(runs: dict[str, Sequence[float]], title: str) -> Figure:
    """One row a configuration: the accuracy with every seed, and their mean."""
    figure, ((axis,),) = _axes(1, 1, 8.5, 1.4 + 0.36 * len(runs))
    for row, values in enumerate(runs.values()):
        axis.plot(values, [row] * len(values), "o", color=BLUE, alpha=0.6)
        axis.plot(np.mean(values), row, "|", color=ORANGE, markersize=18, markeredgewidth=2.5)
    axis.set_yticks(range(len(runs)), list(runs))
    axis.invert_yaxis()
    axis.set(xlabel="validation accuracy: each seed, and the mean", title=title)
    return figure


def linear_cost(costs: dict[str, tuple[Sequence[int], Sequence[float]]], title: str) -> Figure:
    """Processor seconds against how many there were of each thing, and the straight line through them: what one more costs."""
    figure, (axes,) = _axes(1, len(costs), 3.6 * len(costs), 3.4)
    for axis, (name, (counts, seconds)) in zip(axes, costs.items()):
        slope, start = np.polyfit(counts, seconds, 1)
        line = np.array([0, max(counts)])
        axis.plot(line, start + slope * line, color=GREY, linewidth=1)
        axis.plot(counts, seconds, "o", color=BLUE)
        axis.set(xlabel=name, ylabel="processor seconds", title=f"{name}: {start:.1f} s + {slope:.2g} s each", xlim=(0, None), ylim=(0, None))
    figure.suptitle(title)
    return figure
