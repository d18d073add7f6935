"""The course's NIST36: `nist36_{train,valid,test}.mat`, 32x32 samples of NIST Special Database 19 in MATLAB 5 files.

`{part}_data` is float `(N, 1024)` in [0, 1], dark ink on white, each row one image in column-major order;
`{part}_labels` is one-hot `(N, 36)`, `A..Z` first, then `0..9`.
"""

from pathlib import Path

import numpy as np

from pipeline.characters import SIZE
from pipeline.characters.alphabet import ALPHANUMERIC
from pipeline.characters.dataset import Characters, Splits
from pipeline.characters.matlab5 import read_matrices
from pipeline.common.errors import DataError


def read(root: Path) -> Splits:
    """Read the three files in `root`.

    Returns:
        Splits of (N, 32, 32) uint8, bright ink on 0, upright, not yet in normal form.

    Raises:
        DataError: a file is missing, damaged, oversized, or does not hold what it should.
    """
    if not (Path(root) / "nist36_train.mat").exists():
        raise DataError(f"{root}: holds no nist36_train.mat; set data.root to the folder of the three NIST36 files")
    return Splits(*(_read_part(Path(root) / f"nist36_{part}.mat", part) for part in ("train", "valid", "test")))


def _read_part(path: Path, part: str) -> Characters:
    pixels, one_hot = _load(path, f"{part}_data", f"{part}_labels")
    if not (pixels.min() >= 0 and pixels.max() <= 1):  # NaN fails both comparisons
        raise DataError(f"{path}: '{part}_data' must lie in [0, 1], 1 is white")
    if not (np.isin(one_hot, (0, 1)).all() and (one_hot.sum(axis=1) == 1).all()):
        raise DataError(f"{path}: '{part}_labels' must be one-hot, a single 1 in each row")
    ink = np.rint(255 - 255 * pixels.astype(np.float32)).astype(np.uint8)
    images = np.ascontiguousarray(ink.reshape(-1, SIZE, SIZE).transpose(0, 2, 1))  # column-major -> row-major
    labels = (one_hot.argmax(axis=1) + 10) % len(ALPHANUMERIC)  # A..Z0..9 -> 0..9A..Z
    return Characters(images, labels.astype(np.uint8))


def _load(path: Path, data: str, labels: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrices (N, 1024) and (N, 36)."""
    matrices = read_matrices(path, (data, labels))
    for name, width in ((data, SIZE * SIZE), (labels, len(ALPHANUMERIC))):
        if name not in matrices:
            raise DataError(f"{path}: holds no variable '{name}'; is it the course's file?")
        shape = matrices[name].shape
        if len(shape) != 2 or shape[0] < 1 or shape[1] != width:
            raise DataError(f"{path}: '{name}' is {shape}, not (N, {width}) with N at least 1")
    if len(matrices[data]) != len(matrices[labels]):
        raise DataError(f"{path}: {len(matrices[data])} images but {len(matrices[labels])} labels")
    return matrices[data], matrices[labels]
