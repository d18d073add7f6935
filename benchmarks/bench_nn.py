"""Speed of `pipeline.nn` beside PyTorch and scikit-learn, as ratios within one run: `python -m benchmarks.bench_nn`.

Absolute times vary from machine to machine and from minute to minute, so each contest interleaves its entrants, epoch by
epoch, and compares medians. All train the same network on the same random images with the same optimiser. A peer runs with one
thread and with two, and the faster of the two counts. One that is not installed is left out with a note. On a machine
that is busy with other things, two threads wait for each other and the ratios mean little.

A floor says what a change of the code must not lose: where one is missed, the status is 1. How soon a network reads is what
`bench_learning` measures.
"""

import argparse
import importlib.util
import statistics
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator

import numpy as np

from pipeline.nn.network import build_network
from pipeline.nn.options import ModelOptions, TrainOptions
from pipeline.nn.threads import one_blas_thread
from pipeline.nn.training import fit

SAMPLES = 10_800
THREADS = 2


def model_options(name: str, hidden: int) -> ModelOptions:
    return ModelOptions(name, [hidden], "relu" if name == "cnn" else "sigmoid", 0.0, "xavier", 0.0, [16, 32], 5)


def random_data(samples: int = SAMPLES) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (samples, 32, 32), np.uint8), rng.integers(0, 36, samples).astype(np.uint8)


def ours(name: str, hidden: int, batch: int) -> Callable[[], None]:
    """One epoch of `fit`, with the smallest possible validation set."""
    images, labels = random_data()
    network = build_network(model_options(name, hidden), (32, 32), 36, np.random.default_rng(0))
    options = TrainOptions("sgd", 1e-3, batch, 1, 0.0, 0.0, "constant", 1, 1.0, 0.0, "mean", 0, 0.0)
    return lambda: fit(network, (images, labels), (images[:1], labels[:1]), options, seed=0)


def products_alone(hidden: int, batch: int) -> Callable[[], None]:
    """The five matrix products of an MLP's epoch, into arrays that are there already, on one thread as in `fit`."""
    rng = np.random.default_rng(0)

    def matrix(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    x, w1, w2 = matrix(batch, 1024), matrix(1024, hidden), matrix(hidden, 36)
    h, z1, dh = matrix(batch, hidden), matrix(batch, hidden), matrix(batch, hidden)
    d2, z2 = matrix(batch, 36), matrix(batch, 36)
    dw1, dw2 = np.empty_like(w1), np.empty_like(w2)

    def epoch() -> None:
        with one_blas_thread():
            for _ in range(SAMPLES // batch):
                np.matmul(x, w1, out=z1)
                np.matmul(h, w2, out=z2)
                np.matmul(h.T, d2, out=dw2)
                np.matmul(d2, w2.T, out=dh)
                np.matmul(x.T, dh, out=dw1)

    return epoch


def pytorch(name: str, hidden: int, batch: int, threads: int) -> Callable[[], None]:
    """The usual eager loop. The pixels are float32 in memory from the start, which spares PyTorch the conversion."""
    import torch
    from torch import nn

    if name == "cnn":
        body = [nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
        network = nn.Sequential(*body, nn.Linear(800, hidden), nn.ReLU(), nn.Linear(hidden, 36))
    else:
        network = nn.Sequential(nn.Linear(1024, hidden), nn.Sigmoid(), nn.Linear(hidden, 36))
    images, labels = random_data()
    x = torch.from_numpy(images.astype(np.float32) / 255).reshape(-1, *((1, 32, 32) if name == "cnn" else (1024,)))
    y = torch.from_numpy(labels.astype(np.int64))
    optimizer, loss = torch.optim.SGD(network.parameters(), 1e-3), nn.CrossEntropyLoss()

    def epoch() -> None:
        torch.set_num_threads(threads)
        for part in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            loss(network(x[part]), y[part]).backward()
            optimizer.step()

    return epoch


def sklearn(hidden: int, batch: int, threads: int) -> Callable[[], None]:
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    images, labels = random_data()
    x = images.reshape(len(images), -1).astype(np.float32) / 255
    network = MLPClassifier(
        (hidden,), activation="logistic", solver="sgd", batch_size=batch, learning_rate_init=1e-3, momentum=0.0, max_iter=1
    )

    def epoch() -> None:
        with warnings.catch_warnings(), threadpool_limits(threads):
            warnings.simplefilter("ignore")  # one epoch does not converge
            network.fit(x, labels)

    return epoch


def contest(entrants: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Median seconds of each entrant's epoch over interleaved rounds, after one round to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in entrants}
    for number in range(rounds + 1):
        for name, epoch in entrants.items():
            start = time.perf_counter()
            epoch()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def contests(rounds: int) -> Iterator[tuple[str, float, str]]:
    """Yield (what, measured ratio, floor) line by line."""
    torch, scikit = (importlib.util.find_spec(name) is not None for name in ("torch", "sklearn"))
    for peer, present in (("PyTorch", torch), ("scikit-learn", scikit)):
        if not present:
            print(f"{peer} is not installed: its lines are left out")
    for hidden, batch, floor in ((64, 48, 1.5), (64, 16, 1.5), (64, 256, 1.0), (256, 48, 1.0)):
        title = f"MLP 1024-{hidden}-36, batch {batch}"
        entrants = {"ours": ours("mlp", hidden, batch), "products": products_alone(hidden, batch)}
        if torch:
            entrants |= {f"PyTorch, {threads}": pytorch("mlp", hidden, batch, threads) for threads in (1, THREADS)}
        if scikit and (hidden, batch) == (64, 48):
            entrants |= {f"scikit-learn, {threads}": sklearn(hidden, batch, threads) for threads in (1, THREADS)}
        times = contest(entrants, rounds)
        print(title, {name: f"{value:.3f} s" for name, value in times.items()})
        for peer, wanted in (("PyTorch", floor), ("scikit-learn", 1.5)):
            if found := [seconds for name, seconds in times.items() if name.startswith(peer)]:
                yield f"{title}: {peer} / ours", min(found) / times["ours"], f">= {wanted:g}"
        yield f"{title}: ours / its five products", times["ours"] / times["products"], f"<= {2.5 if batch < 48 else 1.6}"
    entrants = {"ours": ours("cnn", 128, 64)} | ({"PyTorch": pytorch("cnn", 128, 64, THREADS)} if torch else {})
    times = contest(entrants, max(2, rounds // 3))
    print("CNN 5x5x16, 5x5x32, 128, batch 64", {name: f"{value:.3f} s" for name, value in times.items()})
    if torch:
        yield "CNN, batch 64, two threads: PyTorch / ours", times["PyTorch"] / times["ours"], ">= 0.7"
    yield "CNN: milliseconds for 500 characters of a page", 1000 * contest({"page": predictions_alone()}, rounds)["page"], "<= 60"
    yield "peak memory of training / size of the data set", peak_memory_ratio(), "<= 2.5"


def peak_memory_ratio() -> float:
    """Data set and all arrays of a training at their peak, over the data set (51 MB, with augmentation and Adam)."""
    images, labels = random_data(50_000)
    network = build_network(model_options("cnn", 128), (32, 32), 36, np.random.default_rng(0))
    options = TrainOptions("adam", 1e-3, 64, 1, 0.0, 0.0, "constant", 1, 1.0, 0.0, "mean", 0, 0.0)
    tracemalloc.start()
    fit(network, (images, labels), (images[:100], labels[:100]), options, seed=0, augment=lambda x, rng: x.copy())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return 1 + peak / images.nbytes


def predictions_alone() -> Callable[[], None]:
    """The CNN's probabilities for the characters of a full page."""
    images, _ = random_data(500)
    network = build_network(model_options("cnn", 128), (32, 32), 36, np.random.default_rng(0))
    return lambda: network.predict(images)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="epochs of each entrant (default: 9)")
    arguments = parser.parse_args()
    rows = list(contests(arguments.rounds))
    for what, ratio, floor in rows:
        print(f"{what:68} {ratio:6.2f}  {floor:7} {'' if holds(ratio, floor) else 'missed'}")
    sys.exit(not all(holds(ratio, floor) for _, ratio, floor in rows))


def holds(ratio: float, floor: str) -> bool:
    """Whether `ratio` keeps a floor such as `>= 3`."""
    sign, _, value = floor.partition(" ")
    return ratio >= float(value) if sign == ">=" else ratio <= float(value)


if __name__ == "__main__":
    main()
