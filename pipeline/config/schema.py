"""The schema of conf/: types, ranges, units. One section per group; a stage is handed only the sections it reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.characters.options import AugmentOptions
from pipeline.common.checks import check_each
from pipeline.common.errors import ConfigError
from pipeline.common.pixels import KINDS
from pipeline.config import resolvers  # noqa: F401 (what experiments may write as ${draw:...})
from pipeline.nn.options import ModelOptions, TrainOptions
from pipeline.nn.unet import UNetOptions
from pipeline.reading.options import OcrOptions
from pipeline.synthesis.options import StrokesOptions
from pipeline.synthesis.render import RenderOptions

SOURCES = ("strokes", "nist36", "emnist", "folder", "npz")


@dataclass
class DataConfig:
    """Where the characters come from.

    Attributes:
        sources: any of `SOURCES`; several are mixed, split by split.
        root: folder (or the file, for `npz`) of the real data; `strokes` alone needs none.
        library: the stroke library the generator inks.
        variant: which EMNIST split to read, `balanced` or `byclass`.
        download: fetch EMNIST when `root` does not hold it.
        fresh: training characters are generated while the network learns, every epoch others; else once, and stored.
        train_per_class, valid_per_class, test_per_class: samples a class (fresh: an epoch); 0 takes all there are.
        seed: of the generator and of random splits.
    """

    sources: list[str]
    root: str
    library: str
    variant: str
    download: bool
    fresh: bool
    train_per_class: int
    valid_per_class: int
    test_per_class: int
    seed: int

    def __post_init__(self) -> None:
        if not self.sources or not set(self.sources) <= set(SOURCES):
            raise ConfigError(f"sources: {self.sources} must name one or more of {', '.join(SOURCES)}")
        if self.variant not in ("balanced", "byclass"):
            raise ConfigError(f"variant: {self.variant!r} must be balanced or byclass")
        if self.fresh and list(self.sources) != ["strokes"]:
            raise ConfigError(f"fresh: only strokes are generated, not {'+'.join(self.sources)}; set it to false")
        counts = ("train_per_class", "valid_per_class", "test_per_class")
        check_each(self, (*counts, "seed"), lambda value: value >= 0, "must be 0 or more")
        if "strokes" in self.sources and not self.train_per_class * self.valid_per_class * self.test_per_class:
            raise ConfigError("train_per_class: the generator needs to know how many; give 1 or more for each split")


@dataclass
class TrainConfig(TrainOptions):
    """What the network's own `TrainOptions` hold, and what only the stage needs.

    Attributes:
        initial: stored weights to start from, in every layer whose shape fits; null: all layers start at random.
        resume: go on from the checkpoint of an interrupted training of the same configuration.
        check_gradients: compare every gradient with central differences instead of training.
    """

    initial: str | None
    resume: bool
    check_gradients: bool


@dataclass
class InkConfig:
    """How the network learns that says what a pixel shows.

    Attributes:
        library: the stroke library that the crops are written with.
        widths: channels of the network at 1/2, 1/4, ... of the picture's size.
        epochs, crops, passes: each epoch renders `crops` new crops and goes over them `passes` times.
        valid_crops: crops by hands of the validation split that the metrics are measured on.
        size: side of a crop in pixels.
        batch_size: crops a step.
        lr: learning rate of Adam at its highest.
        paper_weight: what a pixel of paper counts in the loss; one of anything else counts 1.
        workers: processes that render.
        resume: go on from the checkpoint of an interrupted training of the same configuration.
    """

    library: str
    widths: list[int]
    epochs: int
    crops: int
    passes: int
    valid_crops: int
    size: int
    batch_size: int
    lr: float
    paper_weight: float
    workers: int
    resume: bool

    def __post_init__(self) -> None:
        UNetOptions(self.widths, len(KINDS))
        check_each(self, ("epochs",), lambda value: value >= 0, "must be 0 or more")
        check_each(self, ("passes", "valid_crops", "workers"), lambda value: value >= 1, "must be 1 or more")
        check_each(self, ("lr", "paper_weight"), lambda value: value > 0, "must be above 0")
        if self.batch_size < 2 or self.crops < self.batch_size:
            raise ConfigError(f"batch_size: {self.batch_size} must be from 2 to crops, {self.crops}")
        if self.size < 64 or self.size % 2 ** len(self.widths):
            raise ConfigError(f"size: {self.size} must be 64 or more, and divisible by {2 ** len(self.widths)}")


@dataclass
class EvaluateConfig:
    """Attributes: model, data: what to measure on what; on: any other `.npz`, measured to standard output only."""

    model: str | None
    on: str | None
    confused_pairs: int


@dataclass
class VisualizeConfig:
    """Attributes: units: hidden units or filters to draw; depth, width: of the networks that show vanishing gradients."""

    units: int
    depth: int
    width: int
    dpi: int

    def __post_init__(self) -> None:
        check_each(self, ("units", "depth", "width", "dpi"), lambda value: value >= 1, "must be 1 or more")


@dataclass
class OcrConfig(OcrOptions):
    """What the page reader's own `OcrOptions` hold, and where the stage reads and writes.

    Attributes:
        pages: photos or folders of photos; `-` reads one photo from standard input; null: the rendered pages.
        output: folder for the text, JSON, hOCR, ALTO and annotated picture of each page; null: the stage's own.
        model: weights to read with; null: those that `train` wrote.
        language: table of the character language model.
    """

    pages: Any
    output: str | None
    model: str | None
    language: str


@dataclass
class TrackingConfig:
    """Attributes: uri: MLflow store, `local` for mlflow.db in the project, `none` for no tracking; experiment: its name."""

    uri: str
    experiment: str


@dataclass
class SweepConfig:
    """How the jobs of a multirun are treated.

    Attributes:
        rerun: run also what already finished in this experiment with the same configuration and data.
        prune: `none`, or `median`: stop a job that is worse than half of the others were at the same epoch.
        prune_after: epochs that every job may run before.
    """

    rerun: bool
    prune: str
    prune_after: int

    def __post_init__(self) -> None:
        if self.prune not in ("none", "median"):
            raise ConfigError(f"prune: {self.prune!r} must be none or median")
        if self.prune_after < 1:
            raise ConfigError(f"prune_after: {self.prune_after} must be 1 or more")


SECTIONS: dict[str, Any] = {
    "data": DataConfig,
    "strokes": StrokesOptions,
    "pages": RenderOptions,
    "model": ModelOptions,
    "augment": AugmentOptions,
    "train": TrainConfig,
    "ink": InkConfig,
    "evaluate": EvaluateConfig,
    "visualize": VisualizeConfig,
    "ocr": OcrConfig,
    "tracking": TrackingConfig,
    "sweep": SweepConfig,
}

READS = {
    "prepare": ("data", "strokes", "pages"),
    "train": ("seed", "data", "strokes", "model", "augment", "train", "tracking"),
    "ink": ("seed", "ink", "tracking"),
    "evaluate": ("evaluate", "tracking"),
    "visualize": ("seed", "visualize", "tracking"),
    "ocr": ("ocr", "tracking"),
}
"""The sections each stage reads, and is therefore handed; `dvc.yaml` tracks their files for it."""


class Config(SimpleNamespace):
    """The sections a stage reads as checked dataclasses, and `values`, the same as a plain nested dict."""

    values: dict[str, Any]


def read(composed: DictConfig, sections: Iterable[str]) -> Config:
    """Check the named sections of a composed configuration.

    Raises:
        ConfigError: one line naming the key, what it holds and what it must be.
    """
    checked: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for name in sections:
        if name == "seed":
            checked[name] = values[name] = _read_seed(composed)
            continue
        try:
            given = OmegaConf.to_container(composed[name], resolve=True)  # here, where interpolations see the whole
            section = OmegaConf.merge(OmegaConf.structured(SECTIONS[name]), given)
            checked[name] = OmegaConf.to_object(section)
            values[name] = OmegaConf.to_container(section)
        except OmegaConfBaseException as error:
            key = getattr(error, "full_key", None) or getattr(error, "key", None) or ""
            reason = str(error.msg if hasattr(error, "msg") else error).splitlines()[0]
            raise ConfigError(f"{name}.{key}: {reason}; the keys of `{name}` stand in conf/{name}/") from None
        except ConfigError as error:
            raise ConfigError(f"{name}.{error}") from None
    return Config(**checked, values=values)


def _read_seed(composed: DictConfig) -> int:
    seed = composed.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ConfigError(f"seed: {seed!r} must be a whole number from 0 to 4294967295")
    return seed


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"train": {"lr": 0.1}}` -> `{"train.lr": 0.1}`; lists stay values."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat.update(flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return flat
