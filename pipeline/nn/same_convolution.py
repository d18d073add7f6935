"""A convolution whose output has the size of its input, with a rectifier in the same pass: for networks that label pixels."""

import numpy as np
from numpy.typing import DTypeLike

from pipeline.nn.convolution import Convolution
from pipeline.nn.initializers import Initializer
from pipeline.nn.layers import NONE, Array


class SameConv2d(Convolution):
    """z[m, u, v] = b[m] + sum over c, i, j of weight[m, c, i, j] x[c, u + i - r, v + j - r], and y = max(z, 0) if `rectify`.

    x (C, H, W, N) -> y (M, H, W, N), with r = (K - 1) / 2 for an odd kernel K; x counts as 0 outside its borders.

    The rectifier acts on a few rows at a time, while they are in the cache: as a layer of its own it would read and write all
    of y once more.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        initializer: Initializer,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
        rectify: bool = True,
    ) -> None:
        super().__init__(inputs, outputs, kernel, initializer, rng, dtype)
        if kernel % 2 == 0:
            raise ValueError(f"kernel {kernel}: must be odd, so that a window has a middle pixel")
        self.rectify = rectify
        self._bordered: dict[str, tuple] = {}

    def forward(self, x: Array, training: bool = False) -> Array:
        weight, bias = self.params["weight"], self.params["bias"]
        matrix = weight.reshape(len(bias), -1)  # (M, C K K)
        self.x = x
        self.y = y = self.buffer("y", (len(bias), *x.shape[1:]), x.dtype)
        for rows, windows in self.unfold(self._padded("x", x)):
            part = y[:, rows].reshape(len(bias), -1)  # (M, P), a view
            np.matmul(matrix, windows, out=part)
            part += bias[:, None]
            if self.rectify:
                np.maximum(part, 0, out=part)
        return y

    def backward(self, dy: Array) -> Array:
        """Gradients with respect to weight, bias and x.

        With dz = dy where y > 0, and 0 elsewhere (dz = dy without the rectifier), the chain rule gives, with sums over all
        pixels and samples and dz = 0 outside of its borders,

            dJ/db[m]               = sum dz[m, u, v]
            dJ/dweight[m, c, i, j] = sum x[c, u + i - r, v + j - r] dz[m, u, v]
                                   = sum x[c, p, q] dz[m, p - i + r, q - j + r]
            dJ/dx[c, p, q]         = sum over m, i, j of weight[m, c, i, j] dz[m, p - i + r, q - j + r]

        With i' = K - 1 - i, which is 2r - i, and j' alike, both of the last read dz[m, p + i' - r, q + j' - r]: the windows of
        dz as `forward` unfolds them. So one unfolding serves both, and dx is the convolution of dz with the kernel turned by
        180 degrees.
        """
        weight = self.params["weight"]
        outputs, inputs, kernel, _ = weight.shape
        padded = self._padded("dz", dy)
        if self.rectify:
            radius = kernel // 2
            inner = padded[:, radius : radius + dy.shape[1], radius : radius + dy.shape[2]]
            np.multiply(inner, np.greater(self.y, 0, out=self.buffer("on", dy.shape, np.dtype(bool))), out=inner)
            self.grads["bias"][:] = inner.reshape(outputs, -1).sum(axis=1)
        else:
            self.grads["bias"][:] = dy.reshape(outputs, -1).sum(axis=1)
        turned = weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3).reshape(inputs, -1)  # (C, M K K)
        total = np.zeros_like(turned)
        dx = self.buffer("dx", self.x.shape, dy.dtype) if self.needs_dx else NONE
        for rows, windows in self.unfold(padded):
            total += self.x[:, rows].reshape(inputs, -1) @ windows.T
            if self.needs_dx:
                np.matmul(turned, windows, out=dx[:, rows].reshape(inputs, -1))
        self.grads["weight"][:] = total.reshape(inputs, outputs, kernel, kernel).transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
        return dx

    def _padded(self, name: str, x: Array) -> Array:
        """x with r rows and columns of 0 on each side, in an array whose border is written once for each size."""
        radius, (channels, height, width, samples) = self.kernel // 2, x.shape
        shape = (channels, height + 2 * radius, width + 2 * radius, samples)
        padded = self.buffer(f"padded {name}", shape, x.dtype)
        if self._bordered.get(name) != (shape, x.dtype):
            padded[:] = 0
            self._bordered[name] = shape, x.dtype
        padded[:, radius : radius + height, radius : radius + width] = x
        return padded
