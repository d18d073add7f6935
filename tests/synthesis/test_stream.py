"""Characters that are generated while a network learns: what comes depends on the seed and the epoch alone."""

import numpy as np
import psutil
import pytest

from pipeline.common.paths import ROOT
from pipeline.synthesis.stream import Stream
from pipeline.synthesis.stroke_library import load_library
from tests.synthesis.test_strokes import ALPHABET, OPTIONS


@pytest.fixture(scope="module")
def stream() -> Stream:
    path = ROOT / "data" / "strokes.npz"
    if not path.exists():
        pytest.skip("data/strokes.npz is not here; `dvc pull` fetches it")
    return Stream(load_library(path), ALPHABET, OPTIONS, per_class=3, views=1, seed=4)


def test_an_epoch_is_the_same_whichever_came_before(stream):
    both = list(stream.blocks(range(2), 40))
    assert [len(labels) for _, labels in both] == [40, 40, 28] * 2
    for (images, labels), (again, known) in zip(both[3:], stream.blocks(range(1, 2), 40), strict=True):
        np.testing.assert_array_equal(images, again)
        np.testing.assert_array_equal(labels, known)
    first, second = (np.concatenate([labels for _, labels in both[at : at + 3]]) for at in (0, 3))
    assert np.bincount(first).tolist() == np.bincount(second).tolist() == [3] * 36
    assert (first != second).any() and (both[0][0] != both[3][0]).any()


def test_an_epoch_shows_each_character_as_often_as_views_says(stream):
    twice = Stream(stream.library, stream.alphabet, stream.options, per_class=3, views=2, seed=4)
    assert twice.size == 2 * stream.size
    once, blocks = (list(source.blocks(range(1, 3), 40)) for source in (stream, twice))
    assert [len(labels) for _, labels in blocks] == [40, 40, 40, 40, 40, 16] * 2
    for epoch in range(2):
        images, labels = (np.concatenate(arrays) for arrays in zip(*blocks[6 * epoch : 6 * epoch + 6]))
        drawn, known = (np.concatenate(arrays) for arrays in zip(*once[3 * epoch : 3 * epoch + 3]))
        np.testing.assert_array_equal(images[:108], drawn)  # in the order they are drawn in
        np.testing.assert_array_equal(labels[:108], known)
        assert sorted(map(bytes, images[108:])) == sorted(map(bytes, drawn)) and (labels[108:] != known).any()


def test_no_process_is_left_when_the_training_stops(stream):
    def workers() -> set[psutil.Process]:
        return {child for child in psutil.Process().children(recursive=True) if "LokyProcess" in " ".join(child.cmdline())}

    before = workers()
    blocks = stream.blocks(range(100), 40)
    next(blocks)
    drawing = workers() - before
    assert drawing
    blocks.close()
    assert not psutil.wait_procs(drawing, timeout=20)[1]


def test_a_sample_shows_every_class_in_normal_form(stream):
    sample = stream.sample(2)
    assert sample.images.shape == (72, 32, 32) and np.bincount(sample.labels).tolist() == [2] * 36
    assert sample.images.max(axis=(1, 2)).min() > 150
