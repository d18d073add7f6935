"""Data sets of characters in memory and on disk: `Characters`, the three `Splits` of them, and users' `.npz` files."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.characters import SIZE
from pipeline.characters.alphabet import ALPHANUMERIC, MOST, from_description
from pipeline.common.arrays import load_arrays, save_arrays
from pipeline.common.errors import DataError

MAX_SIDE = 1024
"""Largest height and width in pixels of one character image."""


@dataclass(frozen=True)
class Characters:
    """Images of single characters.

    Attributes:
        images: (N, H, W) uint8, bright ink on 0. The readers return what their files hold, of any H and W;
            the normal form that networks see, `(N, 32, 32)`, is made of it by `normalise_all`.
        labels: (N,) uint8, indices into the characters of an alphabet, or one more for what is no character.
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
    """What a network learns from, is chosen by, and is measured on; no image may be in two of them."""

    train: Characters
    valid: Characters
    test: Characters


def save_splits(path: Path, splits: Splits, meta: dict[str, Any]) -> None:
    """Write splits in normal form and `meta` (anything JSON can hold) into one `.npz`; same content, same bytes.

    It is not compressed: what zlib makes of the same bytes differs from one build of Python to another.
    """
    arrays = {"meta": np.array(json.dumps(meta, sort_keys=True))}
    for name, part in vars(splits).items():
        arrays |= {f"{name}_images": part.images, f"{name}_labels": part.labels}
    save_arrays(path, arrays, compress=False)


def load_splits(path: Path) -> tuple[Splits, dict[str, Any]]:
    """Read what `save_splits` wrote.

    Raises:
        DataError: missing or damaged file, or characters that are not in normal form.
    """
    names = [f"{part}_{kind}" for part in ("train", "valid", "test") for kind in ("images", "labels")]
    arrays = load_arrays(path, ["meta", *names])
    try:
        meta = json.loads(str(arrays["meta"]))
    except (ValueError, RecursionError):
        meta = None
    if not isinstance(meta, dict):
        raise DataError(f"{path}: 'meta' is not a JSON object; prepare the data again")
    alphabet = from_description(meta.get("alphabet"), str(path))
    parts = {}
    for part in ("train", "valid", "test"):
        images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
        if images.dtype != np.uint8 or images.shape[1:] != (SIZE, SIZE):
            raise DataError(
                f"{path}: '{part}_images' is {images.dtype} {images.shape}, not uint8 (N, {SIZE}, {SIZE}); prepare the data again"
            )
        parts[part] = Characters(images, check_labels(f"{path}: '{part}_labels'", labels, len(images), alphabet.classes))
    return Splits(**parts), meta


def read_npz(path: Path) -> tuple[Characters, str]:
    """Read a user's file with the arrays `images` and `labels`.

    `images` `(N, H, W)`: bright ink on dark, as uint8, as other integers 0..255, as floats in [0, 1], or as bool.
    `labels` `(N,)`: whole numbers, 0..35 for `0-9A-Z`, or indices into the text `characters`, if the file holds one.

    Returns:
        The characters as they are in the file, not in normal form; what their labels stand for.

    Raises:
        DataError: missing, damaged, pickled or oversized file; wrong shape, type or range; no characters.
    """
    arrays = load_arrays(path, ["images", "labels"], optional=["characters"])
    images, labels, characters = arrays["images"], arrays["labels"], arrays.get("characters", np.array(ALPHANUMERIC))
    names = str(characters)
    if characters.dtype.kind != "U" or characters.shape != () or not 0 < len(set(names)) == len(names) <= MOST:
        raise DataError(f"{path}: 'characters' must be one text that holds each character once")
    if images.ndim != 3 or 0 in images.shape or max(images.shape[1:]) > MAX_SIDE:
        raise DataError(
            f"{path}: 'images' has shape {images.shape}; make it (N, H, W) with N at least 1 and H, W at most {MAX_SIDE}"
        )
    labels = check_labels(f"{path}: 'labels'", labels, len(images), len(names))
    return Characters(_to_uint8(f"{path}: 'images'", images), labels), names


def relabel(characters: Characters, names: str, wanted: str) -> Characters:
    """The characters whose labels, indices into `names`, stand for one of `wanted`, with labels that are indices into that."""
    to = np.array([wanted.find(name) for name in names])
    labels = to[characters.labels]
    return Characters(characters.images[labels >= 0], labels[labels >= 0].astype(np.uint8))


def check_labels(name: str, labels: np.ndarray, count: int, classes: int) -> np.ndarray:
    """Return `labels` as (N,) uint8 after checking that they are `count` numbers below `classes`; `name` starts the error."""
    if labels.shape != (count,):
        raise DataError(f"{name} has shape {labels.shape}, not ({count},): one label for each image")
    if labels.dtype.kind not in "iu":
        raise DataError(f"{name} is {labels.dtype}; use integers 0..{classes - 1}")
    if count and not 0 <= labels.min() <= labels.max() < classes:
        raise DataError(f"{name} holds {labels.min()}..{labels.max()}; only 0..{classes - 1} are classes")
    return labels.astype(np.uint8)


def _to_uint8(name: str, images: np.ndarray) -> np.ndarray:
    kind = images.dtype.kind
    top = {"b": 1, "i": 255, "u": 255, "f": 1}.get(kind)
    if top is None:
        raise DataError(f"{name} is {images.dtype}; use uint8")
    if images.dtype == np.uint8:
        return images
    if not (images.min() >= 0 and images.max() <= top):  # NaN fails both comparisons
        raise DataError(f"{name} ({images.dtype}) must lie in 0..{top}, with bright ink on 0")
    converted = np.empty(images.shape, np.uint8)
    for row, image in enumerate(images):  # one at a time: a float copy of everything could be eight times as large
        converted[row] = np.rint(image * (255.0 / top))
    return converted


def concatenate(sources: list[Splits]) -> Splits:
    """Mix sources split by split. All images must have the same height and width, as they do in normal form."""

    def join(part: str) -> Characters:
        parts = [getattr(splits, part) for splits in sources]
        return Characters(np.concatenate([p.images for p in parts]), np.concatenate([p.labels for p in parts]))

    return Splits(join("train"), join("valid"), join("test"))


def drop_duplicates(splits: Splits) -> Splits:
    """Remove from `train` every image that is also in `valid` or `test`, and from `valid` every one that is in `test`.

    Images are compared byte by byte, after normalisation if that is what `splits` hold. `test` stays whole.
    """
    seen = _digests(splits.test)
    valid = splits.valid[~np.isin(_digests(splits.valid), seen)]
    seen = np.concatenate([seen, _digests(valid)])
    return Splits(splits.train[~np.isin(_digests(splits.train), seen)], valid, splits.test)


def _digests(characters: Characters) -> np.ndarray:
    # 128 bits in place of whole images: equal digests of different images are not to be expected in this universe
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
        train, valid, test: samples a class. 0 means all the rest for `train`, and a tenth of the class (at least one)
            for `valid` and `test`.

    Raises:
        DataError: a class with fewer than three samples, or too few for what is asked.
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
    """Row numbers of each class that occurs, shuffled; a class's order does not depend on which others there are."""
    return [np.random.default_rng([seed, label]).permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
