"""Options of a network and its training; their values are in `conf/model/` and `conf/train/`."""

from dataclasses import dataclass, field
from typing import Annotated

from pipeline.common.errors import ConfigError
from pipeline.common.options import OneOf, Options, Range

NAMES = OneOf(("mlp", "cnn"))
ACTIVATIONS = OneOf(("sigmoid", "tanh", "relu"))
INITIALIZERS = OneOf(("xavier", "he", "normal", "constant", "zeros"))
OPTIMIZERS = OneOf(("sgd", "momentum", "adam"))
SCHEDULES = OneOf(("constant", "step", "cosine"))
REDUCTIONS = OneOf(("sum", "mean"))
KEEP = OneOf(("best", "last"))


@dataclass
class ModelOptions(Options):
    """The network: its layers, and its initial weights."""

    name: Annotated[str, "kind of network", NAMES]
    hidden: Annotated[list[int], "units of each hidden layer; may be empty", Range(1)]
    activation: Annotated[str, "nonlinearity after each layer but the last", ACTIVATIONS]
    dropout: Annotated[float, "share of values set to zero before each linear layer, in training", Range(0, below=1)]
    initializer: Annotated[str, "distribution of the initial weights", INITIALIZERS]
    initial_value: Annotated[float, "standard deviation of `normal`, value of `constant`; unused otherwise", Range()]
    channels: Annotated[list[int], "cnn: outputs of each convolution, which 2x2 max-pooling follows", Range(1)]
    kernel: Annotated[int, "cnn: height and width of the convolutions, in pixels", Range(1)]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.initializer == "normal" and self.initial_value < 0:
            raise ConfigError(f"initial_value: {self.initial_value} must be 0 or more, as a standard deviation")
        if self.name == "cnn" and not self.channels:
            raise ConfigError("channels: a cnn needs at least one convolution, for example [16, 32]")


@dataclass
class TrainOptions(Options):
    """How the network learns."""

    optimizer: Annotated[str, "rule that updates the weights", OPTIMIZERS]
    lr: Annotated[float, "learning rate at its highest", Range(above=0)]
    batch_size: Annotated[int, "samples of a step; the last batch of an epoch may be smaller", Range(1)]
    epochs: Annotated[int, "passes over the training set; 0 leaves the network as it is", Range(0)]
    momentum: Annotated[float, "momentum: share of the last step that is kept", Range(0, below=1)]
    weight_decay: Annotated[float, "each step shrinks the weights, not the biases, by lr * weight_decay", Range(0)]
    schedule: Annotated[str, "course of the learning rate", SCHEDULES]
    step_size: Annotated[int, "step: epochs between two cuts of the learning rate", Range(1)]
    step_factor: Annotated[float, "step: factor of each cut", Range(above=0, high=1)]
    warmup_epochs: Annotated[float, "epochs in which the learning rate rises from 0", Range(0)]
    reduction: Annotated[str, "how a batch combines the gradients of its samples", REDUCTIONS]
    patience: Annotated[int, "epochs without a better validation accuracy after which training stops; 0: never", Range(0)]
    label_smoothing: Annotated[float, "share of the target that is spread over all classes", Range(0, below=1)]
    keep: Annotated[str, "weights to end with: of the epoch with the best validation accuracy, or the last", KEEP] = field(
        default="best", kw_only=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.patience and self.keep == "last":
            raise ConfigError(
                f"patience: {self.patience} stops after the best epoch, but keep is last; set keep=best or patience=0"
            )
