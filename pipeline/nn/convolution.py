"""Layers that act on images: convolution, max-pooling, and the steps between rows of vectors and stacks of images.

Images are `(C, H, W, N)` here: channels, height, width, and the N samples last. The values of one pixel in all samples are
neighbours in memory, so that shifting a window copies runs of W x N numbers, and taking every second pixel copies runs of N.
LeCun et al. 1998, "Gradient-based learning applied to document recognition", introduced these networks.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike

from pipeline.nn.initializers import Initializer
from pipeline.nn.layers import NONE, Array, Layer

BLOCK_COLUMNS, BLOCK_BYTES = 2048, 1 << 20
"""Limits for the windows that a convolution unfolds at once: their matrix should fit the second-level cache easily."""


class ToImages(Layer):
    """Rows (N, C * H * W) of grey values -> images (C, H, W, N)."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.size = (channels, height, width)

    def forward(self, x: Array, training: bool = False) -> Array:
        y = self.buffer("y", (*self.size, len(x)), x.dtype)
        y.reshape(-1, len(x))[:] = x.T
        return y

    def backward(self, dy: Array) -> Array:
        return dy.reshape(-1, dy.shape[-1]).T


class Flatten(Layer):
    """Images (C, H, W, N) -> rows (N, C * H * W)."""

    def forward(self, x: Array, training: bool = False) -> Array:
        self.shape = x.shape
        y = self.buffer("y", (x.shape[-1], x[..., 0].size), x.dtype)
        y[:] = x.reshape(-1, x.shape[-1]).T
        return y

    def backward(self, dy: Array) -> Array:
        dx = self.buffer("dx", self.shape, dy.dtype)
        dx.reshape(-1, dx.shape[-1])[:] = dy.T
        return dx


class Convolution(Layer):
    """What convolutions have in common: `weight` (M, C, K, K), `bias` (M,), and the windows of an image as columns of a matrix.

    Unfolded into columns ("im2col"), the windows of K x K pixels turn a convolution into one matrix product. That matrix is
    K * K times as large as the image: it is made for a few rows at a time, small enough to stay in the cache, and made again
    in `backward` rather than kept.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        initializer: Initializer,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        shape = (outputs, inputs, kernel, kernel)
        self.kernel = kernel
        self.params["weight"] = initializer(shape, inputs * kernel**2, outputs * kernel**2, rng).astype(dtype)
        self.params["bias"] = np.zeros(outputs, dtype)
        self.grads = {key: np.zeros_like(value) for key, value in self.params.items()}

    def unfold(self, x: Array, with_ones: bool = False) -> Iterator[tuple[slice, Array]]:
        """Yield (slice of output rows, their P windows as columns (C K K, P)). The next one overwrites the array.

        Args:
            x: (C, H, W, N).
            with_ones: append a row of ones, (C K K + 1, P), which stands for the bias in the product.
        """
        windows = sliding_window_view(x, (self.kernel, self.kernel), axis=(1, 2))  # (C, H', W', N, K, K)
        windows = windows.transpose(0, 4, 5, 1, 2, 3)  # (C, K, K, H', W', N)
        depth, height = len(x) * self.kernel**2, windows.shape[3]
        columns = min(BLOCK_COLUMNS, BLOCK_BYTES // (depth * x.itemsize))
        step = max(1, columns // windows[0, 0, 0, 0].size)
        for start in range(0, height, step):
            rows = slice(start, min(start + step, height))
            block = windows[:, :, :, rows]
            if self.kernel == 1 and not with_ones:
                yield rows, block.reshape(depth, -1)  # nothing to unfold
                continue
            unfolded = self.buffer("unfolded", (depth + with_ones, block[0, 0, 0].size), x.dtype)
            unfolded[:depth].reshape(block.shape)[:] = block
            unfolded[depth:] = 1
            yield rows, unfolded


class Conv2d(Convolution):
    """y[m, u, v] = b[m] + sum over c, i, j of weight[m, c, i, j] x[c, u + i, v + j], for every sample.

    x (C, H, W, N) -> y (M, H - K + 1, W - K + 1, N). No padding, step 1.

    The windows have a row of ones below them: it adds the bias in the product, and collects its gradient in `backward`, so
    that neither takes a pass over y of its own.
    """

    def forward(self, x: Array, training: bool = False) -> Array:
        self.x = x
        weight, bias = self.params["weight"], self.params["bias"]
        weight = np.column_stack([weight.reshape(len(bias), -1), bias])  # (M, C K K + 1)
        height, width = x.shape[1] - self.kernel + 1, x.shape[2] - self.kernel + 1
        y = self.buffer("y", (len(bias), height, width, x.shape[-1]), x.dtype)
        for rows, windows in self.unfold(x, with_ones=True):
            np.matmul(weight, windows, out=y[:, rows].reshape(len(bias), -1))  # (M, P), a view
        return y

    def backward(self, dy: Array) -> Array:
        """Gradients with respect to weight, bias and x.

        The definition is linear in each of weight, b and x, so the chain rule gives, with sums over all u, v and samples,

            dJ/dweight[m, c, i, j] = sum x[c, u + i, v + j] dy[m, u, v]
            dJ/db[m]               = sum dy[m, u, v]
            dJ/dx[c, p, q]         = sum over m, i, j of weight[m, c, i, j] dy[m, p - i, q - j]

        The first is a product with the unfolded windows again. The last is computed one kernel row i at a time: one product
        gives the contribution of each dy through that row, and K shifted additions add it to the pixels.
        """
        total = self.buffer("total", (self.params["weight"][0].size + 1, len(dy)), dy.dtype)  # (C K K + 1, M)
        part = self.buffer("part", total.shape, dy.dtype)
        total[:] = 0
        for rows, windows in self.unfold(self.x, with_ones=True):
            total += np.matmul(windows, dy[:, rows].reshape(len(dy), -1).T, out=part)
        self.grads["weight"].reshape(len(dy), -1)[:] = total[:-1].T
        self.grads["bias"][:] = total[-1]
        return self._input_gradient(dy) if self.needs_dx else NONE

    def _input_gradient(self, dy: Array) -> Array:
        kernel, (height, width) = self.kernel, dy.shape[1:3]
        weight = self.params["weight"].transpose(2, 3, 1, 0).reshape(kernel, -1, len(dy))  # (K, K C, M): kernel row first
        dx = self.buffer("dx", self.x.shape, dy.dtype)
        dx[:] = 0
        sent = self.buffer("sent", (kernel, len(dx), *dy.shape[1:]), dy.dtype)  # (K, C, H', W', N)
        for i in range(kernel):
            np.matmul(weight[i], dy.reshape(len(dy), -1), out=sent.reshape(weight.shape[1], -1))
            for j in range(kernel):
                dx[:, i : i + height, j : j + width] += sent[j]
        return dx


class MaxPool(Layer):
    """Largest value of each 2 x 2 square: (C, H, W, N) -> (C, H // 2, W // 2, N). An odd last row or column is dropped.

    >>> MaxPool().forward(np.array([[[[1], [2]], [[4], [3]]]])).tolist()
    [[[[4]]]]
    """

    def __init__(self) -> None:
        super().__init__()
        self._compared: dict[str, tuple[Array, Array]] = {}

    def forward(self, x: Array, training: bool = False) -> Array:
        """Take the larger of each two rows, then of each two columns; of equal values, the first."""
        self.shape, (height, width) = x.shape, x.shape[1:3]
        x = x[:, : height // 2 * 2, : width // 2 * 2]
        rows = self._larger("rows", x[:, ::2], x[:, 1::2])
        return self._larger("columns", rows[:, :, ::2], rows[:, :, 1::2])

    def backward(self, dy: Array) -> Array:
        """The largest value passes its gradient on, the others get none: dy/dx = 1 for the largest, else 0."""
        channels, height, width, samples = self.shape
        drows = self.buffer("drows", (channels, height // 2, width // 2 * 2, samples), dy.dtype)
        self._share("columns", dy, drows[:, :, ::2], drows[:, :, 1::2])
        dx = self.buffer("dx", self.shape, dy.dtype)
        inner = dx[:, : height // 2 * 2, : width // 2 * 2]
        self._share("rows", drows, inner[:, ::2], inner[:, 1::2])
        dx[:, height // 2 * 2 :] = 0
        dx[:, :, width // 2 * 2 :] = 0
        return dx

    def _larger(self, name: str, first: Array, second: Array) -> Array:
        """The larger of two arrays, which `backward` compares again: a page that is only read needs no mask of which it was."""
        self._compared[name] = first, second
        return np.maximum(first, second, out=self.buffer(name, first.shape, first.dtype))

    def _share(self, name: str, dy: Array, dfirst: Array, dsecond: Array) -> None:
        """Give dy to the one of two arrays that was larger, the first if they were equal, 0 to the other."""
        mask = np.greater_equal(*self._compared[name], out=self.buffer(f"first of {name}", dy.shape, np.dtype(bool)))
        np.multiply(dy, mask, out=dfirst)
        np.subtract(dy, dfirst, out=dsecond)
