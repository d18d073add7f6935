"""The data set in memory and on disk: same content same bytes, nothing shared between splits, no bad file gets in."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.characters import CLASSES, dataset, npz
from pipeline.characters.dataset import Characters, Splits
from pipeline.common.errors import DataError

META = {"alphabet": {"characters": CLASSES, "nothing": False}}


def some(count: int, seed: int = 0, side: int = 32) -> Characters:
    """Characters with the classes in turn, random pixels."""
    images = np.random.default_rng(seed).integers(0, 256, (count, side, side), np.uint8)
    return Characters(images, (np.arange(count) % len(CLASSES)).astype(np.uint8))


@pytest.fixture
def splits() -> Splits:
    return Splits(some(20, 0), some(8, 1), some(5, 2))


def write(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


def test_splits_survive_a_round_trip(tmp_path, splits):
    npz.save_splits(tmp_path / "a.npz", splits, {**META, "source": "test", "n": [1, 2]})
    loaded, meta = npz.load_splits(tmp_path / "a.npz")
    assert meta == {**META, "source": "test", "n": [1, 2]}
    for part in ("train", "valid", "test"):
        np.testing.assert_array_equal(getattr(loaded, part).images, getattr(splits, part).images)
        np.testing.assert_array_equal(getattr(loaded, part).labels, getattr(splits, part).labels)


def test_same_content_gives_the_same_bytes_at_any_time(tmp_path, splits, monkeypatch):
    npz.save_splits(tmp_path / "a.npz", splits, {**META, "b": 1, "a": 2})
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1500000000")
    npz.save_splits(tmp_path / "b.npz", splits, {**META, "a": 2, "b": 1})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_failed_write_leaves_the_previous_file(tmp_path, splits, monkeypatch):
    path = tmp_path / "a.npz"
    npz.save_splits(path, splits, META)
    before = path.read_bytes()

    written = []

    def full_disk(archive, info, content, method):
        written.append(content)
        archive.fp.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full_disk)
    with pytest.raises(DataError, match="No space left"):
        npz.save_splits(path, splits, META)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]
    assert isinstance(written[0], bytes), "a view of a buffer, left to the garbage collector, crashes Python 3.12.1"


def test_a_file_holds_nothing_that_depends_on_the_version_of_python(tmp_path, splits):
    npz.save_splits(tmp_path / "a.npz", splits, {**META, "seed": 1})
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        for member in archive.infolist():  # no zip64, no time, no sizes after the data: zipfile's versions differ in these
            assert member.date_time == (1980, 1, 1, 0, 0, 0)
            assert (member.extract_version, member.extra, member.flag_bits) == (20, b"", 0)
    content = (tmp_path / "a.npz").read_bytes()
    assert content[4:6] == b"\x14\x00" and content[28:30] == b"\x00\x00"  # version 2.0, no extra field, where first told
    with np.load(tmp_path / "a.npz") as stored:
        assert (stored["train_images"] == splits.train.images).all()


def test_splits_not_in_normal_form_are_refused(tmp_path, splits):
    npz.save_splits(tmp_path / "a.npz", Splits(splits.train, some(4, side=28), splits.test), META)
    with pytest.raises(DataError, match=r"a\.npz.*valid_images.*\(4, 28, 28\)"):
        npz.load_splits(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "images",
    [
        np.full((2, 5, 6), 255, np.uint8),
        np.full((2, 5, 6), 255, np.int64),
        np.ones((2, 5, 6), np.float32),
        np.ones((2, 5, 6), np.float64),
        np.ones((2, 5, 6), bool),
    ],
)
def test_user_images_of_any_sensible_type_become_bytes(tmp_path, images):
    found, names = npz.read_npz(write(tmp_path / "u.npz", images=images, labels=np.array([0, 35])))
    read, labels = found.images, found.labels
    assert names == CLASSES
    assert read.dtype == labels.dtype == np.uint8
    assert (read == 255).all() and read.shape == (2, 5, 6)
    assert labels.tolist() == [0, 35]


@pytest.mark.parametrize(
    "images, labels, message",
    [
        (np.zeros((2, 5, 6), np.uint8), np.array([0, 36]), "only 0..35"),
        (np.zeros((2, 5, 6), np.uint8), np.array([-1, 3]), "only 0..35"),
        (np.zeros((2, 5, 6), np.uint8), np.array([0.0, 1.0]), "use integers"),
        (np.zeros((2, 5, 6), np.uint8), np.array([1, 2, 3]), "one label for each image"),
        (np.zeros((2, 30), np.uint8), np.array([1, 2]), "make it"),
        (np.zeros((0, 5, 5), np.uint8), np.zeros(0, int), "N at least 1"),
        (np.zeros((1, 5000, 5), np.uint8), np.zeros(1, int), "at most 1024"),
        (np.full((1, 5, 5), np.nan), np.zeros(1, int), "must lie in 0..1"),
        (np.full((1, 5, 5), np.inf), np.zeros(1, int), "must lie in 0..1"),
        (np.full((1, 5, 5), 200.0), np.zeros(1, int), "must lie in 0..1"),
        (np.full((1, 5, 5), 256), np.zeros(1, int), "must lie in 0..255"),
        (np.full((1, 5, 5), "a"), np.zeros(1, int), "use uint8"),
    ],
)
def test_bad_user_arrays_are_refused_in_one_line(tmp_path, images, labels, message):
    with pytest.raises(DataError, match=message) as error:
        npz.read_npz(write(tmp_path / "u.npz", images=images, labels=labels))
    assert "u.npz" in str(error.value) and "\n" not in str(error.value)


def test_missing_wrong_and_pickled_files_are_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    (tmp_path / "text.npz").write_text("hello")
    write(tmp_path / "pickled.npz", images=np.array([Evil()], dtype=object), labels=np.array([0]))
    write(tmp_path / "names.npz", **{"pic\nture": np.zeros(3)})
    for path, message in [
        (tmp_path / "none.npz", "no such file"),
        (tmp_path, "is a folder"),
        (tmp_path / "text.npz", "not an .npz file"),
        (tmp_path / "pickled.npz", "Python objects"),
        (tmp_path / "names.npz", r"no array 'images', only: 'pic\\nture'"),
    ]:
        with pytest.raises(DataError, match=message):
            npz.read_npz(path)
    assert not (tmp_path / "ran").exists()


def npy_that_declares(shape: tuple[int, ...]) -> bytes:
    """An .npy of 16 bytes of data whose header says `shape`."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return stream.getvalue() + bytes(16)


def test_declared_sizes_are_checked_before_memory_is_taken(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "liar.npz", "w") as archive:
        archive.writestr("images.npy", npy_that_declares((2**20, 2**12, 2**12)))
        archive.writestr("labels.npy", npy_that_declares((16,)))
    with pytest.raises(DataError, match="does not fit its size"):
        npz.read_npz(tmp_path / "liar.npz")
    monkeypatch.setattr("pipeline.common.arrays.MAX_BYTES", 10_000)
    np.savez_compressed(tmp_path / "bomb.npz", images=np.zeros((1000, 100, 100), np.uint8), labels=np.zeros(1000, np.uint8))
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("decompressed before its size was checked"))
    with pytest.raises(DataError, match="would take .* bytes"):
        npz.read_npz(tmp_path / "bomb.npz")


def test_text_that_is_no_text_is_refused(tmp_path, splits):
    npz.save_splits(tmp_path / "a.npz", splits, META)
    with np.load(tmp_path / "a.npz") as archive:
        arrays = dict(archive)
    np.savez(tmp_path / "b.npz", **(arrays | {"meta": np.full(4, 0x7FFFFFFF, np.uint32).view("U4")}))
    with pytest.raises(DataError, match="b.npz.*text is damaged"):
        npz.load_splits(tmp_path / "b.npz")


def test_no_image_is_in_two_splits():
    train, valid, test = some(20, 0), some(8, 1), some(5, 2)
    train.images[3], train.images[4], valid.images[2] = test.images[0], valid.images[5], test.images[1]
    clean = dataset.drop_duplicates(Splits(train, valid, test))
    assert (len(clean.train), len(clean.valid), len(clean.test)) == (18, 7, 5)
    sets = [{image.tobytes() for image in part.images} for part in (clean.train, clean.valid, clean.test)]
    assert not (sets[0] & sets[1] or sets[0] & sets[2] or sets[1] & sets[2])
    np.testing.assert_array_equal(clean.train.labels, np.delete(train.labels, [3, 4]))


def test_split_per_class_is_even_disjoint_and_repeatable():
    data = some(36 * 10)
    first, again = (dataset.split_per_class(data, CLASSES, 5, 2, 1, seed=4) for _ in range(2))
    for part, count in ((first.train, 5), (first.valid, 2), (first.test, 1)):
        assert (np.bincount(part.labels) == count).all()
    assert len({i.tobytes() for p in vars(first).values() for i in p.images}) == 36 * 8
    np.testing.assert_array_equal(first.train.images, again.train.images)
    other = dataset.split_per_class(data, CLASSES, 5, 2, 1, seed=5)
    assert not np.array_equal(first.test.images, other.test.images)


def test_split_per_class_takes_a_tenth_and_all_the_rest_when_asked_for_nothing():
    whole = dataset.split_per_class(some(36 * 20), CLASSES, 0, 0, 0, seed=0)
    assert [len(part) // 36 for part in (whole.train, whole.valid, whole.test)] == [16, 2, 2]
    one_class_missing = some(36 * 3)[np.arange(36 * 3) % 36 != 7]
    assert 7 not in dataset.split_per_class(one_class_missing, CLASSES, 0, 0, 0, seed=0).train.labels
    with pytest.raises(DataError, match="class 0 has 2 samples"):
        dataset.split_per_class(some(36 * 2), CLASSES, 0, 0, 0, seed=0)


def test_take_per_class_and_concatenate(splits):
    taken = dataset.take_per_class(some(100), 2, seed=0)
    assert (np.bincount(taken.labels) == 2).all()
    both = dataset.concatenate([splits, splits])
    assert len(both.train) == 40 and len(both.test) == 10
