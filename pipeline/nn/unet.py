"""U-Net: a network that assigns a class to every pixel of an image.

Ronneberger, Fischer & Brox 2015, "U-Net: convolutional networks for biomedical image segmentation". The way up adds the result
of the way down at the same size instead of appending it, as in Chaurasia & Culurciello 2017, "LinkNet".
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import DTypeLike

from pipeline.common.arrays import load_arrays, save_arrays
from pipeline.common.errors import ConfigError, DataError
from pipeline.common.options import Options, Range
from pipeline.nn.convolution import MaxPool
from pipeline.nn.initializers import Initializer, he
from pipeline.nn.layers import Array
from pipeline.nn.network import Network, restore, stored_initializer
from pipeline.nn.resampling import DepthToSpace, Double, SpaceToDepth
from pipeline.nn.same_convolution import SameConv2d


@dataclass
class UNetOptions(Options):
    """The size of a U-Net."""

    widths: Annotated[list[int], "channels at 1/2, 1/4, 1/8 ... of the size of the image", Range(1)]
    classes: Annotated[int, "of the pixels", Range(2)]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= len(self.widths) <= 8:
            raise ConfigError(f"widths: {self.widths} must be one to eight whole numbers, 1 or more")


class UNet(Network):
    """Images (1, H, W, N) in, logits (K, H, W, N) out; H and W are multiples of `multiple`.

    The image is folded to half its size (space to depth). The way down has two convolutions of 3 x 3 at each size, then
    max-pooling. On the way up, a convolution of 1 x 1 changes the number of channels to that of the next size, each pixel is
    doubled, the result of the way down at that size is added, and a convolution of 3 x 3 mixes the two. At last each pixel of
    half size gives the logits of its four pixels (depth to space).
    """

    def __init__(self, options: UNetOptions, initializer: Initializer, rng: np.random.Generator, dtype: DTypeLike) -> None:
        def convolution(inputs: int, outputs: int, kernel: int = 3, rectify: bool = True) -> SameConv2d:
            return SameConv2d(inputs, outputs, kernel, initializer, rng, dtype, rectify)

        widths = options.widths
        self.multiple = 2 ** len(widths)
        self.fold, self.unfold = SpaceToDepth(), DepthToSpace()
        self.down = [(convolution(a, b), convolution(b, b)) for a, b in zip([4, *widths], widths)]
        self.pools = [MaxPool() for _ in widths[1:]]
        self.up = [(convolution(b, a, 1, False), Double(), convolution(a, a)) for a, b in zip(widths, widths[1:])]
        self.head = convolution(widths[0], 4 * options.classes, 1, False)
        pairs = [layer for pair in self.down for layer in pair]
        steps = [layer for across, _, mix in self.up for layer in (across, mix)]
        super().__init__([*pairs, *steps, self.head])
        self.unet_options = options

    def forward(self, x: Array, training: bool = False) -> Array:
        """Logits (K, H, W, N) of x (1, H, W, N). Valid until the next call; copy them to keep them."""
        x = self.fold.forward(x)
        self._seen = []
        for level, (first, second) in enumerate(self.down):
            x = second.forward(first.forward(self.pools[level - 1].forward(x) if level else x))
            self._seen.append(x)
        for level in reversed(range(len(self.up))):
            across, double, mix = self.up[level]
            x = double.forward(across.forward(x))
            x += self._seen[level]
            x = mix.forward(x)
        return self.unfold.forward(self.head.forward(x))

    def backward(self, dlogits: Array) -> None:
        """Fill `gradients` from the gradient (K, H, W, N) of the loss with respect to the logits of the last `forward`.

        A sum passes its gradient to both of its terms. The gradient with respect to a term from the way down is kept until the
        backward pass reaches that layer, and added there.
        """
        d = self.head.backward(self.unfold.backward(dlogits))
        waiting = []
        for across, double, mix in self.up:
            d = mix.backward(d)
            waiting.append(d)
            d = across.backward(double.backward(d))
        for level in reversed(range(len(self.down))):
            if level < len(waiting):
                d += waiting[level]
            first, second = self.down[level]
            d = first.backward(second.backward(d))
            if level:
                d = self.pools[level - 1].backward(d)


def build_unet(options: UNetOptions, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> UNet:
    """The network that the options describe, its weights drawn from `rng` (He et al. 2015)."""
    return UNet(options, he, rng, dtype)


def save_unet(path: Path, network: UNet, extra: dict) -> None:
    """Write options, weights and `extra` (what JSON can hold) as one .npz, whole or not at all; same content, same bytes."""
    description = json.dumps({"unet": asdict(network.unet_options), "extra": extra}, sort_keys=True)
    save_arrays(path, {"description": np.array(description), **network.params}, compress=False)


def load_unet(path: Path) -> tuple[UNet, dict]:
    """The network and the `extra` that `save_unet` wrote.

    Raises:
        DataError: the file is missing, damaged or something else.
    """
    arrays = load_arrays(path)
    try:
        description = json.loads(str(arrays.pop("description")))
        options, extra = UNetOptions(**description["unet"]), dict(description["extra"])
        network = UNet(options, stored_initializer(arrays), np.random.default_rng(0), np.float32)
        restore(network, arrays)
    except (KeyError, TypeError, ValueError, ConfigError, RecursionError) as error:
        raise DataError(f"{path}: not a network of `python -m pipeline.ink` ({error}); get it with `dvc pull`") from None
    return network, extra
