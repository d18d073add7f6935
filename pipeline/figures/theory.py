"""Figures of the theory: activations, and what passes through the layers."""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from pipeline.figures.style import BLUE, GREEN, ORANGE, apart, new_axes


def activations(functions: dict[str, tuple[Callable, Callable]]) -> Figure:
    """Each activation with its derivative: `name -> (function, derivative)`."""
    x = np.linspace(-6, 6, 601)
    figure, axes = new_axes(1, len(functions), 4 * len(functions), 3.4)
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
    figure, ((axis,),) = new_axes(1, 1, 9, 4.6)
    positive = np.concatenate([values[values > 0] for values in series.values()])
    floor = 10 ** np.floor(np.log10(positive.min()) - 1)
    ends = {name: np.log10(max(values[-1], floor)) for name, values in series.items()}
    heights = apart(ends, 0.055 * (np.log10(max(v.max() for v in series.values())) - np.log10(floor)))
    for (name, values), color in zip(series.items(), (BLUE, ORANGE, GREEN, "0.2", "#7a4fa3")):
        layers = np.arange(1, len(values) + 1)
        axis.plot(layers, np.maximum(values, floor), color=color, marker="o", markersize=4)
        label = name if values.any() else f"{name} (exactly 0)"
        axis.text(layers[-1] + 0.25, 10 ** heights[name], label, color=color, va="center")
    axis.set(yscale="log", xlabel="layer, from the input", ylabel=quantity, title=title)
    axis.set_xlim(0.5, len(layers) + 2.2)
    axis.set_ylim(top=max(axis.get_ylim()[1], 10 ** (max(heights.values()) + 0.3)))
    axis.set_xticks(layers)
    return figure
