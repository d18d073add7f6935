"""Layers that act on vectors: linear, sigmoid, tanh, relu, dropout.

A layer is one step of the network. `forward(x)` computes y; `backward(dy)` takes the gradient of the loss with respect to
y, fills `grads` (same keys as `params`), and returns the gradient with respect to x. Arrays are `(N, D)`: N samples in rows.

Every layer writes its results into arrays it keeps and uses again: allocating megabytes for each batch costs more than
filling them. So a result is valid until the next `forward` or `backward` of the same layer; copy it to keep it.
"""

import math

import numpy as np
from numpy.typing import DTypeLike

from pipeline.nn.initializers import Initializer

Array = np.ndarray

NONE: Array = np.empty(0)
"""What `backward` returns where no gradient is needed."""


class Layer:
    """One step of the network.

    Attributes:
        params: the parameters by name; empty for a layer without any.
        grads: under the same names, the gradient of the loss with respect to each, as the last `backward` left it.
        needs_dx: whether `backward` has to return the gradient with respect to x.
    """

    def __init__(self) -> None:
        self.params: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        self.needs_dx = True  # False in a network's first layer: nothing needs its dx, and `backward` returns NONE
        self._buffers: dict[str, Array] = {}

    def forward(self, x: Array, training: bool = False) -> Array:
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        raise NotImplementedError

    def buffer(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        """An array (uninitialised) in the memory kept under this name, which grows to the most that was ever asked for.

        New memory costs more than the numbers written into it: the system clears it first. A last, smaller batch, or a photo
        of another size, takes what is there.
        """
        size = math.prod(shape)
        kept = self._buffers.get(name)
        if kept is None or kept.size < size or kept.dtype != dtype:
            kept = self._buffers[name] = np.empty(size, dtype)
        return kept[:size].reshape(shape)


class Linear(Layer):
    """y = x W + b, with `weight` W (D, M) and `bias` b (M,).

    >>> layer = Linear(2, 1, lambda shape, *_: np.ones(shape), np.random.default_rng(0))
    >>> layer.forward(np.array([[1, 2], [3, 4]], np.float32)).tolist()
    [[3.0], [7.0]]
    """

    def __init__(
        self, inputs: int, outputs: int, initializer: Initializer, rng: np.random.Generator, dtype: DTypeLike = np.float32
    ) -> None:
        super().__init__()
        self.params["weight"] = initializer((inputs, outputs), inputs, outputs, rng).astype(dtype)
        self.params["bias"] = np.zeros(outputs, dtype)
        self.grads = {key: np.zeros_like(value) for key, value in self.params.items()}

    def forward(self, x: Array, training: bool = False) -> Array:
        self.x = x  # (N, D)
        y = self.buffer("y", (len(x), self.params["bias"].size), x.dtype)  # (N, M)
        np.matmul(x, self.params["weight"], out=y)
        y += self.params["bias"]
        return y

    def backward(self, dy: Array) -> Array:
        """Gradients with respect to W, b and x.

        With `y_nm = sum_d x_nd W_dm + b_m` the chain rule gives

            dJ/dW_dm = sum_n x_nd dy_nm   ->  dW = x^T dy    (D, M)
            dJ/db_m  = sum_n dy_nm        ->  db = 1^T dy    (M,)
            dJ/dx_nd = sum_m dy_nm W_dm   ->  dx = dy W^T    (N, D)
        """
        np.matmul(self.x.T, dy, out=self.grads["weight"])
        np.add.reduce(dy, axis=0, out=self.grads["bias"])
        if not self.needs_dx:
            return NONE
        return np.matmul(dy, self.params["weight"].T, out=self.buffer("dx", self.x.shape, dy.dtype))


class Sigmoid(Layer):
    """y = 1 / (1 + exp(-x)), elementwise, any shape.

    Computed as (1 + tanh(x / 2)) / 2: the same function, but it cannot overflow.
    """

    def forward(self, x: Array, training: bool = False) -> Array:
        self.y = y = self.buffer("y", x.shape, x.dtype)
        np.multiply(x, 0.5, out=y)
        np.tanh(y, out=y)
        y += 1
        y *= 0.5
        return y

    def backward(self, dy: Array) -> Array:
        """dy/dx = exp(-x) / (1 + exp(-x))^2 = y (1 - y), so dx = dy y (1 - y)."""
        dx = np.subtract(1, self.y, out=self.buffer("dx", dy.shape, dy.dtype))
        dx *= self.y
        dx *= dy
        return dx


class Tanh(Layer):
    """y = tanh(x), elementwise, any shape."""

    def forward(self, x: Array, training: bool = False) -> Array:
        self.y = np.tanh(x, out=self.buffer("y", x.shape, x.dtype))
        return self.y

    def backward(self, dy: Array) -> Array:
        """dy/dx = 1 - tanh(x)^2, so dx = dy (1 - y^2)."""
        dx = np.multiply(self.y, self.y, out=self.buffer("dx", dy.shape, dy.dtype))
        np.subtract(1, dx, out=dx)
        dx *= dy
        return dx


class Relu(Layer):
    """y = max(x, 0), elementwise, any shape."""

    def forward(self, x: Array, training: bool = False) -> Array:
        self.y = np.maximum(x, 0, out=self.buffer("y", x.shape, x.dtype))
        return self.y

    def backward(self, dy: Array) -> Array:
        """dy/dx is 1 where x > 0 and 0 where x < 0; at 0, where it does not exist, we take 0. x > 0 exactly where y > 0."""
        positive = np.greater(self.y, 0, out=self.buffer("positive", dy.shape, np.dtype(bool)))
        return np.multiply(dy, positive, out=self.buffer("dx", dy.shape, dy.dtype))


class Dropout(Layer):
    """In training, sets each value to 0 with probability `rate` and multiplies the others by 1 / (1 - rate).

    The expected value of each output is then its input. Outside training, y = x. Srivastava et al. 2014, "Dropout: a simple
    way to prevent neural networks from overfitting".
    """

    def __init__(self, rate: float, rng: np.random.Generator) -> None:
        super().__init__()
        self.rate = rate
        self.rng = rng

    def forward(self, x: Array, training: bool = False) -> Array:
        self.training = training
        if not training:
            return x
        self.mask = self.rng.random(x.shape, x.dtype, out=self.buffer("mask", x.shape, x.dtype))
        np.greater_equal(self.mask, self.rate, out=self.mask, casting="unsafe")
        self.mask *= 1 / (1 - self.rate)
        return np.multiply(x, self.mask, out=self.buffer("y", x.shape, x.dtype))

    def backward(self, dy: Array) -> Array:
        """y = mask x, so dx = mask dy."""
        if not self.training:
            return dy
        return np.multiply(dy, self.mask, out=self.buffer("dx", dy.shape, dy.dtype))
