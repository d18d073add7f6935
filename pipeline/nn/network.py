"""A network: layers in a row, their weights in one flat array, and the file they are saved in."""

import copy
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from pipeline.characters import CLASSES, SIZE
from pipeline.common.arrays import load_arrays, save_arrays
from pipeline.common.errors import ConfigError, DataError
from pipeline.nn.convolution import Conv2d, Flatten, MaxPool, ToImages
from pipeline.nn.initializers import Initializer, make_initializer
from pipeline.nn.layers import Array, Dropout, Layer, Linear, Relu, Sigmoid, Tanh
from pipeline.nn.losses import softmax
from pipeline.nn.options import ModelOptions
from pipeline.nn.threads import one_blas_thread

PREDICT_AT_ONCE = 64
"""Samples that `predict` handles at a time: few enough for the cache, enough for the matrix products."""


class Network:
    """Layers in a row: rows of pixels (N, 1024) in, logits (N, 36) out.

    All parameters lie in one flat array, `weights` (P,), their gradients in `gradients` (P,); what the layers hold are views
    into them. An optimiser step, a copy of the best weights or a checkpoint is then one operation on one array. The weight
    matrices come first and the biases after them, so that `weights[:decayed]` is what weight decay shrinks.
    """

    def __init__(self, layers: Iterable[Layer], options: ModelOptions | None = None) -> None:
        self.layers = list(layers)
        self.options = options
        names = [(layer, key) for key in ("weight", "bias") for layer in self.layers if key in layer.params]
        self.weights = np.concatenate([layer.params[key].ravel() for layer, key in names])
        self.decayed = sum(layer.params[key].size for layer, key in names if key == "weight")
        self._share(self.weights)

    def _share(self, weights: Array) -> None:
        """Make the layers' parameters views into `weights`, and their gradients views into a new array of the same size."""
        self.weights = weights
        self.gradients = np.zeros_like(weights)
        self.params: dict[str, Array] = {}
        self.grads: dict[str, Array] = {}
        start = 0
        for key in ("weight", "bias"):
            for index, layer in enumerate(self.layers):
                if key in layer.params:
                    shape = layer.params[key].shape
                    part = slice(start, start := start + layer.params[key].size)
                    layer.params[key] = self.params[f"{index}.{key}"] = self.weights[part].reshape(shape)
                    layer.grads[key] = self.grads[f"{index}.{key}"] = self.gradients[part].reshape(shape)
        self._first = next(index for index, layer in enumerate(self.layers) if layer.params)
        self.layers[self._first].needs_dx = False

    def replica(self) -> "Network":
        """A network that shares the weights of this one, with gradients and buffers of its own."""
        twin = copy.deepcopy(self)
        twin._share(self.weights)
        return twin

    def reseed(self, rng: np.random.Generator) -> None:
        """Let dropout draw from this generator from now on."""
        for layer in self.layers:
            if isinstance(layer, Dropout):
                layer.rng = rng

    def forward(self, x: Array, training: bool = False) -> Array:
        """Logits (N, K) of x (N, D). Valid until the next call; copy them to keep them."""
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def backward(self, dlogits: Array) -> None:
        """Fill `gradients` from the gradient (N, K) of the loss with respect to the logits of the last `forward`."""
        for layer in reversed(self.layers[self._first :]):
            dlogits = layer.backward(dlogits)

    def logits(self, x: Array) -> Array:
        """Logits (N, 36) of images (N, 32, 32) uint8 or of `to_input` of them, in a new array."""
        parts = [np.empty((0, len(CLASSES)), self.weights.dtype)]
        with one_blas_thread(), np.errstate(all="ignore"):  # what is not finite is found by its value
            for start in range(0, len(x), PREDICT_AT_ONCE):
                part = x[start : start + PREDICT_AT_ONCE]
                part = to_input(part, self.weights.dtype) if part.dtype == np.uint8 else part
                parts.append(self.forward(part).copy())
        logits = np.concatenate(parts)
        if not np.isfinite(logits).all():
            raise DataError("model: its output is not finite; the images or the weights hold NaN or infinity")
        return logits

    def predict(self, x: Array) -> Array:
        """Probabilities (N, 36) of images (N, 32, 32) uint8 or of `to_input` of them, in a new array."""
        logits = self.logits(x)
        return softmax(logits, out=logits)


def to_input(images: Array, dtype: DTypeLike = np.float32, out: Array | None = None) -> Array:
    """What the network reads, (N, 1024) in [0, 1], from images (N, 32, 32) uint8, bright ink on 0."""
    if images.dtype != np.uint8 or images.shape[1:] != (SIZE, SIZE):
        raise DataError(f"images: need uint8 of shape (N, {SIZE}, {SIZE}), not {images.dtype} {images.shape}")
    x = np.empty((len(images), SIZE * SIZE), dtype) if out is None else out
    return np.multiply(images.reshape(len(images), -1), x.dtype.type(1 / 255), out=x)


def build_network(options: ModelOptions, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> Network:
    """The network that the options describe, its weights drawn from `rng`.

    mlp: [linear, activation] for each hidden layer, then linear to the classes.
    cnn: [convolution, 2x2 max-pooling, activation] for each entry of `channels`, then the layers of the mlp. Pooling comes
    before the activation because it is the same (activations rise with their input) on a quarter of the numbers.
    Dropout stands before every linear layer that does not read the image itself.
    """
    return Network(_layers(options, make_initializer(options.initializer, options.initial_value), rng, dtype), options)


def _layers(options: ModelOptions, initializer: Initializer, rng: np.random.Generator, dtype: DTypeLike) -> Iterable[Layer]:
    activation = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": Relu}[options.activation]
    width = SIZE * SIZE
    if options.name == "cnn":
        yield ToImages(SIZE, SIZE)
        depth, size = 1, SIZE
        for channels in options.channels:
            if size - options.kernel + 1 < 2:
                raise ConfigError(f"channels: too many convolutions of kernel {options.kernel} for {SIZE}x{SIZE} images")
            yield Conv2d(depth, channels, options.kernel, initializer, rng, dtype)
            yield MaxPool()
            yield activation()
            depth, size = channels, (size - options.kernel + 1) // 2
        yield Flatten()
        width = depth * size * size
    for index, outputs in enumerate([*options.hidden, len(CLASSES)]):
        if options.dropout and (index or options.name == "cnn"):
            yield Dropout(options.dropout, rng)
        yield Linear(width, outputs, initializer, rng, dtype)
        if index < len(options.hidden):
            yield activation()
        width = outputs


def save_network(path: Path, network: Network, extra: dict) -> None:
    """Write options, weights and `extra` (what JSON can hold) as one .npz, whole or not at all; same content, same bytes."""
    description = json.dumps({"options": asdict(network.options), "extra": extra}, sort_keys=True)
    save_arrays(path, {"description": np.array(description), **network.params}, compress=False)


def load_network(path: Path) -> tuple[Network, dict]:
    """The network and the `extra` that `save_network` wrote. DataError if the file is missing, damaged or something else."""
    arrays = load_arrays(path)
    try:
        description = json.loads(str(arrays.pop("description")))
        options, extra = ModelOptions(**description["options"]), dict(description["extra"])
        network = _from_arrays(options, arrays)
    except (KeyError, TypeError, ValueError, ConfigError, RecursionError) as error:
        raise DataError(f"{path}: not a model file of this program ({error}); train again or get the file again") from None
    return network, extra


def _from_arrays(options: ModelOptions, arrays: dict[str, Array]) -> Network:
    """Build a network around stored weights. Shapes are checked before anything of that size is allocated."""
    stored = iter([array for name, array in arrays.items() if name.endswith(".weight")])

    def next_stored(shape: tuple[int, ...], *_: object) -> Array:
        array = next(stored, None)
        if array is None or array.shape != shape or array.dtype != np.float32:
            raise ValueError(f"needs float32 weights of shape {shape}")
        return array

    network = Network(_layers(options, next_stored, np.random.default_rng(0), np.float32), options)
    if list(arrays) != list(network.params):
        raise ValueError("its arrays are not those of its options")
    for name, array in arrays.items():
        if array.shape != network.params[name].shape or array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError(f"{name} has a wrong shape or type, or is not finite")
        network.params[name][:] = array
    return network
