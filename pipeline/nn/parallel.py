"""Parallel training: a large batch in two halves, each in a thread of its own.

- A large batch is split into parts. NumPy gives up the interpreter's lock inside its loops and products, so Python threads
  run the parts at the same time, each with a replica that shares the weights and has gradients and buffers of its own.
  The number of parts follows from the work in a batch, never from the machine: on one core the same parts run one after
  another, and the weights come out the same, bit for bit.
- Nothing is allocated per batch: layers reuse their arrays, and uint8 pixels are converted into an array that is kept.
"""

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pipeline.nn.layers import Array
from pipeline.nn.losses import cross_entropy_with_gradient
from pipeline.nn.network import Network, to_input

PARTS = 2
"""Parts that a large batch is split into."""

LARGE_BATCH = 30_000_000
"""Multiplications in the forward pass of a batch above which splitting saves more time than waiting for both parts costs."""


def _quiet() -> None:
    np.seterr(all="ignore")  # the training loop checks the loss itself


class Workers:
    """Replicas of a network, and the threads they work on. Close it after use."""

    def __init__(self, network: Network, batch_size: int) -> None:
        parts = PARTS if batch_size * multiplications(network) > LARGE_BATCH else 1
        self.replicas = [network] + [network.replica() for _ in range(parts - 1)]
        width = math.prod(network.input_shape or ())
        self.inputs = [np.empty((-(-batch_size // parts), width), network.weights.dtype) for _ in range(parts)]
        threads = min(parts, os.cpu_count() or 1)
        self.pool = ThreadPoolExecutor(threads - 1, initializer=_quiet) if threads > 1 else None

    def close(self) -> None:
        if self.pool:
            self.pool.shutdown()

    def reseed(self, *key: int) -> None:
        """Give each replica's dropout a stream of its own."""
        for index, replica in enumerate(self.replicas):
            replica.reseed(np.random.default_rng((*key, index)))

    def evaluate(self, images: Array, logits: Array) -> None:
        """Write the logits (n, K) of samples (n, ...), n <= batch size."""
        self._run(_evaluate, (images, logits))

    def gradient(self, images: Array, labels: Array, logits: Array, losses: Array, scale: float, smoothing: float) -> None:
        """Write the logits (n, K) and losses (n,) of a batch; leave the gradient of its loss in the network's `gradients`."""
        parts = self._run(_gradient, (images, labels, logits, losses), scale, smoothing)
        for replica in self.replicas[1:parts]:
            self.replicas[0].gradients += replica.gradients

    def _run(self, work: Callable, arrays: tuple[Array, ...], *values: float) -> int:
        """Let each replica work on its part of the arrays, which all have n rows; returns how many parts there were."""
        count = len(arrays[0])
        parts = min(len(self.replicas), count)
        if parts == 1:
            work(self.replicas[0], self.inputs[0][:count], *arrays, *values)
            return 1
        jobs = []
        for index in range(parts):
            start, end = count * index // parts, count * (index + 1) // parts
            jobs.append((self.replicas[index], self.inputs[index][: end - start], *(a[start:end] for a in arrays), *values))
        waiting = [self.pool.submit(work, *job) for job in jobs[1:]] if self.pool else []
        for job in jobs[: 1 if self.pool else parts]:
            work(*job)
        for future in waiting:
            future.result()
        return parts


def _evaluate(network: Network, x: Array, images: Array, logits: Array) -> None:
    logits[:] = network.forward(to_input(images, out=x))


def _gradient(
    network: Network, x: Array, images: Array, labels: Array, logits: Array, losses: Array, scale: float, smoothing: float
) -> None:
    logits[:] = network.forward(to_input(images, out=x), training=True)
    losses[:], dlogits = cross_entropy_with_gradient(logits, labels, scale, smoothing)
    network.backward(dlogits)


def multiplications(network: Network) -> int:
    """Multiplications in the forward pass of one sample."""
    count = 0
    x = np.zeros((1, math.prod(network.input_shape or ())), network.weights.dtype)
    for layer in network.layers:
        x = layer.forward(x)
        if layer.params:  # every output value takes as many as one unit has weights
            count += x.size * layer.params["weight"].size // layer.params["bias"].size
    return count
