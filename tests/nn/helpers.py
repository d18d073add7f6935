"""Small networks and data for the tests."""

from dataclasses import replace

import numpy as np

from pipeline.nn.network import Network, build_network
from pipeline.nn.options import ModelOptions, TrainOptions

MLP = ModelOptions("mlp", [16], "sigmoid", 0.0, "xavier", 0.0, [], 5)
CNN = ModelOptions("cnn", [16], "relu", 0.0, "he", 0.0, [4, 6], 5)
TRAIN = TrainOptions("momentum", 0.1, 32, 3, 0.9, 0.0, "constant", 1, 1.0, 0.0, "mean", 0, 0.0)


def network(options: ModelOptions = MLP, seed: int = 0, dtype: type = np.float32, **changes) -> Network:
    return build_network(replace(options, **changes), (32, 32), 36, np.random.default_rng(seed), dtype)


def characters(count: int, seed: int = 0, classes: int = 36) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images (count, 32, 32) uint8 that can be told apart: class k has a bright bar in a place of its own."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count).astype(np.uint8)
    images = rng.integers(0, 100, (count, 32, 32), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label // 6 * 5 : label // 6 * 5 + 5, label % 6 * 5 : label % 6 * 5 + 5] += 150
    return images, labels
