"""Data sets of characters in memory: `Characters`, and the three `Splits` of them."""

import hashlib
from dataclasses import dataclass

import numpy as np

from pipeline.common.errors import DataError


@dataclass(frozen=True)
class Characters:
    """Images of single characters.

    Attributes:
        images: (N, H, W) uint8, bright ink on 0. Readers of files return images of any H and W; `normalise_all` makes the
            normal form from them, `(N, 32, 32)`, which networks see.
        labels: (N,) uint8, indices into the characters of an alphabet; its length is the label of what is not a character.
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: np.ndarray) -> "Characters":
        return Characters(self.images[rows], self.labels[rows])

    def sheet(self, classes: int, columns: int = 24) -> np.ndarray:
        """The first `columns` samples of each class in a row: (classes * H, columns * W) uint8, bright ink on 0."""
        height, width = self.images.shape[1:]
        sheet = np.zeros((classes * height, columns * width), np.uint8)
        for label in range(classes):
            for column, image in enumerate(self.images[self.labels == label][:columns]):
                sheet[label * height : (label + 1) * height, column * width : (column + 1) * width] = image
        return sheet


@dataclass(frozen=True)
class Splits:
    """Samples to train, validate and test a network with; no image may be in two of them."""

    train: Characters
    valid: Characters
    test: Characters


def relabel(characters: Characters, names: str, wanted: str) -> Characters:
    """Keep the characters that `wanted` holds; their labels change from indices into `names` to indices into `wanted`."""
    to = np.array([wanted.find(name) for name in names])
    labels = to[characters.labels]
    return Characters(characters.images[labels >= 0], labels[labels >= 0].astype(np.uint8))


def concatenate(sources: list[Splits]) -> Splits:
    """Mix sources split by split. All images must have the same height and width, as they do in normal form."""

    def join(part: str) -> Characters:
        parts = [getattr(splits, part) for splits in sources]
        return Characters(np.concatenate([p.images for p in parts]), np.concatenate([p.labels for p in parts]))

    return Splits(join("train"), join("valid"), join("test"))


def drop_duplicates(splits: Splits) -> Splits:
    """Remove from `train` the images that are also in `valid` or `test`, and from `valid` those that are also in `test`.

    Images are compared byte by byte, as `splits` holds them. `test` does not change.
    """
    seen = _digests(splits.test)
    valid = splits.valid[~np.isin(_digests(splits.valid), seen)]
    seen = np.concatenate([seen, _digests(valid)])
    return Splits(splits.train[~np.isin(_digests(splits.train), seen)], valid, splits.test)


def _digests(characters: Characters) -> np.ndarray:
    # 128 bits instead of whole images: two images with the same digest are not to be expected
    return np.array([hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest() for image in characters.images], dtype="U32")


def take_per_class(characters: Characters, count: int, seed: int) -> Characters:
    """At most `count` random samples of each class (0: all), in their original order."""
    if count == 0:
        return characters
    order = _shuffled_within_class(characters.labels, seed)
    return characters[np.sort(np.concatenate([rows[:count] for rows in order]))]


def split_per_class(characters: Characters, names: str, train: int, valid: int, test: int, seed: int) -> Splits:
    """Split at random, class by class, so that every split holds the same classes.

    Args:
        names: what the labels stand for.
        train, valid, test: samples of each class. 0 means all that remain for `train`, and a tenth of the class, at least
            one, for `valid` and `test`.

    Raises:
        DataError: a class has fewer than three samples, or fewer than asked for.
    """
    if not len(characters):
        raise DataError(f"none of the characters is one of {names}; choose another alphabet")
    rows: tuple[list[np.ndarray], ...] = ([], [], [])
    for of_class in _shuffled_within_class(characters.labels, seed):
        n, name = len(of_class), names[characters.labels[of_class[0]]]
        counts = np.array([test or max(1, n // 10), valid or max(1, n // 10), train])
        if n < counts.sum() or n < 3:
            raise DataError(
                f"class {name} has {n} samples, but {max(3, counts.sum())} are needed to train, validate and "
                "test; add some or ask for fewer"
            )
        in_test, in_valid, rest = np.split(of_class, np.cumsum(counts[:2]))
        for split, chosen in zip(rows, (rest[: train or None], in_valid, in_test)):
            split.append(chosen)
    return Splits(*(characters[np.sort(np.concatenate(split))] for split in rows))


def _shuffled_within_class(labels: np.ndarray, seed: int) -> list[np.ndarray]:
    """Shuffled row numbers of each class that occurs; the order within a class does not depend on the other classes."""
    return [np.random.default_rng([seed, label]).permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
