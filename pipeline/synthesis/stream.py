"""Characters generated while a network learns from them: each is seen once and kept nowhere."""

import signal
from collections import deque
from collections.abc import Iterator

import numpy as np
from joblib.externals.loky import ProcessPoolExecutor

from pipeline.characters.alphabet import Alphabet
from pipeline.characters.dataset import Characters
from pipeline.synthesis.options import StrokesOptions
from pipeline.synthesis.stroke_library import StrokeLibrary
from pipeline.synthesis.strokes import draw_characters, plan_labels

AHEAD = 3  # blocks that are drawn, or wait, while one is in use
IDLE = 60  # seconds without work after which the drawing process ends: it must not outlive a training that was killed

LABELS, DRAW, SAMPLE = range(3)  # what a random stream is for


class Stream:
    """Training characters by the hands of the training split, block by block.

    A block depends on its epoch, its number and the seed, not on what was drawn before: a training that goes on from a
    checkpoint sees what it would have seen. One other process draws, as long as `blocks` is in use.

    Attributes:
        size: characters in an epoch: as many of each letter and digit, and the options' shares of signs and what is none.
    """

    def __init__(self, library: StrokeLibrary, alphabet: Alphabet, options: StrokesOptions, per_class: int, seed: int) -> None:
        self.library, self.alphabet, self.options, self.seed = library, alphabet, options, seed
        self.labels = plan_labels(alphabet, per_class, options)
        self.size = len(self.labels)

    def blocks(self, epochs: range, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield images (n, 32, 32) uint8 and labels (n,) uint8, n = `size` or what is left of an epoch, epoch after epoch."""
        waiting: deque = deque()
        drawn_by = self.library, self.alphabet, self.options
        with ProcessPoolExecutor(1, timeout=IDLE, initializer=_start, initargs=drawn_by) as pool:
            try:
                for key, labels in self._plan(epochs, size):
                    waiting.append((pool.submit(_draw, labels, key), labels))
                    if len(waiting) > AHEAD:
                        images, own = waiting.popleft()
                        yield images.result(), own
                for images, own in waiting:
                    yield images.result(), own
            finally:
                for images, _ in waiting:
                    images.cancel()

    def sample(self, per_class: int) -> Characters:
        """A few characters of every class, as training sees them."""
        labels = np.repeat(np.arange(self.alphabet.classes, dtype=np.uint8), per_class)
        rng = np.random.default_rng([self.seed, SAMPLE])
        return Characters(draw_characters(self.library, "train", self.alphabet, labels, rng, self.options), labels)

    def _plan(self, epochs: range, size: int) -> Iterator[tuple[list[int], np.ndarray]]:
        for epoch in epochs:
            labels = self.labels.copy()
            np.random.default_rng([self.seed, LABELS, epoch]).shuffle(labels)
            for number, at in enumerate(range(0, self.size, size)):
                yield [self.seed, DRAW, epoch, number], labels[at : at + size]


_library: StrokeLibrary
_alphabet: Alphabet
_options: StrokesOptions


def _start(library: StrokeLibrary, alphabet: Alphabet, options: StrokesOptions) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains
    global _library, _alphabet, _options
    _library, _alphabet, _options = library, alphabet, options


def _draw(labels: np.ndarray, key: list[int]) -> np.ndarray:
    return draw_characters(_library, "train", _alphabet, labels, np.random.default_rng(key), _options)
