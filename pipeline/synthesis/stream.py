"""Characters that are generated while a network learns from them; each is seen a few times in one epoch and not stored."""

import signal
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from contextlib import closing

import numpy as np
from joblib.externals.loky import ProcessPoolExecutor

from pipeline.characters import SIZE
from pipeline.characters.alphabet import Alphabet
from pipeline.characters.dataset import Characters
from pipeline.synthesis.options import StrokesOptions
from pipeline.synthesis.stroke_library import StrokeLibrary
from pipeline.synthesis.strokes import draw_characters, plan_labels

AHEAD = (
    8192  # characters that are drawn, or wait, before they are needed: the drawing process goes on while others are seen again
)
CHUNK = 512  # characters drawn from one seed
IDLE = 60  # seconds without work after which the drawing process ends: it must not outlive a training that was killed

LABELS, DRAW, SAMPLE, ORDER = range(4)  # what a random stream is for


class Stream:
    """Training characters by the hands of the training split, block by block.

    An epoch depends on its number and the seed only. So a training that continues from a checkpoint sees the same characters as
    one that was not interrupted. Another process draws them while `blocks` is in use.

    Attributes:
        labels: (M,) of the characters of an epoch: the same number of each letter and digit, and the shares of signs and of
            what is not a character that the options name.
        views: how often an epoch shows each character.
        size: samples in an epoch.
    """

    def __init__(
        self, library: StrokeLibrary, alphabet: Alphabet, options: StrokesOptions, per_class: int, views: int, seed: int
    ) -> None:
        self.library, self.alphabet, self.options, self.views, self.seed = library, alphabet, options, views, seed
        self.labels = plan_labels(alphabet, per_class, options)
        self.size = len(self.labels) * views

    def blocks(self, epochs: range, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield images (n, 32, 32) uint8 and labels (n,) uint8, n = `size` or what is left of an epoch, epoch after epoch.

        The first view of the characters is in the order in which they are drawn; every other view has its own random order.
        """
        with closing(self._drawn(epochs)) as drawn:
            for epoch in epochs:
                labels, ready = self._labels(epoch), 0
                images = np.empty((len(labels), SIZE, SIZE), np.uint8)
                rng = np.random.default_rng([self.seed, ORDER, epoch])
                again = (rng.permutation(len(labels)) for _ in range(self.views - 1))
                order = np.concatenate([np.arange(len(labels)), *again])
                for at in range(0, self.size, size):
                    chosen = order[at : at + size]
                    while ready <= chosen.max():
                        part = next(drawn)
                        images[ready : ready + len(part)] = part
                        ready += len(part)
                    yield images[chosen], labels[chosen]

    def sample(self, per_class: int) -> Characters:
        """A few characters of every class, as training sees them."""
        labels = np.repeat(np.arange(self.alphabet.classes, dtype=np.uint8), per_class)
        rng = np.random.default_rng([self.seed, SAMPLE])
        return Characters(draw_characters(self.library, "train", self.alphabet, labels, rng, self.options), labels)

    def _labels(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.seed, LABELS, epoch]).permutation(self.labels)

    def _drawn(self, epochs: range) -> Generator[np.ndarray, None, None]:
        """Yield images (n, 32, 32) of the labels of one epoch after the other; another process draws them ahead of time."""
        waiting: deque[Future] = deque()
        drawn_by = self.library, self.alphabet, self.options
        with ProcessPoolExecutor(1, timeout=IDLE, initializer=_start, initargs=drawn_by) as pool:
            try:
                for epoch in epochs:
                    labels = self._labels(epoch)
                    for number, at in enumerate(range(0, len(labels), CHUNK)):
                        waiting.append(pool.submit(_draw, labels[at : at + CHUNK], [self.seed, DRAW, epoch, number]))
                        if len(waiting) > AHEAD // CHUNK:
                            yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for part in waiting:
                    part.cancel()


_library: StrokeLibrary
_alphabet: Alphabet
_options: StrokesOptions


def _start(library: StrokeLibrary, alphabet: Alphabet, options: StrokesOptions) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains
    global _library, _alphabet, _options
    _library, _alphabet, _options = library, alphabet, options


def _draw(labels: np.ndarray, key: list[int]) -> np.ndarray:
    return draw_characters(_library, "train", _alphabet, labels, np.random.default_rng(key), _options)
