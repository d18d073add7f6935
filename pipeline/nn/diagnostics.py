"""Diagnostics: how activations and gradients change from layer to layer, for the figures about depth and initialisation."""

import numpy as np

from pipeline.nn.initializers import make_initializer
from pipeline.nn.layers import Array, Layer, Linear, Relu, Sigmoid, Tanh

ACTIVATIONS: dict[str, type[Layer]] = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": Relu}

SAMPLES = 200
"""Inputs over which sizes and variances are taken."""


def gradient_sizes(depth: int, width: int, seed: int) -> dict[str, Array]:
    """For each activation, the root mean square of dJ/dW in each layer, (depth,), right after Xavier initialisation.

    The input and the gradient at the output are standard normal, so that all differences between layers come from the network.
    """
    sizes = {}
    for name in ACTIVATIONS:
        layers, rng = _deep(name, "xavier", 0, depth, width, seed), np.random.default_rng(seed)
        x = rng.standard_normal((SAMPLES, width))
        for layer in layers:
            x = layer.forward(x)
        dy = rng.standard_normal(x.shape)
        for layer in reversed(layers):
            dy = layer.backward(dy)
        sizes[name] = np.array([np.sqrt(np.mean(layer.grads["weight"] ** 2)) for layer in layers if layer.params])
    return sizes


def activation_variances(depth: int, width: int, seed: int) -> dict[str, Array]:
    """For each initialisation, the variance of the activations of each tanh layer over samples and units, (depth,).

    The input is standard normal. A normal distribution that is not scaled to the width of the layers is either too narrow (the
    signal dies out) or too wide (every unit saturates at -1 or 1).
    """
    starts = {
        "zeros": ("zeros", 0),
        "constant 0.01": ("constant", 0.01),
        "normal, deviation 0.01": ("normal", 0.01),
        "normal, deviation 1": ("normal", 1),
        "Xavier": ("xavier", 0),
    }
    variances = {}
    for title, (initializer, value) in starts.items():
        x = np.random.default_rng(seed).standard_normal((SAMPLES, width))
        outputs = [x := layer.forward(x) for layer in _deep("tanh", initializer, value, depth, width, seed)]
        variances[title] = np.array([y.var() for y in outputs[1::2]])
    return variances


def _deep(activation: str, initializer: str, value: float, depth: int, width: int, seed: int) -> list[Layer]:
    """`depth` times a linear layer and its activation, in float64."""
    rng, initialize = np.random.default_rng((seed, 1)), make_initializer(initializer, value)
    pairs = ((Linear(width, width, initialize, rng, np.float64), ACTIVATIONS[activation]()) for _ in range(depth))
    return [layer for pair in pairs for layer in pair]
