"""Batches: shuffled, augmented ahead of time, cut."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import numpy as np

from pipeline.nn.layers import Array

Data = tuple[Array, Array]  # images (N, 32, 32) uint8, labels (N,) 0..35
Augment = Callable[[Array, np.random.Generator], Array]

BLOCK = 512
"""Samples that are shuffled and augmented together, ahead of the batches cut from them."""

ORDER, AUGMENT, DROPOUT = range(3)
"""What a random stream is for. Streams are made from (seed, epoch, purpose): no generator state outlives its epoch, so the
number of the next epoch is all that a checkpoint needs to hold of them."""


def make_batches(
    images: Array, labels: Array, batch_size: int, seed: int, epochs: range, augment: Augment | None
) -> Iterator[Data]:
    """Yield the batches of one epoch after the other, each epoch in an order of its own."""
    blocks = _blocks(images, labels, batch_size, seed, epochs, augment)
    for x, y in _ahead(blocks) if augment else blocks:
        for start in range(0, len(x), batch_size):
            yield x[start : start + batch_size], y[start : start + batch_size]


def _blocks(images: Array, labels: Array, batch_size: int, seed: int, epochs: range, augment: Augment | None) -> Iterator[Data]:
    """Yield shuffled and augmented blocks of whole batches: as many samples as are worth a call, few enough for the memory."""
    size = max(1, BLOCK // batch_size) * batch_size
    buffers = cycle(np.empty((2, min(size, len(images)), *images.shape[1:]), np.uint8))  # one in use, one being filled
    for epoch in epochs:
        order = np.random.default_rng((seed, epoch, ORDER)).permutation(len(images))
        rng = np.random.default_rng((seed, epoch, AUGMENT))
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            x = np.take(images, chosen, axis=0, out=next(buffers)[: len(chosen)], mode="clip")  # mode raise would copy
            yield (augment(x, rng) if augment else x), labels[chosen]


def _ahead(iterator: Iterator) -> Iterator:
    """The same items, each made in another thread while the one before it is in use."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(next, iterator, None)
        while (item := future.result()) is not None:
            future = pool.submit(next, iterator, None)
            yield item
