"""A network: layers in a row, their weights in one flat array, and the file they are saved in."""

import copy
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from pipeline.common.arrays import load_arrays, save_arrays
from pipeline.common.checks import is_whole
from pipeline.common.errors import ConfigError, DataError
from pipeline.nn.convolution import Conv2d, Flatten, MaxPool, ToImages
from pipeline.nn.initializers import Initializer, make_initializer
from pipeline.nn.layers import Array, Dropout, Layer, Linear, Relu, Sigmoid, Tanh
from pipeline.nn.losses import softmax
from pipeline.nn.options import ModelOptions
from pipeline.nn.threads import one_blas_thread

MAX_OUTPUTS = 2**20
"""Most classes, and most numbers along a side of a sample, that a weights file may declare."""

PREDICT_AT_ONCE = 64
"""Samples that `predict` computes at a time: few enough for the cache, enough for fast matrix products."""


class Network:
    """Layers in a row: rows of numbers (N, D) in, logits (N, K) out.

    All parameters lie in one flat array, `weights` (P,), their gradients in `gradients` (P,); what the layers hold are views
    into them. An optimiser step, a copy of the best weights or a checkpoint is then one operation on one array. The weight
    matrices come first and the biases after them, so that `weights[:decayed]` is what weight decay shrinks.

    Attributes:
        input_shape: of one sample, whose product is D; None: any that the first layer takes.
        classes: K, the outputs of the last layer with parameters.
    """

    def __init__(
        self, layers: Iterable[Layer], options: ModelOptions | None = None, input_shape: tuple[int, ...] | None = None
    ) -> None:
        self.layers = list(layers)
        self.options = options
        self.input_shape = input_shape
        self.classes = next(layer.params["bias"].size for layer in reversed(self.layers) if layer.params)
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

    def replica(self) -> Self:
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
        """Logits (N, K) of samples (N, *input_shape), or of `to_input` of them, in a new array."""
        parts = [np.empty((0, self.classes), self.weights.dtype)]
        with one_blas_thread(), np.errstate(all="ignore"):  # checked below
            for start in range(0, len(x), PREDICT_AT_ONCE):
                part = x[start : start + PREDICT_AT_ONCE]
                parts.append(self.forward(to_input(part, self.weights.dtype, shape=self.input_shape)).copy())
        logits = np.concatenate(parts)
        if not np.isfinite(logits).all():
            raise DataError("model: its output is not finite; the images or the weights hold NaN or infinity")
        return logits

    def predict(self, x: Array) -> Array:
        """Probabilities (N, K) of samples (N, *input_shape), or of `to_input` of them, in a new array."""
        logits = self.logits(x)
        return softmax(logits, out=logits)


def to_input(
    samples: Array, dtype: DTypeLike = np.float32, out: Array | None = None, shape: tuple[int, ...] | None = None
) -> Array:
    """What the network reads, (N, D): samples (N, ...) as rows; uint8 is divided by 255, other numbers stay as they are.

    >>> to_input(np.array([[[0, 255]]], np.uint8)).tolist()
    [[0.0, 1.0]]

    Args:
        out: (N, D), where to write the result; None: a new array where one is needed.
        shape: what the shape of a sample has to be; None: any.

    Raises:
        DataError: `shape` is given, and the samples have another.
    """
    rows = samples.reshape(len(samples), math.prod(samples.shape[1:]))
    if shape is not None and samples.shape[1:] not in (shape, (math.prod(shape),)):
        raise DataError(f"samples: need the shape (N, {', '.join(map(str, shape))}), not {samples.shape}")
    if out is None:
        if samples.dtype == dtype:
            return rows
        out = np.empty(rows.shape, dtype)
    if samples.dtype == np.uint8:
        return np.multiply(rows, out.dtype.type(1 / 255), out=out)
    out[:] = rows
    return out


def build_network(
    options: ModelOptions,
    input_shape: tuple[int, ...],
    classes: int,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float32,
) -> Network:
    """The network that the options describe, its weights drawn from `rng`.

    mlp: [linear, activation] for each hidden layer, then linear to the classes.
    cnn: [convolution, 2x2 max-pooling, activation] for each entry of `channels`, then the layers of the mlp. Activations are
    monotonic, so pooling first gives the same result and leaves a quarter of the values to compute them for.
    Dropout stands before every linear layer, except one that reads the input itself.

    Args:
        input_shape: of one sample; a cnn reads images, (height, width) or (channels, height, width).
        classes: outputs, one a class.
    """
    initializer = make_initializer(options.initializer, options.initial_value)
    return Network(_layers(options, input_shape, classes, initializer, rng, dtype), options, input_shape)


def _layers(
    options: ModelOptions,
    input_shape: tuple[int, ...],
    classes: int,
    initializer: Initializer,
    rng: np.random.Generator,
    dtype: DTypeLike,
) -> Iterable[Layer]:
    activation = {"sigmoid": Sigmoid, "tanh": Tanh, "relu": Relu}[options.activation]
    width = math.prod(input_shape)
    if options.name == "cnn":
        if len(input_shape) not in (2, 3):
            raise ConfigError(f"name: a cnn reads images ([channels,] height, width), not samples of shape {input_shape}")
        depth, height, width = (1, *input_shape)[-3:]
        yield ToImages(depth, height, width)
        for channels in options.channels:
            if min(height, width) - options.kernel + 1 < 2:
                raise ConfigError(
                    f"kernel: {options.kernel} is too large for {len(options.channels)} convolutions of "
                    f"{input_shape[0]}x{input_shape[1]} images, which pooling halves after each"
                )
            yield Conv2d(depth, channels, options.kernel, initializer, rng, dtype)
            yield MaxPool()
            yield activation()
            depth, height, width = channels, (height - options.kernel + 1) // 2, (width - options.kernel + 1) // 2
        yield Flatten()
        width *= depth * height
    for index, outputs in enumerate([*options.hidden, classes]):
        if options.dropout and (index or options.name == "cnn"):
            yield Dropout(options.dropout, rng)
        yield Linear(width, outputs, initializer, rng, dtype)
        if index < len(options.hidden):
            yield activation()
        width = outputs


def save_network(path: Path, network: Network, extra: dict) -> None:
    """Write options, weights and `extra` (what JSON can hold) as one .npz, whole or not at all; same content, same bytes."""
    save_arrays(path, network_arrays(network, extra), compress=False)


def network_arrays(network: Network, extra: dict) -> dict[str, Array]:
    """What `save_network` writes: the description, and the weights by their names."""
    assert network.options and network.input_shape  # as `build_network` made it
    about = {"input_shape": network.input_shape, "classes": network.classes, "options": asdict(network.options), "extra": extra}
    return {"description": np.array(json.dumps(about, sort_keys=True)), **network.params}


def load_network(path: Path) -> tuple[Network, dict]:
    """The network and the `extra` that `save_network` wrote.

    Raises:
        DataError: the file is missing, damaged or something else.
    """
    return network_of(load_arrays(path), path)


def network_of(arrays: dict[str, Array], path: Path) -> tuple[Network, dict]:
    """The network and the `extra` of `network_arrays`, which were found in the file at `path`.

    Raises:
        DataError: they are not what `network_arrays` made.
    """
    arrays = dict(arrays)
    try:
        description = json.loads(str(arrays.pop("description")))
        options, extra = ModelOptions(**description["options"]), dict(description["extra"])
        input_shape, classes = tuple(description.get("input_shape", [32, 32])), description.get("classes", 36)
        if not (0 < len(input_shape) < 5 and all(is_whole(n) and n <= MAX_OUTPUTS for n in (*input_shape, classes))):
            raise ValueError(f"input_shape {input_shape} or classes {classes}")
        initializer, rng = stored_initializer(arrays), np.random.default_rng(0)
        network = Network(_layers(options, input_shape, classes, initializer, rng, np.float32), options, input_shape)
        restore(network, arrays)
    except (KeyError, TypeError, ValueError, ConfigError, RecursionError) as error:
        raise DataError(f"{path}: not a model file of this program ({error}); train again or get the file again") from None
    return network, extra


def stored_initializer(arrays: Mapping[str, Array]) -> Initializer:
    """An initialiser that hands out stored weights, one layer after the other.

    It raises ValueError for a shape that is not stored, before anything of that size is allocated.
    """
    stored = iter([array for name, array in arrays.items() if name.endswith(".weight")])

    def next_stored(shape: tuple[int, ...], *_: object) -> Array:
        array = next(stored, None)
        if array is None or array.shape != shape or array.dtype != np.float32:
            raise ValueError(f"needs float32 weights of shape {shape}")
        return array

    return next_stored


def restore(network: Network, arrays: Mapping[str, Array]) -> None:
    """Copy stored parameters into a network.

    Raises:
        ValueError: they are not those of this network, or not finite.
    """
    if list(arrays) != list(network.params):
        raise ValueError("its arrays are not those of its options")
    for name, array in arrays.items():
        if array.shape != network.params[name].shape or array.dtype != np.float32 or not np.isfinite(array).all():
            raise ValueError(f"{name} has a wrong shape or type, or is not finite")
        network.params[name][:] = array
