"""What a training run did, epoch by epoch, and when it is over."""

from dataclasses import asdict, dataclass, field

from pipeline.nn.options import TrainOptions


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch did.

    Attributes:
        epoch: from 1.
        lr: learning rate at the start of the epoch.
        train_loss: mean cross-entropy a sample in nats, measured in training: augmented, with dropout, while the weights change.
        train_accuracy: 0..1, measured in the same way.
        valid_loss, valid_accuracy: the same, with the weights at the end of the epoch and nothing added.
        seconds: wall time of the epoch.
    """

    epoch: int
    lr: float
    train_loss: float
    train_accuracy: float
    valid_loss: float
    valid_accuracy: float
    seconds: float

    def row(self) -> dict[str, float]:
        """The record under the names that tracking and tables use: `epoch`, `lr`, `train/loss`, ..."""
        return {key.replace("_", "/"): value for key, value in asdict(self).items()}

    def row_without_time(self) -> dict[str, float]:
        """The row without wall time, so that the same training writes the same file."""
        return {key: value for key, value in self.row().items() if key != "seconds"}


@dataclass
class History:
    """The epochs of a run, and how it ended.

    Attributes:
        best_epoch: the epoch whose weights are kept: the first with the best validation accuracy, or the last; 0: none yet.
        interrupted: whether Ctrl-C ended it.
    """

    records: list[EpochRecord] = field(default_factory=list)
    best_epoch: int = 0
    interrupted: bool = False

    def add(self, record: EpochRecord, keep: str = "best") -> bool:
        """Append a record; True if its weights are to be kept."""
        self.records.append(record)
        if keep == "best" and self.best_epoch and record.valid_accuracy <= self.records[self.best_epoch - 1].valid_accuracy:
            return False
        self.best_epoch = record.epoch
        return True

    def is_over(self, options: TrainOptions) -> bool:
        """Whether all epochs are done, or the last `patience` of them brought nothing better."""
        done = len(self.records)
        return done >= options.epochs or bool(options.patience and done - self.best_epoch >= options.patience)
