"""Batches: shuffled, augmented ahead of time, cut."""

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Protocol

import numpy as np

from pipeline.nn.layers import Array

Data = tuple[Array, Array]  # samples (N, ...), uint8 where they are pixels; labels (N,) 0..K-1
Augment = Callable[[Array, np.random.Generator], Array]

BLOCK = 512
"""Samples that are shuffled and augmented together, ahead of the batches cut from them."""

ORDER, AUGMENT, DROPOUT = range(3)
"""What a random stream is for. Each stream is made from (seed, epoch, purpose), and none outlives its epoch: of the random
numbers, a checkpoint needs to keep the number of the next epoch only."""


class Source(Protocol):
    """Training samples that are not in memory, for example because they are generated while the network trains.

    Attributes:
        size: samples in an epoch.
    """

    size: int

    def blocks(self, epochs: range, size: int) -> Iterator[Data]:
        """Yield the samples of one epoch after the other in blocks of `size`; the last one of an epoch may be smaller.

        The samples of an epoch must not depend on the epochs before it.
        """
        ...


def make_batches(
    train: Data | Source, batch_size: int, seed: int, epochs: range, augment: Augment | None
) -> Generator[Data, None, None]:
    """Yield the batches of one epoch after the other; stored samples come in another order each time."""
    size = max(1, BLOCK // batch_size) * batch_size  # whole batches: enough to be worth a call, few enough for the cache
    blocks = _shuffled(*train, seed, epochs, size) if isinstance(train, tuple) else train.blocks(epochs, size)
    if augment:
        blocks = _ahead(_augmented(blocks, augment, seed, epochs, -(-count(train) // size)))
    for x, y in blocks:
        for start in range(0, len(x), batch_size):
            yield x[start : start + batch_size], y[start : start + batch_size]


def count(train: Data | Source) -> int:
    """Samples in an epoch."""
    return len(train[0]) if isinstance(train, tuple) else train.size


def _shuffled(images: Array, labels: Array, seed: int, epochs: range, size: int) -> Iterator[Data]:
    """Yield blocks of stored samples."""
    buffers = cycle(np.empty((2, min(size, len(images)), *images.shape[1:]), images.dtype))  # one in use, one being filled
    for epoch in epochs:
        order = np.random.default_rng((seed, epoch, ORDER)).permutation(len(images))
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            x = np.take(images, chosen, axis=0, out=next(buffers)[: len(chosen)], mode="clip")  # mode raise would copy
            yield x, labels[chosen]


def _augmented(blocks: Iterator[Data], augment: Augment, seed: int, epochs: range, blocks_an_epoch: int) -> Iterator[Data]:
    for epoch in epochs:
        rng = np.random.default_rng((seed, epoch, AUGMENT))
        for x, y in islice(blocks, blocks_an_epoch):
            yield augment(x, rng), y


def _ahead(iterator: Iterator) -> Iterator:
    """The same items, each made in another thread while the one before it is in use."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(next, iterator, None)
        while (item := future.result()) is not None:
            future = pool.submit(next, iterator, None)
            yield item
