"""EMNIST idx files: orientation, mapping, splits, files that lie, and the download from a server on this machine."""

import gzip
import hashlib
import http.server
import os
import threading
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pipeline.characters import CLASSES, emnist
from pipeline.characters.npz import read_npz
from pipeline.common.errors import DataError

REAL = Path(os.environ.get("HANDPRINT_REAL_DATA", Path(__file__).parents[2] / "../shared/real"))
needs_real = pytest.mark.skipif(not (REAL / "emnist").is_dir(), reason="no real data; set HANDPRINT_REAL_DATA to its folder")

ASCII = [ord(c) for c in CLASSES] + [ord("a")]
TRAIN_IMAGES = "emnist-balanced-train-images-idx3-ubyte.gz"


def compressed(content: bytes) -> bytes:
    """Without the time, so that the names of the tests are the same in each process."""
    return gzip.compress(content, mtime=0)


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


def write_emnist(folder: Path, variant: str = "balanced") -> None:
    """4 training and 2 test samples of each class and of `a`; pixel (2, 9) of sample i is i."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"emnist-{variant}-mapping.txt").write_text("".join(f"{i} {code}\n" for i, code in enumerate(ASCII)))
    for part, each in (("train", 4), ("test", 2)):
        labels = np.repeat(np.arange(37), each)
        images = np.zeros((len(labels), 28, 28), np.uint8)
        images[:, 9, 2] = np.arange(len(labels))  # stored transposed
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            (folder / f"emnist-{variant}-{part}-{kind}-ubyte.gz").write_bytes(compressed(idx(array)))


def read(root: Path, valid: int = 1, variant: str = "balanced", download: bool = False):
    return emnist.read(root, CLASSES, variant, valid_per_class=valid, seed=0, download=download)


@pytest.mark.parametrize("variant, folder", [("balanced", "."), ("byclass", "gzip")])
def test_images_are_turned_upright_and_lower_case_is_dropped(tmp_path, variant, folder):
    write_emnist(tmp_path / folder, variant)
    splits = read(tmp_path, variant=variant)
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [108, 36, 72]
    np.testing.assert_array_equal(splits.test.images[:, 2, 9], np.arange(72))
    assert splits.test.images.shape == (72, 28, 28) and splits.test.images.flags.c_contiguous
    np.testing.assert_array_equal(splits.test.labels, np.repeat(np.arange(36), 2))


def test_valid_is_taken_out_of_train_at_random_and_repeatably(tmp_path):
    write_emnist(tmp_path)
    first, again = read(tmp_path), read(tmp_path)
    assert (np.bincount(first.valid.labels) == 1).all()
    marks = np.concatenate([first.train.images[:, 2, 9], first.valid.images[:, 2, 9]])
    assert sorted(marks) == list(range(144))
    np.testing.assert_array_equal(first.valid.images, again.valid.images)
    assert not np.array_equal(first.valid.images, emnist.read(tmp_path, CLASSES, "balanced", 1, 9, False).valid.images)
    with pytest.raises(DataError, match="class 0 has 4 training samples"):
        read(tmp_path, valid=4)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "not an idx file"),
        (b"plain", "not a gzip file"),
        (compressed(b"\0\0\x0d\3" + bytes(12)), "not an idx file of bytes"),
        (compressed(idx(np.zeros((148, 28, 28))))[:-30], "damaged"),
        (compressed(idx(np.zeros((147, 28, 28)))), "148 labels for 147 images"),
        (compressed(idx(np.zeros((148, 28, 28)))[:-1]), "fewer bytes"),
        (compressed(idx(np.zeros((148, 28, 28))) + bytes(10**7)), "more bytes"),
        (compressed(b"\0\0\x08\3" + b"\xff" * 12), "declares shape"),
        (compressed(b"\0\0\x08\3\x7f\xff\xff\xff\0\0\0\x1c\0\0\0\x1c"), "declares shape"),
        (compressed(idx(np.zeros((0, 28, 28)))), "declares shape"),
    ],
)
def test_bad_image_files_are_refused_in_one_line(tmp_path, content, message):
    write_emnist(tmp_path)
    (tmp_path / TRAIN_IMAGES).write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read(tmp_path)
    assert "emnist-balanced-train" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "mapping, message",
    [
        ("zero 48\n", "each line must be"),
        ("300 48\n", "each line must be"),
        ("0 99999999999\n", "each line must be"),
        ("0 48\n", "label 1 is not in"),
        ("".join(f"{i} 97\n" for i in range(37)), "none of the labels"),
    ],
)
def test_bad_mappings_are_refused(tmp_path, mapping, message):
    write_emnist(tmp_path)
    (tmp_path / "emnist-balanced-mapping.txt").write_text(mapping)
    with pytest.raises(DataError, match=message):
        read(tmp_path)


def test_missing_files_say_how_to_get_them(tmp_path):
    with pytest.raises(DataError, match=r"data.download=true to fetch them \(562 MB\)"):
        read(tmp_path)
    write_emnist(tmp_path)
    (tmp_path / TRAIN_IMAGES).unlink()
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serves a small archive of the official layout; yields its path so that a test can damage it."""
    write_emnist(tmp_path / "made")
    (tmp_path / "site").mkdir()
    archive = tmp_path / "site" / "gzip.zip"
    with zipfile.ZipFile(archive, "w") as members:
        for path in sorted((tmp_path / "made").iterdir()):
            members.write(path, f"gzip/{path.name}")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "site")))
    threading.Thread(target=site.serve_forever, daemon=True).start()
    monkeypatch.setattr(emnist, "URL", f"http://127.0.0.1:{site.server_port}/gzip.zip")
    monkeypatch.setattr(emnist, "HASH", "md5:" + hashlib.md5(archive.read_bytes()).hexdigest())
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between retries
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield archive
    site.shutdown()
    site.server_close()


def test_download_unpacks_what_is_needed_once(tmp_path, server, capsys):
    assert len(read(tmp_path / "root", download=True).train) == 108
    assert "562 MB" in capsys.readouterr().err
    server.unlink()
    assert len(read(tmp_path / "root", download=True).train) == 108  # from disk


def test_failed_downloads_say_what_to_do_and_leave_no_half_files(tmp_path, server):
    server.write_bytes(server.read_bytes()[:-100])
    with pytest.raises(DataError, match="download failed.*hash"):
        read(tmp_path / "root", download=True)
    server.unlink()
    with pytest.raises(DataError, match="download failed.*404"):
        read(tmp_path / "root", download=True)
    assert not list((tmp_path / "root").rglob("*.gz"))


@needs_real
def test_the_real_files_are_upright():
    splits = emnist.read(REAL / "emnist", CLASSES, "balanced", valid_per_class=32, seed=0, download=False)
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [10800, 1152, 1800]
    assert (np.bincount(splits.train.labels) == 300).all()
    mean = {c: splits.train.images[splits.train.labels == CLASSES.index(c)].mean(axis=0) for c in "1LT7"}
    assert mean["1"].sum(axis=0).max() > 1.5 * mean["1"].sum(axis=1).max()
    assert mean["L"][20:, 4:24].mean() > 1.5 * mean["L"][:8, 4:24].mean()  # foot below
    assert mean["T"][2:9].mean() > 1.5 * mean["T"][19:26].mean()  # bar above
    assert mean["7"][16:26, :14].sum() > mean["7"][16:26, 14:].sum()  # leans left at the bottom: not mirrored


def test_the_command_writes_what_evaluate_reads(tmp_path, monkeypatch, capsys):
    write_emnist(tmp_path / "emnist")
    monkeypatch.setattr("sys.argv", ["emnist", str(tmp_path / "emnist"), str(tmp_path / "test.npz")])
    emnist.main()
    read, names = read_npz(tmp_path / "test.npz")
    images, labels = read.images, read.labels
    assert names == CLASSES
    assert images.shape == (72, 28, 28) and np.bincount(labels).tolist() == [2] * 36 and images[5, 2, 9] == 5
    monkeypatch.setattr("sys.argv", ["emnist", str(tmp_path / "nothing"), str(tmp_path / "test.npz")])
    with pytest.raises(SystemExit, match="^emnist: .*nothing: holds no emnist"):
        emnist.main()


def test_lower_case_is_kept_by_an_alphabet_that_has_it(tmp_path):
    write_emnist(tmp_path)
    splits = emnist.read(tmp_path, CLASSES + "a", "balanced", 1, 0, False)
    assert 36 in splits.train.labels and splits.test.labels.max() == 36
    digits = emnist.read(tmp_path, "0123456789", "balanced", 1, 0, False)
    assert digits.train.labels.max() == 9
