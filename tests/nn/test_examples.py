"""What the network learns besides characters, ten lines each: nothing in `pipeline.nn` knows what it is used for."""

import numpy as np

from pipeline.nn.convolution import Conv2d, Flatten, ToImages
from pipeline.nn.initializers import he, xavier
from pipeline.nn.layers import Linear, Relu, Tanh
from pipeline.nn.losses import cross_entropy_with_gradient
from pipeline.nn.network import Network

FONT = """111 010 111 111 101 111 111 111 111 111
          101 110 001 001 101 100 100 001 101 101
          101 010 111 111 111 111 111 010 111 111
          101 010 100 001 001 001 101 010 101 001
          111 111 111 111 001 111 111 010 111 111"""


def test_exclusive_or():
    rng = np.random.default_rng(0)
    network = Network([Linear(2, 8, xavier, rng, np.float64), Tanh(), Linear(8, 2, xavier, rng, np.float64)])
    x, labels = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([0, 1, 1, 0])
    for _ in range(500):
        losses, gradient = cross_entropy_with_gradient(network.forward(x), labels)
        network.backward(gradient)
        network.weights -= 0.1 * network.gradients
    assert (network.predict(x).argmax(axis=1) == labels).all() and losses.max() < 0.05


def test_small_digits():
    """Digits of 5 x 3 pixels about the middle of noisy pictures of 9 x 9, by a convolutional network."""
    rng = np.random.default_rng(0)
    shapes = np.array([[list(word) for word in line.split()] for line in FONT.split("\n")], float).transpose(
        1, 0, 2
    )  # (10, 5, 3)
    network = Network([ToImages(1, 9, 9), Conv2d(1, 8, 3, he, rng), Relu(), Flatten(), Linear(8 * 49, 10, he, rng)])
    for _ in range(300):
        labels = rng.integers(0, 10, 32)
        x = rng.normal(0, 0.2, (32, 9, 9)).astype(np.float32)
        for image, label, top, left in zip(x, labels, *rng.integers(2, 5, (32, 2)).T):
            image[top : top + 5, left : left + 3] += shapes[label]
        right = (network.predict(x).argmax(axis=1) == labels).mean()
        network.backward(cross_entropy_with_gradient(network.forward(x.reshape(32, -1)), labels, scale=1 / 32)[1])
        network.weights -= 0.2 * network.gradients
    assert right > 0.8
