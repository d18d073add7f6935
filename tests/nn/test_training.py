import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from pipeline.common.errors import DataError, DivergedError
from pipeline.nn import batches, parallel
from pipeline.nn.network import to_input
from pipeline.nn.training import EpochRecord, History, fit

from .helpers import CNN, MLP, TRAIN, characters, network


def train(options=MLP, seed=0, data=None, valid=None, augment=None, **changes):
    net = network(options)
    history = fit(net, data or characters(300), valid or characters(100, 1), replace(TRAIN, **changes), seed, augment)
    return net, history


@pytest.mark.parametrize("options", [MLP, CNN])
@pytest.mark.parametrize("optimizer, lr", [("sgd", 0.5), ("momentum", 0.1), ("adam", 0.01)])
def test_learns(options, optimizer, lr):
    data, valid, (images, labels) = (characters(300, seed, classes=10) for seed in range(3))
    net, history = train(options, data=data, valid=valid, optimizer=optimizer, lr=lr, epochs=15)
    assert history.records[history.best_epoch - 1].valid_accuracy > 0.95
    assert (net.predict(images).argmax(axis=1) == labels).mean() > 0.95


@pytest.mark.parametrize("options", [MLP, replace(CNN, dropout=0.3)])
def test_same_seed_same_weights_bit_for_bit(options):
    weights = [train(options, seed=seed, augment=shift)[0].weights for seed in (3, 3, 4)]
    assert (weights[0] == weights[1]).all() and (weights[0] != weights[2]).any()


def shift(images, rng):
    return np.roll(images, rng.integers(-2, 3), axis=2)


@pytest.mark.parametrize("options", [MLP, replace(CNN, dropout=0.3)])
def test_the_number_of_cores_changes_nothing(options, monkeypatch):
    monkeypatch.setattr(parallel, "LARGE_BATCH", 0)
    together = train(options)[0].weights
    monkeypatch.setattr(parallel.os, "cpu_count", lambda: 1)
    np.testing.assert_array_equal(train(options)[0].weights, together)


@pytest.mark.parametrize("count", [1, 2, 3, 32])
def test_parts_add_up_to_the_gradient_of_the_whole_batch(count, monkeypatch):
    gradients = []
    for limit in (0, np.inf):
        monkeypatch.setattr(parallel, "LARGE_BATCH", limit)
        net, (images, labels) = network(CNN, dtype=np.float64), characters(count)
        workers = parallel.Workers(net, 32)
        logits, losses = np.empty((count, 36)), np.empty(count)
        workers.gradient(images, labels, logits, losses, 1.0, 0.1)
        workers.close()
        gradients.append(net.gradients)
        np.testing.assert_allclose(logits, network(CNN, dtype=np.float64).forward(to_input(images, np.float64)))
    np.testing.assert_allclose(*gradients, atol=1e-12)


def test_work_is_counted():
    assert parallel.multiplications(network(MLP, hidden=[64])) == 1024 * 64 + 64 * 36
    assert parallel.multiplications(network(CNN)) == 28**2 * 4 * 25 + 10**2 * 6 * 4 * 25 + 150 * 16 + 16 * 36


def test_sum_with_a_smaller_rate_is_the_mean():
    mean = train(reduction="mean", lr=0.32, optimizer="sgd", data=characters(320))[0].weights
    summed = train(reduction="sum", lr=0.01, optimizer="sgd", data=characters(320))[0].weights
    np.testing.assert_allclose(mean, summed, atol=1e-4)


def test_one_step_is_what_the_formula_says():
    images, labels = characters(8)
    net, again = network(dtype=np.float64), network(dtype=np.float64)
    options = replace(TRAIN, optimizer="sgd", lr=0.3, batch_size=8, epochs=1, weight_decay=0.1)
    fit(net, (images, labels), (images, labels), options, 0)
    x = to_input(images, np.float64)
    p = np.exp(again.forward(x))
    again.backward((p / p.sum(axis=1, keepdims=True) - np.eye(36)[labels]) / 8)
    again.weights[: again.decayed] *= 1 - 0.3 * 0.1
    np.testing.assert_allclose(net.weights, again.weights - 0.3 * again.gradients, atol=1e-12)


@pytest.mark.parametrize("count, batch_size", [(1, 32), (5, 32), (33, 32), (65, 32), (7, 1), (2500, 64)])
def test_any_count_and_batch_size(count, batch_size):
    seen = []

    def watch(images, rng):
        seen.append(images.copy())
        return images

    data = characters(count)
    _, history = train(CNN, data=data, augment=watch, batch_size=batch_size, epochs=1)
    assert np.isfinite(history.records[0].train_loss)
    np.testing.assert_array_equal(np.sort(np.concatenate(seen), axis=0), np.sort(data[0], axis=0))


def test_a_missing_class_and_equal_images():
    net, _ = train(data=characters(200, classes=5))
    assert np.isfinite(net.predict(characters(50)[0])).all()
    net, history = train(CNN, data=(np.full((50, 32, 32), 9, np.uint8), np.arange(50) % 36))
    assert np.isfinite(history.records[-1].train_loss)


def test_weight_decay_shrinks_weights():
    large, small = (abs(train(weight_decay=decay)[0].params["0.weight"]).mean() for decay in (0, 1))
    assert small < 0.8 * large


def test_the_best_weights_are_kept():
    nets = []

    def remember(record):
        nets.append(net.weights.copy())

    net = network()
    valid = characters(60, 1)
    options = replace(TRAIN, epochs=8, lr=1.0)
    history = fit(net, characters(200), valid, options, 0, on_epoch=remember)
    accuracies = [record.valid_accuracy for record in history.records]
    assert history.best_epoch == 1 + int(np.argmax(accuracies))
    np.testing.assert_array_equal(net.weights, nets[history.best_epoch - 1])
    assert (net.predict(valid[0]).argmax(axis=1) == valid[1]).mean() == pytest.approx(max(accuracies))


def test_the_last_weights_are_kept_on_demand():
    valid = characters(100, seed=1)
    net, history = train(valid=valid, keep="last", lr=0.5, epochs=6)
    assert history.best_epoch == 6
    assert (net.logits(valid[0]).argmax(axis=1) == valid[1]).mean() == history.records[-1].valid_accuracy


def test_early_stopping():
    _, history = train(lr=1e-9, epochs=50, patience=4)
    assert len(history.records) == history.best_epoch + 4


def test_patience_counts_from_the_best_epoch():
    history, options = History(), replace(TRAIN, epochs=10, patience=2)
    for epoch, accuracy in enumerate([0.1, 0.3, 0.3, 0.2], start=1):
        assert not history.is_over(options)
        history.add(EpochRecord(epoch, 0.1, 1.0, 0.5, 1.0, accuracy, 1.0))
    assert history.is_over(options) and history.best_epoch == 2


def test_a_diverged_loss_names_epoch_and_rate():
    with pytest.raises(DivergedError, match=r"epoch \d+ at learning rate 1e\+30"):
        train(replace(CNN, initializer="he"), lr=1e30, optimizer="sgd")


def test_no_epochs_leave_the_network_alone():
    net, history = train(epochs=0)
    assert not history.records and (net.weights == network().weights).all()


def test_records_have_the_names_used_for_tracking():
    _, history = train(epochs=1)
    assert list(history.records[0].row()) == [
        "epoch", "lr", "train/loss", "train/accuracy", "valid/loss", "valid/accuracy", "seconds"
    ]  # fmt: skip


def test_interrupt_keeps_the_best_weights():
    def stop(record):
        if record.epoch == 2:
            raise KeyboardInterrupt

    net = network()
    history = fit(net, characters(200), characters(60, 1), replace(TRAIN, epochs=9), 0, on_epoch=stop)
    assert history.interrupted and len(history.records) == 2
    assert (net.weights != network().weights).any()


def test_an_error_in_augmentation_comes_out():
    def fail(images, rng):
        raise DataError("broken")

    with pytest.raises(DataError, match="broken"):
        train(augment=fail)


IMAGES, LABELS = characters(10)


@pytest.mark.parametrize("data", [
    (IMAGES[:0], LABELS[:0]), (IMAGES[:5], LABELS), (IMAGES[:, :28], LABELS),
    (IMAGES, LABELS + 36), (IMAGES, LABELS.astype(float)), (IMAGES, np.full(10, -1)),
])  # fmt: skip
def test_wrong_data_are_refused(data):
    for arguments in ({"data": data}, {"valid": data}):
        with pytest.raises(DataError):
            train(**arguments)


def test_augmentation_runs_ahead_with_a_stream_of_its_own(monkeypatch):
    monkeypatch.setattr(batches, "BLOCK", 64)
    draws = []
    for epochs in (1, 2):
        values = []
        train(augment=lambda images, rng, values=values: (values.append(rng.random()), images)[1], epochs=epochs)
        draws.append(values)
    assert draws[1][:5] == draws[0] and len(set(draws[1])) == 10


def test_peak_memory_is_bounded():
    images, labels = np.zeros((20_000, 32, 32), np.uint8), np.zeros(20_000, np.uint8)
    tracemalloc.start()
    fit(network(CNN), (images, labels), (images[:10], labels[:10]), replace(TRAIN, epochs=1, batch_size=64), 0, augment=shift)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 1 + peak / images.nbytes < 2.5
