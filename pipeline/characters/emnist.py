"""EMNIST (Cohen et al. 2017, arXiv:1702.05373): the official gzip idx files, and how to get them.

`emnist-{variant}-{train,test}-{images-idx3,labels-idx1}-ubyte.gz` and `emnist-{variant}-mapping.txt`. Images are 28x28,
bright ink on 0, each stored transposed. The mapping translates the file's labels to ASCII codes; classes that the alphabet
does not hold (lower case, mostly) are dropped.

    python -m pipeline.characters.emnist FOLDER emnist_test.npz     # the test characters, to measure a network on
    python -m pipeline.evaluate evaluate.on=emnist_test.npz
"""

import argparse
import gzip
import math
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pooch
import requests

from pipeline.characters.alphabet import ALPHANUMERIC
from pipeline.characters.dataset import Characters, Splits
from pipeline.common.arrays import save_arrays
from pipeline.common.errors import DataError
from pipeline.common.files import replacing

URL = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
HASH = "md5:58c8d27c78d21e728a6bc7b3cc06412e"
MEGABYTES = 562

MAX_BYTES = 2**30
"""Most bytes one file may hold; the largest official one, byclass's training images, holds 547 million."""


def read(root: Path, characters: str, variant: str, valid_per_class: int, seed: int, download: bool) -> Splits:
    """Read one variant; `valid` is taken at random out of the official training file.

    Args:
        root: folder that holds the files, directly or in its sub-folder `gzip`; the archive goes there.
        characters: the classes to keep, in the order of their labels.
        variant: `balanced` or `byclass`.
        valid_per_class: samples a class set aside for `valid`; 0 takes a tenth of each class.
        download: fetch the official archive (562 MB) when the files are not there.

    Returns:
        Splits of (N, 28, 28) uint8, bright ink on 0, upright, not yet in normal form.

    Raises:
        DataError: files missing, damaged, oversized or inconsistent, or the download failed.
    """
    root = Path(root)
    folder = next((f for f in (root, root / "gzip") if (f / _names(variant)[0]).exists()), None)
    if folder is None:
        if not download:
            raise DataError(
                f"{root}: holds no {_names(variant)[0]}; set data.root to the folder of the EMNIST gzip files, "
                f"or data.download=true to fetch them ({MEGABYTES} MB)"
            )
        folder = _download(root, variant)
    classes = _read_mapping(folder / f"emnist-{variant}-mapping.txt", characters)
    everything = _read_part(folder, variant, "train", classes)
    chosen = np.zeros(len(everything), bool)
    for label in np.unique(everything.labels):
        rows = np.flatnonzero(everything.labels == label)
        count = valid_per_class or math.ceil(len(rows) / 10)
        if count >= len(rows):
            raise DataError(
                f"{folder}: class {characters[label]} has {len(rows)} training samples, too few to set "
                f"{count} aside; lower data.valid_per_class"
            )
        chosen[np.random.default_rng([seed, label]).permutation(rows)[:count]] = True
    return Splits(everything[~chosen], everything[chosen], _read_part(folder, variant, "test", classes))


def _names(variant: str) -> list[str]:
    parts = [f"{part}-{kind}-ubyte.gz" for part in ("train", "test") for kind in ("images-idx3", "labels-idx1")]
    return [f"emnist-{variant}-{name}" for name in ("mapping.txt", *parts)]


def _read_mapping(path: Path, characters: str) -> np.ndarray:
    """Return (256,) int16: our label for each label of the file; -1: not one of the characters; -2: not in the mapping."""
    classes = np.full(256, -2, np.int16)
    try:
        with open(path, encoding="ascii") as file:
            for line in file.read(2**16).splitlines():
                label, code = line.split()
                classes[int(label)] = characters.find(chr(int(code)))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; it belongs beside the images") from None
    except (OSError, ValueError, IndexError, OverflowError) as error:
        raise DataError(f"{path}: each line must be a label and an ASCII code ({str(error)[:80]})") from None
    return classes


def _read_part(folder: Path, variant: str, part: str, classes: np.ndarray) -> Characters:
    image_path = folder / f"emnist-{variant}-{part}-images-idx3-ubyte.gz"
    label_path = folder / f"emnist-{variant}-{part}-labels-idx1-ubyte.gz"
    images, file_labels = read_idx(image_path, dimensions=3), read_idx(label_path, dimensions=1)
    if len(images) != len(file_labels):
        raise DataError(f"{label_path}: {len(file_labels)} labels for {len(images)} images; get both files again")
    labels = classes[file_labels]
    if (labels == -2).any():
        raise DataError(f"{label_path}: label {file_labels[labels == -2][0]} is not in emnist-{variant}-mapping.txt")
    kept = labels >= 0
    if not kept.any():
        raise DataError(
            f"{label_path}: none of the labels is one of the alphabet's characters; check emnist-{variant}-mapping.txt"
        )
    upright = np.ascontiguousarray(images[kept].transpose(0, 2, 1))
    return Characters(upright, labels[kept].astype(np.uint8))


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Read a gzip idx file of unsigned bytes: 0, 0, 8, number of dimensions, then big-endian sizes, then the data.

    Raises:
        DataError: missing, truncated or damaged file, another type or number of dimensions, more data than declared.
    """
    try:
        with gzip.open(path) as file:
            header = file.read(4 + 4 * dimensions)
            if len(header) < 4 + 4 * dimensions or header[:4] != bytes((0, 0, 8, dimensions)):
                raise DataError(f"{path}: not an idx file of bytes with {dimensions} dimensions; get it again")
            shape = tuple(int(size) for size in np.frombuffer(header, ">u4", offset=4))
            size = math.prod(shape)
            if size == 0 or size > MAX_BYTES or max(shape[1:], default=0) > 256:
                raise DataError(f"{path}: declares shape {shape}; expected (N, 28, 28) with at most {MAX_BYTES:,} bytes")
            content = file.read(size + 1)  # never more than declared: a gzip bomb stops here
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; EMNIST consists of {', '.join(_names('balanced'))}") from None
    except Exception as error:  # gzip, zlib, OSError
        raise DataError(f"{path}: damaged or not a gzip file ({str(error)[:120]}); get it again") from error
    if len(content) != size:
        raise DataError(
            f"{path}: holds {'more' if len(content) > size else 'fewer'} bytes than the {size:,} it declares; get it again"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _download(root: Path, variant: str) -> Path:
    """Fetch the official archive into `root`, unpack the variant's five files into `root/gzip`, and return that folder.

    The archive is checked against its known hash, and kept: another variant then needs no second download.
    """
    print(f"emnist: downloading {MEGABYTES} MB from {URL} to {root}", file=sys.stderr)
    name = "emnist-gzip.zip"
    try:
        fetcher = pooch.create(root, base_url="", urls={name: URL}, registry={name: HASH}, retry_if_failed=3)
        archive = fetcher.fetch(name, downloader=pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=60))
        with zipfile.ZipFile(archive) as members:
            for member in reversed(_names(variant)):  # the mapping last: it is what tells that all of them are there
                with replacing(root / "gzip" / member) as temporary, open(temporary, "wb") as target:
                    shutil.copyfileobj(members.open(f"gzip/{member}"), target)
    except DataError:
        raise
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, requests.RequestException) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise DataError(
            f"{URL}: download failed ({reason}); try again, or download it yourself and unpack it into {root}"
        ) from error
    return root / "gzip"


def main() -> None:
    """The command: write the test characters of one variant as `images` and `labels`."""
    parser = argparse.ArgumentParser(description="Write EMNIST's test characters, digits and capitals, as one .npz.")
    parser.add_argument("folder", type=Path, help="folder of the official gzip files")
    parser.add_argument("output", type=Path, help="the .npz to write")
    parser.add_argument("--variant", default="balanced", choices=("balanced", "byclass"))
    arguments = parser.parse_args()
    try:
        test = read(arguments.folder, ALPHANUMERIC, arguments.variant, valid_per_class=1, seed=0, download=False).test
        save_arrays(arguments.output, {"images": test.images, "labels": test.labels})
    except DataError as error:
        sys.exit(f"emnist: {error}")
    print(f"emnist: {len(test):,} test characters in {arguments.output}")


if __name__ == "__main__":
    main()
