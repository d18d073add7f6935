"""What a training run did, epoch by epoch, and when it is over."""

from dataclasses import asdict, dataclass, field

from pipeline.nn.options import TrainOptions


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch did. Losses are mean cross-entropies a sample in nats; `train` as met in training (augmented, with dropout,
    while the weights changed), `valid` with the weights at the end of the epoch."""

    epoch: int  # from 1
    lr: float  # at the start of the epoch
    train_loss: float
    train_accuracy: float  # share of 1
    valid_loss: float
    valid_accuracy: float
    seconds: float  # wall time of the epoch

    def row(self) -> dict[str, float]:
        """The same under the names used for tracking and tables: `epoch`, `lr`, `train/loss`, ..."""
        return {key.replace("_", "/"): value for key, value in asdict(self).items()}


@dataclass
class History:
    """The epochs of a run, and how it ended."""

    records: list[EpochRecord] = field(default_factory=list)
    best_epoch: int = (
        0  # the epoch whose weights are kept: by validation accuracy (the first of equals), or the last; 0: none yet
    )
    interrupted: bool = False  # ended by Ctrl-C

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
