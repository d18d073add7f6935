"""Characters of a user: one folder for each class (`0`..`9`, `A`..`Z`, also lower case), images of any size and polarity."""

import re
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps
from skimage.filters import threshold_otsu

from pipeline.characters.dataset import Characters, Splits, split_per_class
from pipeline.common.errors import BlankError, DataError

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 25_000_000
BOX = 64
"""Side in pixels of the square each image is fitted into: twice the normal form's, so that no detail is lost."""


def read(root: Path, characters: str, train: int, valid: int, test: int, seed: int) -> Splits:
    """Read `root/<class>/*` and split each class at random.

    Args:
        characters: the classes; a folder is named after its character, or `U+002C` after its number.
        train, valid, test: samples a class, as `split_per_class` takes them (0: all the rest, a tenth, a tenth).

    Returns:
        Splits of (N, 64, 64) uint8, bright ink on 0, not yet in normal form.

    Raises:
        DataError: there are no folders of classes, a folder is not a class, or an image cannot be read; the message names it.
    """
    images, labels = [], []
    for folder, character in _class_folders(Path(root), characters):
        for path in sorted(p for p in folder.iterdir() if not p.name.startswith(".")):
            images.append(read_image(path))
            labels.append(characters.index(character))
    if not images:
        raise DataError(f"{root}: no images in its class folders; put them into {root}/A, {root}/B, ...")
    found = Characters(np.stack(images), np.array(labels, np.uint8))
    try:
        return split_per_class(found, characters, train, valid, test, seed)
    except DataError as error:
        raise DataError(f"{root}: {error}") from None


def _class_folders(root: Path, characters: str) -> list[tuple[Path, str]]:
    try:
        folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError as error:
        raise DataError(f"{root}: {error.strerror}; set data.root to a folder with one sub-folder a class") from None
    named = []
    for folder in folders:
        name = chr(int(folder.name[2:], 16)) if re.fullmatch(r"U\+[0-9A-Fa-f]{4}", folder.name) else folder.name
        name = name if name in characters else name.upper()
        if len(name) != 1 or name not in characters:
            raise DataError(f"{folder}: no class of the alphabet; name it one of {characters} (U+002C for a comma) or move it")
        named.append((folder, name))
    if not folders:
        raise DataError(f"{root}: no class folders; put the images into {root}/A, {root}/B, ...")
    return named


def read_image(path: Path | BinaryIO) -> np.ndarray:
    """Read one character as (64, 64) uint8, bright ink on 0, with its aspect, from an image of any size and polarity.

    Raises:
        DataError: not an image, damaged or too large; BlankError: nothing on it.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DataError(f"{path}: {image.width}x{image.height} pixels are too many for one character; crop it")
            grey = _to_grey(ImageOps.exif_transpose(image))
    except DataError:
        raise
    except Exception as error:  # Pillow's decoders raise many types on damaged files
        raise DataError(f"{path}: cannot be read as an image ({type(error).__name__}); replace or remove it") from error
    ink = _find_ink(grey)
    if ink is None:
        raise BlankError(f"{path}: nothing on it; replace or remove it")
    fitted = ImageOps.contain(Image.fromarray(ink), (BOX, BOX), Image.Resampling.BOX)
    return np.asarray(ImageOps.pad(fitted, (BOX, BOX), color=0))


def _to_grey(image: Image.Image) -> np.ndarray:
    """(H, W) float32 brightness; what is transparent gets the brightness the ink does not have."""
    if image.mode[0] in "IF":  # 16 or 32 bits: any scale will do
        return np.nan_to_num(np.asarray(image, np.float32), posinf=0.0, neginf=0.0)
    brightness, alpha = image.convert("LA").split()
    grey, opaque = np.asarray(brightness, np.float32), np.asarray(alpha, np.float32) / 255
    paper = 0.0 if opaque.sum() and (grey * opaque).sum() / opaque.sum() > 127 else 255.0
    return grey * opaque + paper * (1 - opaque) if opaque.min() < 1 else grey


def _find_ink(grey: np.ndarray) -> np.ndarray | None:
    """(H, W) uint8, bright ink on 0; None if all is one shade.

    Most of the border shows paper; ink is darker or brighter than paper, whichever is more frequent.
    """
    frame = max(1, min(grey.shape) // 10)
    inner = np.zeros(grey.shape, bool)
    inner[frame:-frame, frame:-frame] = True
    paper = np.median(grey[~inner])
    difference = (paper - grey) if grey.mean() < paper else (grey - paper)
    difference = np.maximum(difference, 0)
    if difference.max() <= 0.02 * max(abs(paper), difference.max(), 1):
        return None
    threshold = threshold_otsu(difference)
    soft = (difference - 0.5 * threshold) / max(threshold, 1e-6)  # 0 at half the threshold, 1 at one and a half
    return np.rint(255 * np.clip(soft, 0, 1)).astype(np.uint8)
