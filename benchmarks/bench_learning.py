"""From random weights to an accuracy on real characters: seconds and processor seconds, ours and PyTorch's.

    python -m benchmarks.bench_learning emnist_test.npz

Both learn the default network with the default training on the same batches: characters that are generated in another process
while the network learns. PyTorch runs with as many threads as there are processors; it is left out where it is not installed.
`emnist_test.npz` comes from `python -m pipeline.characters.emnist`. Exits with status 1 where a floor is missed.
"""

import argparse
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir

from pipeline.characters import SIZE
from pipeline.characters.augment import augment
from pipeline.characters.dataset import relabel
from pipeline.characters.normalise import normalise_all
from pipeline.characters.npz import read_npz
from pipeline.common.paths import ROOT
from pipeline.config.schema import Config, read
from pipeline.nn.batches import make_batches
from pipeline.nn.history import EpochRecord
from pipeline.nn.network import build_network
from pipeline.nn.optimizers import learning_rate
from pipeline.nn.training import fit
from pipeline.prepare import stream
from pipeline.train import SECTIONS

MARKS = (0.85, 0.88, 0.90)
FLOORS = {0.85: 80, 0.88: 260}  # processor seconds within which we must have reached a mark


@dataclass
class Real:
    """Real characters: images (N, 32, 32) uint8 in normal form, labels (N,), and which classes (K,) bool may be the answer."""

    images: np.ndarray
    labels: np.ndarray
    allowed: np.ndarray

    def accuracy(self, logits: np.ndarray) -> float:
        """Share of logits (N, K) whose greatest, among the classes that may be the answer, is at the label."""
        return float((np.where(self.allowed, logits, -np.inf).argmax(axis=1) == self.labels).mean())


def ours(config: Config, real: Real, report: Callable[[float], None]) -> None:
    network = build_network(config.model, (SIZE, SIZE), len(real.allowed), np.random.default_rng(config.seed))
    distort = partial(augment, options=config.augment)
    valid = real.images[:1], real.labels[:1]  # what is reported is measured on all of them, as for the other entrant

    def on_epoch(_: EpochRecord) -> None:
        report(real.accuracy(network.logits(real.images)))

    fit(network, stream(config), valid, config.train, config.seed, distort, on_epoch=on_epoch)


def pytorch(config: Config, real: Real, report: Callable[[float], None]) -> None:
    import torch
    from torch import nn

    torch.manual_seed(config.seed)
    torch.set_num_threads(os.cpu_count() or 1)
    model, options = config.model, config.train
    first, second = model.channels
    width = second * 25
    head = [nn.Dropout(model.dropout), nn.Linear(width, model.hidden[0]), nn.ReLU(), nn.Dropout(model.dropout)]
    body = [nn.Conv2d(1, first, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(first, second, 5), nn.MaxPool2d(2), nn.ReLU()]
    network = nn.Sequential(*body, nn.Flatten(), *head, nn.Linear(model.hidden[0], len(real.allowed)))
    optimizer, loss = torch.optim.Adam(network.parameters(), options.lr), nn.CrossEntropyLoss()

    def tensor(images: np.ndarray) -> "torch.Tensor":
        return torch.from_numpy(images.astype(np.float32) / 255).reshape(-1, 1, SIZE, SIZE)

    source, epochs = stream(config), range(options.epochs)
    batches = make_batches(source, options.batch_size, config.seed, epochs, partial(augment, options=config.augment))
    steps = -(-source.size // options.batch_size)
    for epoch in epochs:
        network.train()
        for step in range(steps):
            x, y = next(batches)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(options, epoch + step / steps)
            optimizer.zero_grad()
            loss(network(tensor(x)), torch.from_numpy(y.astype(np.int64))).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            report(real.accuracy(network(tensor(real.images)).numpy()))


def measure(entrant: Callable, config: Config, real: Real) -> tuple[dict[float, tuple[float, float]], float]:
    """When each mark was first reached, (seconds, processor seconds), and the last accuracy."""
    start, cpu = time.perf_counter(), processor_seconds()
    reached: dict[float, tuple[float, float]] = {}
    last = 0.0

    def report(accuracy: float) -> None:
        nonlocal last
        last = accuracy
        for mark in MARKS:
            if accuracy >= mark:
                reached.setdefault(mark, (time.perf_counter() - start, processor_seconds() - cpu))

    entrant(config, real, report)
    return reached, last


def processor_seconds() -> float:
    """Of this process and of those it started, also where they still run."""
    import psutil

    times = [process.cpu_times() for process in (psutil.Process(), *psutil.Process().children(recursive=True))]
    own = os.times()
    return sum(each.user + each.system for each in times) + own.children_user + own.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("real", type=Path, help="real characters as .npz with `images` and `labels`")
    parser.add_argument("overrides", nargs="*", help="of the configuration, such as train.epochs=5")
    arguments = parser.parse_args()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = read(compose("config", arguments.overrides), SECTIONS)
    alphabet = config.alphabet
    written, names = read_npz(arguments.real)
    known = relabel(written, names, alphabet.characters)
    real = Real(normalise_all(known.images), known.labels, np.array([name in names for name in alphabet.names]))
    entrants = {"ours": ours}
    if importlib.util.find_spec("torch"):
        entrants["PyTorch"] = pytorch
    else:
        print("PyTorch is not installed: its lines are left out")
    print(f"{'':10}" + "".join(f"{f'to {mark:.2f}':>22}" for mark in MARKS) + f"{'at the end':>14}")
    missed = False
    for name, entrant in entrants.items():
        reached, last = measure(entrant, config, real)
        cells = [f"{reached[m][0]:.0f} s, {reached[m][1]:.0f} CPU s" if m in reached else "-" for m in MARKS]
        print(f"{name:10}" + "".join(f"{cell:>22}" for cell in cells) + f"{last:>14.4f}", flush=True)
        if name == "ours":
            missed = any(m not in reached or reached[m][1] > floor for m, floor in FLOORS.items())
    print("floors, ours: " + ", ".join(f"{mark:.2f} within {floor} CPU s" for mark, floor in FLOORS.items()))
    sys.exit(missed)


if __name__ == "__main__":
    main()
