"""Options of a network and its training: their meaning and range. The values are in `conf/model/` and `conf/train/`."""

from dataclasses import dataclass, field

from pipeline.common.checks import check_choice, check_each, is_number, is_whole
from pipeline.common.errors import ConfigError

ACTIVATIONS = ("sigmoid", "tanh", "relu")
INITIALIZERS = ("xavier", "he", "normal", "constant", "zeros")
OPTIMIZERS = ("sgd", "momentum", "adam")
SCHEDULES = ("constant", "step", "cosine")
REDUCTIONS = ("sum", "mean")
KEEP = ("best", "last")


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
        check_choice(self, "name", ("mlp", "cnn"))
        check_choice(self, "activation", ACTIVATIONS)
        check_choice(self, "initializer", INITIALIZERS)
        check_each(self, ("hidden", "channels"), _are_whole, "must be a list of whole numbers, 1 or more")
        check_each(self, ("kernel",), is_whole, "must be a whole number, 1 or more")
        check_each(self, ("dropout",), lambda value: is_number(value) and 0 <= value < 1, "must be a number in [0, 1)")
        check_each(self, ("initial_value",), is_number, "must be a finite number")
        if self.initializer == "normal" and self.initial_value < 0:
            raise ConfigError(f"initial_value: {self.initial_value} must be 0 or more, as a standard deviation")
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
    keep: str = field(default="best", kw_only=True)  # weights it ends with: of the epoch with the best validation accuracy | last

    def __post_init__(self) -> None:
        check_choice(self, "optimizer", OPTIMIZERS)
        check_choice(self, "schedule", SCHEDULES)
        check_choice(self, "reduction", REDUCTIONS)
        check_choice(self, "keep", KEEP)
        check_each(self, ("batch_size", "step_size"), is_whole, "must be a whole number, 1 or more")
        check_each(self, ("epochs", "patience"), lambda value: is_whole(value, 0), "must be a whole number, 0 or more")
        check_each(self, ("lr",), lambda value: is_number(value) and value > 0, "must be a number above 0")
        check_each(self, ("step_factor",), lambda value: is_number(value) and 0 < value <= 1, "must be a number in (0, 1]")
        check_each(
            self, ("momentum", "label_smoothing"), lambda value: is_number(value) and 0 <= value < 1, "must be a number in [0, 1)"
        )
        check_each(
            self, ("weight_decay", "warmup_epochs"), lambda value: is_number(value) and value >= 0, "must be a number, 0 or more"
        )
        if self.patience and self.keep == "last":
            raise ConfigError(
                f"patience: {self.patience} stops after the best epoch, but keep is last; set keep=best or patience=0"
            )


def _are_whole(values: object) -> bool:
    return not isinstance(values, str) and hasattr(values, "__iter__") and all(is_whole(value) for value in values)
