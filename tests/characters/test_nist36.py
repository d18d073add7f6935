"""NIST36 .mat files: orientation, polarity, order of the classes, and files that lie."""

import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from pipeline.characters import CLASSES, emnist, matlab5, nist36
from pipeline.common.errors import DataError

REAL = Path(os.environ.get("HANDPRINT_REAL_DATA", Path(__file__).parents[2] / "../shared/real"))
needs_real = pytest.mark.skipif(not (REAL / "nist36").is_dir(), reason="no real data; set HANDPRINT_REAL_DATA to its folder")


def write_part(folder: Path, part: str, data=None, labels=None, **others) -> None:
    data = np.ones((2, 1024)) if data is None else data
    labels = np.eye(36)[[0, 26]] if labels is None else labels
    scipy.io.savemat(
        folder / f"nist36_{part}.mat", {f"{part}_data": data, f"{part}_labels": labels, **others}, do_compression=True
    )


@pytest.fixture
def root(tmp_path):
    for part in ("train", "valid", "test"):
        write_part(tmp_path, part)
    return tmp_path


def test_pixels_are_turned_upright_and_ink_made_bright(root):
    page = np.ones((32, 32))
    page[3, 7] = 0  # row 3, column 7
    page[5, 1] = 0.5
    write_part(root, "valid", data=np.stack([page.ravel(order="F"), np.ones(1024)]))
    images = nist36.read(root).valid.images
    assert images.shape == (2, 32, 32) and images.dtype == np.uint8 and images.flags.c_contiguous
    assert images[0, 3, 7] == 255 and images[0, 5, 1] == 128
    assert np.count_nonzero(images) == 2


def test_letters_come_first_in_the_file(root):
    write_part(root, "test", data=np.ones((36, 1024)), labels=np.eye(36, dtype=np.uint8))
    assert "".join(CLASSES[i] for i in nist36.read(root).test.labels) == CLASSES[10:] + CLASSES[:10]


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(data=np.ones((2, 1023))), r"\(2, 1023\), not \(N, 1024\)"),
        (dict(data=np.ones((3, 1024))), "3 images but 2 labels"),
        (dict(data=np.full((2, 1024), 1.5)), r"must lie in \[0, 1\]"),
        (dict(data=np.full((2, 1024), np.nan)), r"must lie in \[0, 1\]"),
        (dict(data=np.ones((2, 1024), complex)), "real numbers"),
        (dict(labels=np.zeros((2, 36))), "one-hot"),
        (dict(labels=np.ones((2, 36))), "one-hot"),
        (dict(labels=np.full((2, 36), 0.5)), "one-hot"),
        (dict(data=np.array([[{"a": 1}]], dtype=object)), "real numbers"),
        (dict(data={"field": np.ones(3)}), "real numbers"),
        (dict(data=np.zeros((0, 1024)), labels=np.zeros((0, 36))), "N at least 1"),
    ],
)
def test_bad_arrays_are_refused_in_one_line(root, change, message):
    write_part(root, "train", **change)
    with pytest.raises(DataError, match=message) as error:
        nist36.read(root)
    assert "nist36_train.mat" in str(error.value) and "\n" not in str(error.value)


def test_other_variables_are_not_read(root):
    write_part(root, "train", extra=np.array([[{"a": 1}]], dtype=object))
    assert len(nist36.read(root).train) == 2


def test_missing_damaged_and_foreign_files_are_refused(root):
    path = root / "nist36_train.mat"
    whole = path.read_bytes()
    for content, message in [
        (b"", "not a MATLAB 5 file"),
        (b"\x89HDF" + bytes(600), "not a MATLAB 5 file"),
        (whole[:-40], "damaged"),
        (whole[:124] + b"\0\2IM" + bytes(400), "save it with -v7"),
        (whole[:150] + bytes(8) + whole[158:], "damaged"),
    ]:
        path.write_bytes(content)
        with pytest.raises(DataError, match=message):
            nist36.read(root)
    path.unlink()
    with pytest.raises(DataError, match="holds no nist36_train.mat"):
        nist36.read(root)
    (root / "nist36_valid.mat").rename(path)
    with pytest.raises(DataError, match="no variable 'train_data'"):
        nist36.read(root)


def test_a_decompression_bomb_is_not_inflated(root, monkeypatch):
    monkeypatch.setattr(matlab5, "MAX_BYTES", 10**6)
    path = root / "nist36_train.mat"
    bomb = zlib.compress(bytes(10**8), 9)
    path.write_bytes(path.read_bytes()[:128] + struct.pack("<II", 15, len(bomb)) + bomb)
    tracemalloc.start()
    with pytest.raises(DataError, match="decompresses to more than"):
        nist36.read(root)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**7


@pytest.mark.parametrize("dtype", ["f8", "f4", "u1", "i2", "u8", ">f8", "?"])
@pytest.mark.parametrize("compress", [True, False])
def test_matrices_are_read_as_scipy_wrote_them(tmp_path, dtype, compress):
    matrix = (np.arange(6).reshape(2, 3) % 2).astype(dtype)
    scipy.io.savemat(tmp_path / "a.mat", {"text": "abc", "x": matrix, "name_longer_than_four": matrix.T}, do_compression=compress)
    found = matlab5.read_matrices(tmp_path / "a.mat", ("x", "name_longer_than_four", "absent"))
    assert set(found) == {"x", "name_longer_than_four"}
    np.testing.assert_array_equal(found["x"], matrix)
    np.testing.assert_array_equal(found["name_longer_than_four"], matrix.T)


@needs_real
def test_the_real_files_hold_what_emnist_holds():
    splits = nist36.read(REAL / "nist36")
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [10800, 1152, 1800]
    assert (np.bincount(splits.test.labels) == 50).all()
    one = splits.test.images[splits.test.labels == 1].mean(axis=0)
    assert one.sum(axis=0).max() > 1.5 * one.sum(axis=1).max()  # upright and narrow: its ink is in few columns
    # The same samples in both layouts: each class's mean image must resemble that class of EMNIST best.
    other = emnist.read(REAL / "emnist", CLASSES, "balanced", valid_per_class=32, seed=0, download=False).test
    mine = np.stack([splits.test.images[splits.test.labels == i][:, 2:30, 2:30].mean(axis=0).ravel() for i in range(36)])
    theirs = np.stack([other.images[other.labels == i].mean(axis=0).ravel() for i in range(36)])
    similarity = np.corrcoef(mine, theirs)[:36, 36:]
    np.testing.assert_array_equal(similarity.argmax(axis=1), np.arange(36))
