"""Optimisers: how a gradient becomes a step.

They work in place on the network's flat arrays. `step` may overwrite the gradients; the next batch overwrites them anyway.
"""

from math import cos, pi, sqrt

import numpy as np

from pipeline.nn.options import TrainOptions

Array = np.ndarray

FLUSH_EVERY, TINY = 256, 1e-25
"""Steps between two calls of `flush`, and the size below which it sets a number to zero. Even 256 steps that each multiply by
0.9 leave 2e-37 of TINY, which float32 still holds as a normal number."""


def flush(state: dict[str, Array]) -> None:
    """Set to zero the numbers of the optimiser's state that are too small to move a weight.

    A dead unit (a relu that no sample activates) gets no gradient, and its averages shrink with every step. Below 1e-38 they
    are "denormal", and a processor takes a hundred times as long for each: a few dead units tripled the time of an Adam step.
    """
    for array in state.values():
        array[np.abs(array) < TINY] = 0


class Optimizer:
    """Moves weights along their gradients. `state` holds the arrays that a checkpoint must keep."""

    state: dict[str, Array]

    def __init__(self, weights: Array, options: TrainOptions | None) -> None:
        raise NotImplementedError

    def step(self, weights: Array, gradients: Array, lr: float) -> None:
        """Move the weights (P,) in place; the gradients (P,) may be overwritten."""
        raise NotImplementedError


class Sgd(Optimizer):
    """w <- w - lr g. Robbins & Monro 1951, "A stochastic approximation method"."""

    def __init__(self, weights: Array, options: TrainOptions) -> None:
        self.state: dict[str, Array] = {}

    def step(self, weights: Array, gradients: Array, lr: float) -> None:
        gradients *= lr
        weights -= gradients


class Momentum(Optimizer):
    """v <- m v + g, w <- w - lr v. Polyak 1964, "Some methods of speeding up the convergence of iteration methods"."""

    def __init__(self, weights: Array, options: TrainOptions) -> None:
        self.momentum = options.momentum
        self.state = {"velocity": np.zeros_like(weights)}

    def step(self, weights: Array, gradients: Array, lr: float) -> None:
        velocity = self.state["velocity"]
        velocity *= self.momentum
        velocity += gradients
        weights -= np.multiply(velocity, lr, out=gradients)


class Adam(Optimizer):
    """m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, w <- w - lr m' / (sqrt(v') + eps), where m' = m / (1 - b1^t) and
    v' = v / (1 - b2^t) undo the start at zero. Kingma & Ba 2015, "Adam: a method for stochastic optimization", algorithm 1.
    """

    BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # the paper's values

    def __init__(self, weights: Array, options: TrainOptions | None = None) -> None:
        self.state = {"mean": np.zeros_like(weights), "square": np.zeros_like(weights), "steps": np.zeros(1, np.int64)}
        self._step = np.empty_like(weights)

    def step(self, weights: Array, gradients: Array, lr: float) -> None:
        mean, square, steps = self.state.values()
        steps += 1
        rest1, rest2 = 1 - self.BETA1 ** int(steps[0]), 1 - self.BETA2 ** int(steps[0])
        step = self._step
        np.multiply(gradients, 1 - self.BETA1, out=step)
        mean *= self.BETA1
        mean += step
        np.multiply(gradients, gradients, out=step)
        step *= 1 - self.BETA2
        square *= self.BETA2
        square += step
        np.sqrt(square, out=step)
        step += self.EPSILON * sqrt(rest2)  # m' / (sqrt(v') + eps) = (sqrt(rest2) / rest1) m / (sqrt(v) + eps sqrt(rest2))
        np.divide(mean, step, out=step)
        step *= lr * sqrt(rest2) / rest1
        weights -= step


def make_optimizer(weights: Array, options: TrainOptions) -> Optimizer:
    """The optimiser that the options name."""
    optimizers: dict[str, type[Optimizer]] = {"sgd": Sgd, "momentum": Momentum, "adam": Adam}
    return optimizers[options.optimizer](weights, options)


def learning_rate(options: TrainOptions, progress: float) -> float:
    """The learning rate after `progress` epochs, a fraction in [0, epochs).

    `step` multiplies the rate by `step_factor` every `step_size` epochs. `cosine` follows half a cosine from `lr` down to 0
    (Loshchilov & Hutter 2017, "SGDR"). During the first `warmup_epochs` the scheduled rate is multiplied by a factor that
    rises linearly from 0 to 1.
    """
    rate = options.lr
    if options.schedule == "step":
        rate *= options.step_factor ** (int(progress) // options.step_size)
    if options.schedule == "cosine":
        rate *= (1 + cos(pi * progress / options.epochs)) / 2
    if progress < options.warmup_epochs:
        rate *= progress / options.warmup_epochs
    return rate
