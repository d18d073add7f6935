"""Characters in `.npz` files: the splits that the stage `prepare` writes, and files of users."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.characters import SIZE
from pipeline.characters.alphabet import ALPHANUMERIC, MOST, from_description
from pipeline.characters.dataset import Characters, Splits
from pipeline.common.arrays import load_arrays, save_arrays
from pipeline.common.errors import DataError

MAX_SIDE = 1024
"""Largest height and width in pixels of one character image."""


def save_splits(path: Path, splits: Splits, meta: dict[str, Any]) -> None:
    """Write splits in normal form and `meta` (anything JSON can hold) into one `.npz`; same content, same bytes.

    The file is not compressed: builds of Python contain different versions of zlib, which write different bytes.
    """
    arrays = {"meta": np.array(json.dumps(meta, sort_keys=True))}
    for name, part in vars(splits).items():
        arrays |= {f"{name}_images": part.images, f"{name}_labels": part.labels}
    save_arrays(path, arrays, compress=False)


def load_splits(path: Path) -> tuple[Splits, dict[str, Any]]:
    """Read what `save_splits` wrote.

    Raises:
        DataError: the file is missing or damaged, or its characters are not in normal form.
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
        The characters as they are in the file, not in normal form, and the text that their labels index.

    Raises:
        DataError: the file is missing, damaged, pickled or too large; an array has a wrong shape, type or range.
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


def check_labels(name: str, labels: np.ndarray, count: int, classes: int) -> np.ndarray:
    """Check that `labels` are `count` whole numbers below `classes`; return them as (N,) uint8. An error starts with `name`."""
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
