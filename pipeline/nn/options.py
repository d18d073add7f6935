"""What can be configured about a network and its training. The values stand in `conf/`; here are their meaning and range."""

import math
from dataclasses import dataclass

from pipeline.errors import ConfigError

ACTIVATIONS = ("sigmoid", "tanh", "relu")
INITIALIZERS = ("xavier", "he", "normal", "constant", "zeros")
OPTIMIZERS = ("sgd", "momentum", "adam")
SCHEDULES = ("constant", "step", "cosine")
REDUCTIONS = ("sum", "mean")


@dataclass
class ModelOptions:
    """The network: what it is made of, and how its weights start."""

    name: str  # mlp | cnn
    hidden: list[int]  # width of each hidden linear layer; may be empty
    activation: str  # sigmoid | tanh | relu
    dropout: float  # share of hidden values set to zero in training, [0, 1)
    initializer: str  # xavier | he | normal | constant | zeros
    initial_value: float  # standard deviation of `normal`, value of `constant`; unused otherwise
    channels: list[int]  # cnn: output channels of each convolution, each followed by 2x2 max-pooling
    kernel: int  # cnn: height and width of the convolution kernels in pixels

    def __post_init__(self) -> None:
        _one_of("name", self.name, ("mlp", "cnn"))
        _whole_numbers("hidden", self.hidden)
        _one_of("activation", self.activation, ACTIVATIONS)
        _number("dropout", self.dropout, 0, 1, below_high=True)
        _one_of("initializer", self.initializer, INITIALIZERS)
        _number("initial_value", self.initial_value)
        if self.initializer == "normal":
            _number("initial_value", self.initial_value, 0)
        _whole_numbers("channels", self.channels)
        _whole_number("kernel", self.kernel, 1)
        if self.name == "cnn" and not self.channels:
            raise ConfigError("channels: a cnn needs at least one convolution, for example [16, 32]")


@dataclass
class TrainOptions:
    """How the network learns."""

    optimizer: str  # sgd | momentum | adam
    lr: float  # learning rate at its highest, > 0
    batch_size: int  # samples a step; the last batch of an epoch may be smaller
    epochs: int  # passes over the training set; 0 leaves the network as it is
    momentum: float  # share of the last step kept by `momentum`, [0, 1)
    weight_decay: float  # each step shrinks the weights (not the biases) by lr * weight_decay
    schedule: str  # constant | step | cosine
    step_size: int  # step: epochs between two cuts of the learning rate
    step_factor: float  # step: factor of each cut, (0, 1]
    warmup_epochs: float  # epochs in which the learning rate rises linearly from 0
    reduction: str  # gradient of a batch: sum | mean over its samples (lr 0.01 with `sum` is 0.48 with `mean` at batch 48)
    patience: int  # epochs without a better validation accuracy before training stops; 0 = never stop early
    label_smoothing: float  # share of the target spread evenly over all classes, [0, 1)

    def __post_init__(self) -> None:
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _number("lr", self.lr, 0, above_low=True)
        _whole_number("batch_size", self.batch_size, 1)
        _whole_number("epochs", self.epochs, 0)
        _number("momentum", self.momentum, 0, 1, below_high=True)
        _number("weight_decay", self.weight_decay, 0)
        _one_of("schedule", self.schedule, SCHEDULES)
        _whole_number("step_size", self.step_size, 1)
        _number("step_factor", self.step_factor, 0, 1, above_low=True)
        _number("warmup_epochs", self.warmup_epochs, 0)
        _one_of("reduction", self.reduction, REDUCTIONS)
        _whole_number("patience", self.patience, 0)
        _number("label_smoothing", self.label_smoothing, 0, 1, below_high=True)


def _one_of(key: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(f"{key}: must be one of {', '.join(allowed)}, not {value!r}")


def _number(
    key: str, value: object, low: float = -math.inf, high: float = math.inf, above_low: bool = False, below_high: bool = False
) -> None:
    """Check that `value` is a finite number in [low, high], without the ends if so told."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ConfigError(f"{key}: must be a finite number, not {value!r}")
    if value < low or value > high or (above_low and value == low) or (below_high and value == high):
        interval = f"{'(' if above_low else '['}{low}, {high}{')' if below_high else ']'}"
        raise ConfigError(f"{key}: must lie in {interval}, not {value!r}")


def _whole_number(key: str, value: object, low: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise ConfigError(f"{key}: must be a whole number, {low} or more, not {value!r}")


def _whole_numbers(key: str, values: list[int]) -> None:
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise ConfigError(f"{key}: must be a list of whole numbers, not {values!r}")
    for value in values:
        _whole_number(key, value, 1)
