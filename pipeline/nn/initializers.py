"""Initialisers: how weights start. Biases always start at zero.

An initialiser is called with the shape of the weights, the number of inputs and outputs of one unit (`fan_in`, `fan_out`),
and a generator; it returns float64, which the layer casts to its own type.
"""

from collections.abc import Callable
from math import sqrt

import numpy as np

Initializer = Callable[[tuple[int, ...], int, int, np.random.Generator], np.ndarray]


def make_initializer(name: str, value: float) -> Initializer:
    """The initialiser `name`; `value` is the standard deviation of `normal` and the value of `constant`."""
    initializers: dict[str, Initializer] = {
        "xavier": xavier,
        "he": he,
        "normal": lambda shape, fan_in, fan_out, rng: rng.normal(0, value, shape),
        "constant": lambda shape, fan_in, fan_out, rng: np.full(shape, float(value)),
        "zeros": lambda shape, fan_in, fan_out, rng: np.zeros(shape),
    }
    return initializers[name]


def xavier(shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator) -> np.ndarray:
    """Uniform with variance 2 / (fan_in + fan_out): a compromise between keeping the variance of the activations forward
    (1 / fan_in) and of the gradients backward (1 / fan_out). A uniform on [-a, a] has variance a^2 / 3.
    Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 16.
    """
    limit = sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, shape)


def he(shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator) -> np.ndarray:
    """Normal with variance 2 / fan_in: relu halves the mean square of what passes through it, the 2 makes up for that.
    He et al. 2015, "Delving deep into rectifiers", eq. 10.
    """
    return rng.normal(0, sqrt(2 / fan_in), shape)
