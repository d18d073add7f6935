"""The training loop."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, fields
from hashlib import sha256
from pathlib import Path

import numpy as np

from pipeline.common.errors import DataError, DivergedError
from pipeline.nn.batches import DROPOUT, Augment, Data, Source, count, make_batches
from pipeline.nn.checkpoint import load_checkpoint, save_checkpoint
from pipeline.nn.history import EpochRecord, History
from pipeline.nn.layers import Array
from pipeline.nn.losses import cross_entropy
from pipeline.nn.network import Network, to_input
from pipeline.nn.optimizers import FLUSH_EVERY, Optimizer, flush, learning_rate, make_optimizer
from pipeline.nn.options import TrainOptions
from pipeline.nn.parallel import Workers
from pipeline.nn.threads import one_blas_thread

CHECKPOINT_SECONDS = 1.0
"""Least time between two checkpoints, which are written after an epoch: flushing to the disk takes time."""


def fit(
    network: Network,
    train: Data | Source,
    valid: Data,
    options: TrainOptions,
    seed: int,
    augment: Augment | None = None,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    checkpoint: Path | None = None,
    context: dict | None = None,
) -> History:
    """Train `network` in place; it ends with the weights of the epoch that `options.keep` names.

    Ctrl-C ends training early: the network gets the best weights so far, and `History.interrupted` is set.

    Args:
        train: arrays, or a `Source` of samples; `context` must determine the samples of a source.
        valid: arrays that validation accuracy is measured on after each epoch.
        augment: `augment(images (n, ...), rng)` returns changed images; it runs in a thread of its own, ahead of the training.
        on_epoch: called after every epoch, and at the start for the epochs that come from a checkpoint.
        checkpoint: a file that is written after epochs. If it exists at the start, training continues from it and ends with
            the same weights, bit for bit, as if it had never stopped.
        context: anything else that the result depends on and JSON can hold, such as the options of `augment`.

    Raises:
        ConfigError: the checkpoint was made with other options, seed, data or `context`.
        DataError: the data do not fit the network, or the checkpoint is damaged.
        DivergedError: the loss is no longer finite.
    """
    if isinstance(train, tuple):
        _check(train, "train", network)
    _check(valid, "valid", network)
    optimizer = make_optimizer(network.weights, options)
    history = History()
    state = {"weights": network.weights, "best": network.weights.copy()}
    state |= {f"optimizer/{key}": array for key, array in optimizer.state.items()}
    if checkpoint:
        configuration = _configuration(network, train, valid, options, seed, augment, context)
        for record in _resume(checkpoint, configuration, state):
            history.add(record, options.keep)
            if on_epoch:
                on_epoch(record)

    batches = make_batches(train, options.batch_size, seed, range(len(history.records), options.epochs), augment)
    workers = Workers(network, options.batch_size)
    saved = time.perf_counter()
    with closing(workers), closing(batches), one_blas_thread(), np.errstate(all="ignore"):  # the loss is checked below
        try:
            while not history.is_over(options):
                record = _epoch(workers, optimizer, batches, count(train), valid, options, seed, len(history.records))
                if history.add(record, options.keep):
                    state["best"] = network.weights.copy()
                if checkpoint and (history.is_over(options) or time.perf_counter() - saved > CHECKPOINT_SECONDS):
                    save_checkpoint(checkpoint, configuration, {"records": [asdict(r) for r in history.records]}, state)
                    saved = time.perf_counter()
                if on_epoch:
                    on_epoch(record)
        except KeyboardInterrupt:
            history.interrupted = True
        finally:
            network.weights[:] = state["best"]
    return history


def _epoch(
    workers: Workers,
    optimizer: Optimizer,
    batches: Iterator[Data],
    size: int,
    valid: Data,
    options: TrainOptions,
    seed: int,
    epoch: int,
) -> EpochRecord:
    """One pass over the training set and one over the validation set. `epoch` counts from 0, `size` is the training set's."""
    start = time.perf_counter()
    network = workers.replicas[0]
    workers.reseed(seed, epoch, DROPOUT)
    steps = -(-size // options.batch_size)
    labels = np.empty(size, np.intp)
    logits = np.empty((size, network.classes), network.weights.dtype)
    losses = np.empty(size, network.weights.dtype)
    for step, (x, y) in zip(range(steps), batches, strict=False):
        part = slice(step * options.batch_size, step * options.batch_size + len(x))
        labels[part] = y
        rate = learning_rate(options, epoch + step / steps)
        scale = 1 / len(x) if options.reduction == "mean" else 1
        workers.gradient(x, labels[part], logits[part], losses[part], scale, options.label_smoothing)
        if options.weight_decay:
            network.weights[: network.decayed] *= 1 - rate * options.weight_decay
        optimizer.step(network.weights, network.gradients, rate)
        if step % FLUSH_EVERY == 0:
            flush(optimizer.state)
    train_score = _score(losses, logits, labels)
    logits = _logits(workers, valid[0], options.batch_size)
    valid_score = _score(cross_entropy(logits, valid[1]), logits, valid[1])
    if not np.isfinite([train_score[0], valid_score[0]]).all():
        raise DivergedError(f"training diverged in epoch {epoch + 1} at learning rate {rate:g}: the loss is not finite; lower lr")
    return EpochRecord(epoch + 1, learning_rate(options, epoch), *train_score, *valid_score, time.perf_counter() - start)


def _logits(workers: Workers, images: Array, batch_size: int) -> Array:
    """Logits (N, K) of samples (N, ...)."""
    logits = np.empty((len(images), workers.replicas[0].classes), workers.replicas[0].weights.dtype)
    for start in range(0, len(images), batch_size):
        part = slice(start, start + batch_size)
        workers.evaluate(images[part], logits[part])
    return logits


def _score(losses: Array, logits: Array, labels: Array) -> tuple[float, float]:
    """Mean loss and accuracy."""
    return float(losses.mean(dtype=np.float64)), float((logits.argmax(axis=1) == labels).mean())


def _check(data: Data, name: str, network: Network) -> None:
    images, labels = data
    if not len(images) or len(images) != len(labels):
        raise DataError(f"{name}: need as many images as labels and at least one, not {len(images)} and {len(labels)}")
    to_input(images[:1], shape=network.input_shape)
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= network.classes:
        raise DataError(f"{name}: labels must be whole numbers 0 to {network.classes - 1}")


def _configuration(
    network: Network,
    train: Data | Source,
    valid: Data,
    options: TrainOptions,
    seed: int,
    augment: Augment | None,
    context: dict | None,
) -> dict:
    """Everything that the result of a run depends on, except the machine."""
    return {
        "model": asdict(network.options) if network.options else None,
        "train": {field.name: getattr(options, field.name) for field in fields(TrainOptions)},  # a stage's own are no part of it
        "seed": seed,
        "data": {"train": _digest(*train) if isinstance(train, tuple) else count(train), "valid": _digest(*valid)},
        "augment": bool(augment),
        "context": context or {},
    }


def _resume(checkpoint: Path, configuration: dict, state: dict[str, Array]) -> list[EpochRecord]:
    """Fill `state` from a checkpoint and return the epochs before it; none if there is no checkpoint."""
    stored = load_checkpoint(checkpoint, configuration, state)
    try:
        return [EpochRecord(**row) for row in stored["records"]] if stored is not None else []
    except (KeyError, TypeError):
        raise DataError(f"{checkpoint}: damaged (its history cannot be read); delete it to start again") from None


def _digest(images: Array, labels: Array) -> str:
    digest = sha256(np.ascontiguousarray(images).data)
    digest.update(labels.astype(np.uint8).data)
    return digest.hexdigest()[:16]
