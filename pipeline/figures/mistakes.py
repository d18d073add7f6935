"""Figures of the mistakes of a model, and of its confidence."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from pipeline.figures.style import BLUE, GREY, ORANGE, new_axes


def confusion(matrix: np.ndarray, names: Sequence[str], title: str) -> Figure:
    """Row-normalised confusion matrix `(K, K)`; mistakes carry their count."""
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, ((axis,),) = new_axes(1, 1, 10, 9.4)
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(matrix > 0):
        if row != column:
            axis.text(
                column,
                row,
                matrix[row, column],
                ha="center",
                va="center",
                fontsize=6.5,
                color="white" if shares[row, column] > 0.5 else "#a02020",
            )
    axis.set_xticks(range(len(names)), names)
    axis.set_yticks(range(len(names)), names)
    axis.tick_params(labelsize=8, length=2, labeltop=True, labelright=True)
    for label in axis.get_xticklabels(which="both"):
        label.set_rotation(90 if len(label.get_text()) > 1 else 0)  # a name, such as (none), is wider than its column
    axis.grid(False)
    axis.set(xlabel="read as", ylabel="written", title=title)
    figure.colorbar(image, ax=axis, shrink=0.6, label="share of the written class")
    return figure


def confused_pairs(pairs: Sequence[dict], examples: Sequence[np.ndarray], title: str) -> Figure:
    """One row for each pair, `written read as, count`, with example glyphs `(n, 32, 32)`."""
    columns = max((len(images) for images in examples), default=1)
    figure, axes = new_axes(max(len(pairs), 1), columns, 1.0 * columns + 2.2, 0.95 * max(len(pairs), 1) + 0.7)
    for axis in axes.flat:
        axis.set_axis_off()
    for row, (pair, images) in enumerate(zip(pairs, examples)):
        for axis, image in zip(axes[row], images):
            axis.imshow(255 - image, cmap="gray", vmin=0, vmax=255)
        axes[row, 0].text(
            -0.25,
            0.5,
            f"{pair['true']} read as {pair['read']}, {pair['count']} times",
            transform=axes[row, 0].transAxes,
            ha="right",
            va="center",
        )
    figure.suptitle(title)
    return figure


def reliability(confidence: np.ndarray, correct: np.ndarray, error: float, bins: int, of: str = "test characters") -> Figure:
    """Accuracy over confidence in equal-width bins: on the diagonal, 8 of 10 answers with confidence 0.8 are right.

    A bar is the 95 % interval of the accuracy in a bin (Wilson 1927); it is long where the bin holds few samples.
    """
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    size = np.bincount(bin_of, minlength=bins)
    used = size > 0
    accuracy = np.bincount(bin_of, weights=correct, minlength=bins)[used] / size[used]
    mean = np.bincount(bin_of, weights=confidence, minlength=bins)[used] / size[used]
    figure, ((axis,),) = new_axes(1, 1, 5.4, 5)
    axis.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="perfectly calibrated")
    z, n = 1.96, size[used]
    middle = (accuracy + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(accuracy * (1 - accuracy) / n + z**2 / (4 * n**2))
    axis.vlines(mean, middle - reach, middle + reach, color=BLUE, alpha=0.5, label="95 % interval")
    axis.scatter(mean, accuracy, s=20 + 400 * n / n.sum(), color=BLUE, alpha=0.8, label=f"{of} (area: how many)")
    axis.set(
        xlabel="confidence",
        ylabel="accuracy",
        xlim=(0, 1.02),
        ylim=(0, 1.02),
        title=f"Does confidence mean accuracy? Calibration error {error:.3f}",
    )
    axis.legend(loc="lower right")
    return figure


def accuracy_coverage(coverage: np.ndarray, accuracy: np.ndarray, threshold: np.ndarray, of: str = "characters") -> Figure:
    """Accuracy of the answers if the least confident are rejected, with some thresholds marked; `of`: what is answered."""
    figure, ((axis,),) = new_axes(1, 1, 7, 4.4)
    axis.plot(coverage, accuracy, color=BLUE)
    for number, value in enumerate((0.5, 0.7, 0.9, 0.97)):
        answered = int((threshold >= value).sum())
        if answered:
            axis.plot(coverage[answered - 1], accuracy[answered - 1], "o", color=ORANGE)
            axis.annotate(
                f"below {value} rejected: {accuracy[answered - 1]:.1%} right of {coverage[answered - 1]:.0%}",
                (coverage[answered - 1], accuracy[answered - 1]),
                xytext=(-8, 6 if number % 2 else -12),  # above and below in turn: neighbours may be as accurate
                textcoords="offset points",
                ha="right",
                fontsize="small",
            )
    axis.set(
        xlabel=f"coverage: share of {of} answered",
        ylabel="accuracy of the answers",
        xlim=(0, 1.02),
        ylim=(min(accuracy[len(accuracy) // 10 :].min(), 0.95) - 0.02, 1.003),
        title="Fewer answers, more of them right: what ocr.reject_below does",
    )
    return figure
