"""Stage `words`, `python -m pipeline.words`: learn which words of a page are writing, which are print, and which are neither.

The network learns from windows of rendered crops, whose masks are exact, as the reader finds them with the ink network. Writes
the weights, the history and the metrics; makes one MLflow run.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import yaml
from joblib import Parallel, delayed
from PIL import Image

from pipeline import tracking
from pipeline.common import paths
from pipeline.common.errors import ConfigError, DataError
from pipeline.common.files import md5, write_json, write_table
from pipeline.common.options import Options, Range
from pipeline.common.pixels import PAPER, PRINTED, WRITTEN
from pipeline.config.command import command
from pipeline.config.schema import Config, Sections, TrackingConfig
from pipeline.nn.history import EpochRecord, History
from pipeline.nn.network import build_network, save_network
from pipeline.nn.options import ModelOptions, TrainOptions
from pipeline.nn.training import fit
from pipeline.nn.unet import UNet, load_unet
from pipeline.seeing.groups import Words
from pipeline.seeing.ink import find_sight, see
from pipeline.seeing.looks import look_closely
from pipeline.seeing.polarity import darken_ink
from pipeline.seeing.windows import SHAPE, Sight, cut_windows
from pipeline.seeing.word_kinds import NAMES, NEITHER, PRINT, WRITING
from pipeline.synthesis.contents import CONTENTS
from pipeline.synthesis.crops import make_crop
from pipeline.synthesis.notes import corrections
from pipeline.synthesis.stroke_library import StrokeLibrary, load_library

TRAIN, VALID = 0, 1  # streams of random numbers
CROP = 512  # pixels; side of a crop in which words and their neighbours are seen, twice that of the ink network's
SHEETS = {**{contents: 0.85 * share for contents, share in CONTENTS.items()}, corrections: 0.15}
"""What the crops show: words that are crossed out are rare among the contents of the ink network's crops."""
CLEAR = 0.8  # least share of the ink of a word that is of one kind, for the word to be of this kind
UNCLEAR = -1


@dataclass
class WordsConfig(Options):
    """How the network learns which words are writing."""

    library: Annotated[str, "stroke library that the crops are written with"]
    channels: Annotated[list[int], "outputs of each convolution, which 2x2 max-pooling follows", Range(1)]
    hidden: Annotated[int, "units between the convolutions and the kinds", Range(1)]
    dropout: Annotated[float, "share of values set to zero before each linear layer, in training", Range(0, below=1)]
    crops: Annotated[int, "rendered to learn from", Range(1)]
    valid_crops: Annotated[int, "by hands of the validation split; the metrics are measured on them", Range(1)]
    windows: Annotated[int, "of a crop that are learnt from, at most", Range(1)]
    epochs: Annotated[int, "passes over the windows", Range(0)]
    batch_size: Annotated[int, "windows of a step", Range(1)]
    lr: Annotated[float, "learning rate of Adam at its highest", Range(above=0)]
    workers: Annotated[int, "processes that render; the result does not depend on it", Range(1)]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= len(self.channels) <= 3:
            raise ConfigError(f"channels: {self.channels} must be one to three numbers: pooling leaves nothing of more")

    def model(self) -> ModelOptions:
        return ModelOptions("cnn", [self.hidden], "relu", self.dropout, "he", 0.0, self.channels, 3)

    def training(self) -> TrainOptions:
        return TrainOptions(
            "adam", self.lr, self.batch_size, self.epochs, 0.0, 0.0, "cosine", 1, 1.0, 0.2, "mean", 0, 0.0, keep="last"
        )


SECTIONS: Sections = {"seed": int, "words": WordsConfig, "tracking": TrackingConfig}


def words(config: Config, output: Path) -> float:
    """Train the network of `config.words`; return its accuracy on the windows of validation crops."""
    options = config.words
    library, ink = load_library(Path(options.library)), load_ink(output / paths.INK)
    network = build_network(options.model(), SHAPE, len(NAMES), np.random.default_rng(config.seed))
    with tracking.Run(config.tracking, "words", {"stage": "words"}) as run:
        run.params(config.values)
        run.text("config.yaml", yaml.safe_dump(config.values, sort_keys=False))
        valid = render(library, ink, "valid", options, options.valid_crops, (config.seed, VALID))
        train = render(library, ink, "train", options, options.crops, (config.seed, TRAIN))

        def report(record: EpochRecord) -> None:
            run.metrics({key: value for key, value in record.row().items() if key != "epoch"}, step=record.epoch)
            print(
                f"words: epoch {record.epoch}/{options.epochs}  loss {record.train_loss:.3f}  "
                f"validation accuracy {record.valid_accuracy:.4f}",
                flush=True,
            )

        history = History()
        if len(train[1]) and len(valid[1]):
            history = fit(network, train, valid, options.training(), config.seed, on_epoch=report)
        else:
            print(f"words: {output / paths.INK} finds no words on rendered crops, so there is nothing to learn from")
        if history.interrupted:
            raise KeyboardInterrupt("interrupted")
        save_network(output / paths.WORDS, network, {"seed": config.seed})
        result = measure(network.logits(valid[0]).argmax(axis=1), valid[1])
        write_table(output / paths.WORDS_HISTORY, [record.row_without_time() for record in history.records])
        write_json(output / paths.WORDS_METRICS, result)
        run.metrics({f"best/{key}": value for key, value in result.items()})
        run.tags({"weights": md5(output / paths.WORDS)})
        run.artifact(output / paths.WORDS)
        run.artifact(output / paths.WORDS_HISTORY)
    print("words: " + ", ".join(f"{key} {value:.4f}" for key, value in result.items()))
    return result["valid/accuracy"]


def load_ink(path: Path) -> UNet:
    """The network that the stage `ink` wrote.

    Raises:
        DataError: it is not there, or damaged.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file; get it with `dvc pull ink`, or make it with `dvc repro ink`")
    return load_unet(path)[0]


def measure(found: np.ndarray, kinds: np.ndarray) -> dict[str, float]:
    """Accuracy, and the recall of each kind, of windows (M,); 0 of none."""

    def share(of: np.ndarray) -> float:
        return round(float((found == kinds)[of].mean()), 4) if of.any() else 0.0

    return {"valid/accuracy": share(kinds >= 0), **{f"valid/recall_{name}": share(kinds == k) for k, name in enumerate(NAMES)}}


def render(
    library: StrokeLibrary, ink: UNet, split: str, options: WordsConfig, count: int, key: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Windows (M, *SHAPE) of the words of `count` crops, and their kinds (M,). The process that draws one does not matter."""
    chunks = np.array_split(np.arange(count), max(1, count // 50))
    made = Parallel(n_jobs=options.workers)(
        delayed(_render)(library, ink, split, options.windows, key, chunk.tolist()) for chunk in chunks
    )
    return np.concatenate([windows for windows, _ in made]), np.concatenate([kinds for _, kinds in made])


def _render(
    library: StrokeLibrary, ink: UNet, split: str, most: int, key: tuple[int, ...], numbers: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    windows, kinds = [np.zeros((0, *SHAPE), np.uint8)], [np.zeros(0, int)]
    for number in numbers:
        rng = np.random.default_rng([*key, number])
        contrast, truth = make_crop(library, split, CROP, rng, SHEETS)
        sight = look_for_words(255 - contrast, ink)
        if sight is None:
            continue
        owners, found = cut_windows(sight, rng)
        kind = kinds_of(sight.words, truth)[owners]
        some = rng.permutation(np.flatnonzero(kind != UNCLEAR))[:most]
        windows.append(found[some])
        kinds.append(kind[some])
    return np.concatenate(windows), np.concatenate(kinds)


def look_for_words(gray: np.ndarray, ink: UNet) -> Sight | None:
    """The words of a picture, (H, W) uint8, as the reader finds them; None without any."""
    gray = darken_ink(gray)
    seen = see(look_closely(gray, ink))
    return find_sight(gray, seen, seen.ink)


def kinds_of(words: Words, truth: np.ndarray) -> np.ndarray:
    """(W,) int, the kind that nearly all of the ink of each word has; `UNCLEAR` if none.

    Args:
        truth: (H, W) uint8, what each pixel shows; may be of another size than the words.
    """
    seen = np.asarray(Image.fromarray(truth).resize(words.labels.shape[::-1], Image.Resampling.NEAREST))
    count = len(words.letters)
    total, paper, written, printed = (
        np.bincount(words.labels[mask], minlength=count + 1)[1:]
        for mask in (words.labels > 0, *((words.labels > 0) & (seen == kind) for kind in (PAPER, WRITTEN, PRINTED)))
    )
    ink = np.where(2 * paper > total, total, total - paper)  # a stroke has an edge of paper; what is mostly paper is noise
    shares = np.stack([written, printed, ink - written - printed]) / np.maximum(ink, 1)
    kind = np.array([WRITING, PRINT, NEITHER])[shares.argmax(axis=0)]
    return np.where(shares.max(axis=0) > CLEAR, kind, UNCLEAR)


if __name__ == "__main__":
    command("words", words)
