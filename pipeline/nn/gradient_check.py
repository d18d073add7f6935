"""Gradient check: compares the derivatives with central differences, (f(w + h) - f(w - h)) / 2h, in float64.

The formula of the difference is off by about h^2, and rounding adds about 1e-16 / h: near h = 1e-5 a correct gradient agrees to
eight digits, a wrong one to none.
"""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pipeline.nn.layers import Array, Dropout, Layer
from pipeline.nn.losses import cross_entropy_with_gradient
from pipeline.nn.network import build_network
from pipeline.nn.options import ModelOptions
from pipeline.nn.threads import one_blas_thread

TOLERANCE = 1e-6
"""A relative error below this means that a gradient is right."""

STEP = 1e-5
"""h of the central differences."""


def check_layer(layer: Layer, x: Array, seed: int = 0, training: bool = False) -> dict[str, float]:
    """Relative error of the gradient with respect to every parameter and to `x` (float64, any shape the layer takes)."""
    direction = np.random.default_rng(seed).standard_normal(layer.forward(x).shape)  # makes a number of y: sum(direction * y)

    def loss() -> float:
        if isinstance(layer, Dropout):
            layer.rng = np.random.default_rng(seed)  # the same mask every time
        return float((layer.forward(x, training) * direction).sum())

    loss()
    analytic = {"x": layer.backward(direction).copy()} | {key: grad.copy() for key, grad in layer.grads.items()}
    return {key: relative_error(loss, {"x": x, **layer.params}[key], gradient, seed) for key, gradient in analytic.items()}


def check_network(options: ModelOptions, input_shape: tuple[int, ...], classes: int, seed: int = 0) -> dict[str, float]:
    """Relative error of the gradient of the loss with respect to every parameter of the network that the options describe.

    The weights are random whatever initialiser the options name: at zero, a wrong gradient may look right by chance.
    """
    rng = np.random.default_rng(seed)
    network = build_network(replace(options, initializer="xavier"), input_shape, classes, rng, np.float64)
    network.weights[network.decayed :] = rng.normal(0, 0.1, network.weights.size - network.decayed)
    x, labels = rng.random((3, math.prod(input_shape))), rng.integers(0, classes, 3)

    def loss_and_gradient() -> tuple[Array, Array]:
        network.reseed(np.random.default_rng(seed))  # the same dropout masks every time
        return cross_entropy_with_gradient(network.forward(x, training=True), labels)

    with one_blas_thread():
        network.backward(loss_and_gradient()[1])
        analytic = {key: gradient.copy() for key, gradient in network.grads.items()}
        return {
            key: relative_error(lambda: float(loss_and_gradient()[0].sum()), network.params[key], gradient, seed)
            for key, gradient in analytic.items()
        }


def relative_error(loss: Callable[[], float], array: Array, gradient: Array, seed: int, entries: int = 20) -> float:
    """|analytic - numeric| / (|analytic| + |numeric|), in the Euclidean norm over randomly chosen entries of `array`.

    Where a step crosses the corner of a relu or of a maximum there is no derivative to compare with. Half the step then gives
    another difference; such entries are left out.
    """
    chosen = np.random.default_rng(seed).permutation(array.size)[:entries]
    numeric = np.array([central_difference(loss, array, index, STEP) for index in chosen])
    halved = np.array([central_difference(loss, array, index, STEP / 2) for index in chosen])
    smooth = np.abs(numeric - halved) <= 1e-7 * np.abs(numeric).max()
    analytic = gradient.ravel()[chosen][smooth]
    size = np.linalg.norm(analytic) + np.linalg.norm(numeric[smooth])
    return float(np.linalg.norm(analytic - numeric[smooth]) / size) if size else float(not smooth.any())


def central_difference(loss: Callable[[], float], array: Array, index: int, step: float) -> float:
    """Derivative of `loss()` with respect to one entry of `array`; the entry is changed and restored."""
    flat = array.reshape(-1)
    value = flat[index]
    flat[index] = value + step
    above = loss()
    flat[index] = value - step
    below = loss()
    flat[index] = value
    return (above - below) / (2 * step)
