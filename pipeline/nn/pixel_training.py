"""The training loop of a network that labels pixels."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pipeline.common.errors import DivergedError
from pipeline.nn.layers import Array
from pipeline.nn.optimizers import Adam
from pipeline.nn.pixel_loss import pixel_cross_entropy
from pipeline.nn.threads import one_blas_thread
from pipeline.nn.unet import UNet

PARTS = 2
"""Parts of a batch that run at the same time, each on a replica; see `parallel`. The number does not depend on the machine, so
that the sum of their gradients, and with it the weights, is the same on one core as on two."""


def train_pixels(
    network: UNet,
    adam: Adam,
    images: Array,
    labels: Array,
    rates: Array,
    batch_size: int,
    weights: Array,
    rng: np.random.Generator,
) -> float:
    """One pass over the images in random order.

    Args:
        images: (n, H, W) uint8; see `to_images`.
        labels: (n, H, W) uint8.
        rates: learning rate of each batch of this pass, which has as many batches as there are rates.
        weights: (K,) the weight of a pixel of each class in the loss.

    Returns:
        the mean loss of the batches.

    Raises:
        DivergedError: the loss is no longer finite.
    """
    order = rng.permutation(len(images))
    replicas = [network] + [network.replica() for _ in range(PARTS - 1)]
    losses = []
    with ThreadPoolExecutor(PARTS) as pool, one_blas_thread(), np.errstate(all="ignore"):  # a bad loss shows in its value
        for number, rate in enumerate(rates):
            chosen = order[number * batch_size : (number + 1) * batch_size]
            parts = [chosen[i * len(chosen) // PARTS : (i + 1) * len(chosen) // PARTS] for i in range(PARTS)]
            work = [
                pool.submit(_gradient, replica, images[part], labels[part], weights) for replica, part in zip(replicas, parts)
            ]
            loss = sum(future.result() for future in work) / PARTS
            for replica in replicas[1:]:
                network.gradients += replica.gradients
            network.gradients /= PARTS
            if not np.isfinite(loss):
                raise DivergedError(f"ink.lr: training diverged at learning rate {rate:g}: the loss is not finite; lower ink.lr")
            adam.step(network.weights, network.gradients, float(rate))
            losses.append(loss)
    return float(np.mean(losses))


def _gradient(network: UNet, images: Array, labels: Array, weights: Array) -> float:
    """The loss of some images; its gradient is left in the network's `gradients`."""
    loss, dlogits = pixel_cross_entropy(
        network.forward(to_images(images)), np.ascontiguousarray(labels.transpose(1, 2, 0)), weights
    )
    network.backward(dlogits)
    return loss


def predict_pixels(network: UNet, images: Array, batch_size: int) -> Iterator[Array]:
    """Yield the most probable class (H, W) uint8 of each pixel of each image (n, H, W)."""
    with one_blas_thread():
        for start in range(0, len(images), batch_size):
            classes = network.forward(to_images(images[start : start + batch_size])).argmax(axis=0).astype(np.uint8)
            yield from classes.transpose(2, 0, 1)


def to_images(contrast: Array) -> Array:
    """What the network reads, (1, H, W, n) float32 in [0, 1], from contrast (n, H, W) uint8.

    The square root spreads faint ink over more of the range: a pencil's 20 of 255 becomes 0.28, a marker's 240 becomes 0.97.
    """
    return ROOT[np.ascontiguousarray(contrast.transpose(1, 2, 0))][None]


ROOT = np.sqrt(np.arange(256, dtype=np.float32) / np.float32(255))
