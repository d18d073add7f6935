"""Batches of stored samples, and of a source that brings others every epoch."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.common.errors import ConfigError
from pipeline.nn import training
from pipeline.nn.batches import BLOCK, Data, make_batches
from pipeline.nn.history import EpochRecord
from tests.nn.helpers import TRAIN, characters, network

OPTIONS = replace(TRAIN, optimizer="adam", lr=0.01, epochs=4)


class Fresh:
    """Every epoch `size` other samples."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.closed = False

    def blocks(self, epochs: range, size: int) -> Iterator[Data]:
        try:
            for epoch in epochs:
                images, labels = characters(self.size, seed=epoch)
                for start in range(0, self.size, size):
                    yield images[start : start + size], labels[start : start + size]
        finally:
            self.closed = True


def unchanged(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return images


@pytest.mark.parametrize("augment", [None, unchanged])
@pytest.mark.parametrize("size", [1, 100, BLOCK, BLOCK + 33])
def test_a_source_is_cut_into_batches_that_end_with_its_epochs(size, augment):
    batches = list(make_batches(Fresh(size), 32, 0, range(2), augment))
    assert [len(x) for x, _ in batches] == 2 * [min(32, size - start) for start in range(0, size, 32)]
    expected = np.concatenate([characters(size, seed=epoch)[0] for epoch in range(2)])
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), expected)


@pytest.mark.parametrize("augment", [None, unchanged])
def test_a_training_from_a_source_goes_on_where_it_stopped(tmp_path, monkeypatch, augment):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)

    def train(checkpoint: Path, on_epoch=None, size: int = 200) -> tuple[np.ndarray, Fresh]:
        net, source = network(), Fresh(size)
        training.fit(net, source, characters(50), OPTIONS, 0, augment, on_epoch, checkpoint)
        return net.weights, source

    def stop(record: EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    unbroken, _ = train(tmp_path / "unbroken.npz")
    _, source = train(tmp_path / "broken.npz", stop)
    assert source.closed
    resumed, _ = train(tmp_path / "broken.npz")
    np.testing.assert_array_equal(resumed, unbroken)
    with pytest.raises(ConfigError, match="data.train was 200, is 100"):
        train(tmp_path / "broken.npz", size=100)
