"""Stage `ink`, `python -m pipeline.ink`: learn what a pixel of a page shows: paper, written or printed ink, a line, clutter.

The network learns from rendered crops, whose masks are exact. Every epoch renders new ones. Writes the weights, the history,
the metrics and a figure; makes one MLflow run. An interrupted training continues from its checkpoint.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import yaml
from joblib import Parallel, delayed
from tqdm import tqdm

from pipeline import tracking
from pipeline.common import paths
from pipeline.common.errors import ConfigError
from pipeline.common.files import md5, write_json, write_table
from pipeline.common.options import Options, Range
from pipeline.common.pixels import CLUTTER, KINDS, PAPER
from pipeline.config.command import command
from pipeline.config.schema import Config, Sections, TrackingConfig
from pipeline.nn.checkpoint import load_checkpoint, save_checkpoint
from pipeline.nn.optimizers import Adam
from pipeline.nn.pixel_training import predict_pixels, train_pixels
from pipeline.nn.unet import UNet, UNetOptions, build_unet, save_unet
from pipeline.synthesis.crops import make_crop
from pipeline.synthesis.stroke_library import StrokeLibrary, load_library

TRAIN, VALID = 0, 1  # streams of random numbers


@dataclass
class InkConfig(Options):
    """How the network learns what a pixel shows."""

    library: Annotated[str, "stroke library that the crops are written with"]
    widths: Annotated[list[int], "channels of the network at 1/2, 1/4, ... of the size of the picture", Range(1)]
    epochs: Annotated[int, "each renders new crops", Range(0)]
    crops: Annotated[int, "rendered in each epoch", Range(1)]
    passes: Annotated[int, "over the crops of an epoch", Range(1)]
    valid_crops: Annotated[int, "by hands of the validation split; the metrics are measured on them", Range(1)]
    size: Annotated[int, "side of a crop, in pixels", Range(64)]
    batch_size: Annotated[int, "crops of a step", Range(2)]
    lr: Annotated[float, "learning rate of Adam at its highest", Range(above=0)]
    ground_weight: Annotated[float, "weight in the loss of a pixel of paper or clutter; ink and lines have 1", Range(above=0)]
    workers: Annotated[int, "processes that render; the result does not depend on it", Range(1)]
    resume: Annotated[bool, "continue from the checkpoint of an interrupted training of the same configuration"]

    def __post_init__(self) -> None:
        super().__post_init__()
        UNetOptions(self.widths, len(KINDS))
        if self.crops < self.batch_size:
            raise ConfigError(f"batch_size: {self.batch_size} must be from 2 to crops, {self.crops}")
        if self.size % 2 ** len(self.widths):
            raise ConfigError(f"size: {self.size} must be divisible by {2 ** len(self.widths)}")


SECTIONS: Sections = {"seed": int, "ink": InkConfig, "tracking": TrackingConfig}


def ink(config: Config, output: Path) -> float:
    """Train the network of `config.ink`; return the mean intersection over union of its classes on validation crops."""
    options = config.ink
    library = load_library(Path(options.library))
    network = build_unet(UNetOptions(options.widths, len(KINDS)), np.random.default_rng(config.seed))
    with tracking.Run(config.tracking, f"ink-{'-'.join(map(str, options.widths))}", {"stage": "ink"}) as run:
        run.params(config.values)
        run.text("config.yaml", yaml.safe_dump(config.values, sort_keys=False))
        valid = render(library, "valid", options, options.valid_crops, (config.seed, VALID))
        history = learn(network, library, valid, config, output / paths.INK_CHECKPOINT, run)
        undo_weights(network, pixel_weights(options))
        save_unet(output / paths.INK, network, {"seed": config.seed})
        result = measure(network, *valid, options.batch_size)
        write_table(output / paths.INK_HISTORY, history)
        write_json(output / paths.INK_METRICS, result)
        run.metrics({f"best/{key}": value for key, value in result.items()})
        run.tags({"weights": md5(output / paths.INK)})
        run.artifact(output / paths.INK)
        run.artifact(output / paths.INK_HISTORY)
    (output / paths.INK_CHECKPOINT).unlink(missing_ok=True)
    print("ink: " + ", ".join(f"{key} {value:.4f}" for key, value in result.items()))
    return result["valid/iou"]


def learn(
    network: UNet,
    library: StrokeLibrary,
    valid: tuple[np.ndarray, np.ndarray],
    config: Config,
    checkpoint: Path,
    run: tracking.Run,
) -> list[dict[str, float]]:
    """Train for the epochs that are left to do; returns the metrics of all epochs."""
    options = config.ink
    adam = Adam(network.weights, None)
    weights = pixel_weights(options)
    state = {"weights": network.weights, **{f"adam/{key}": array for key, array in adam.state.items()}}
    if not options.resume:
        checkpoint.unlink(missing_ok=True)
    values = {**config.values["ink"], "resume": None, "library": md5(Path(options.library))}  # not where it lies
    configuration = {"ink": values, "seed": config.seed}
    stored = load_checkpoint(checkpoint, configuration, state)
    history = list(stored["epochs"]) if stored else []
    for record in history:
        run.metrics({key: value for key, value in record.items() if key != "epoch"}, step=int(record["epoch"]))
    for epoch in tqdm(
        range(len(history), options.epochs), desc="ink", unit="epoch", disable=not sys.stderr.isatty(), leave=False
    ):
        images, kinds = render(library, "train", options, options.crops, (config.seed, TRAIN, epoch))
        steps = options.crops // options.batch_size
        losses = []
        for turn in range(options.passes):
            first = (epoch * options.passes + turn) * steps
            rates = options.lr * schedule(first + np.arange(steps), options.epochs * options.passes * steps)
            rng = np.random.default_rng([config.seed, TRAIN, epoch, turn, options.crops])
            losses.append(train_pixels(network, adam, images, kinds, rates, options.batch_size, weights, rng))
        record = {"epoch": epoch + 1, "train/loss": losses[-1], **measure(network, *valid, options.batch_size)}
        history.append(record)
        save_checkpoint(checkpoint, configuration, {"epochs": history}, state)
        run.metrics({key: value for key, value in record.items() if key != "epoch"}, step=epoch + 1)
        print(f"ink: epoch {epoch + 1}/{options.epochs}  loss {losses[-1]:.4f}  IoU {record['valid/iou']:.4f}", flush=True)
    return history


def pixel_weights(options: InkConfig) -> np.ndarray:
    """(K,) float32, weight in the loss of a pixel of each kind."""
    return np.array([options.ground_weight if kind in (PAPER, CLUTTER) else 1.0 for kind in range(len(KINDS))], np.float32)


def undo_weights(network: UNet, weights: np.ndarray) -> None:
    """Undo the weights of the loss, so that the outputs are the probabilities of the pixels.

    Learnt with weights w, softmax(z) is proportional to w_k P(k): z_k - log w_k gives P(k). The last layer gives the logits of
    four pixels, one after another.
    """
    network.head.params["bias"].reshape(-1, len(weights))[:] -= np.log(weights)


def schedule(steps: np.ndarray, total: int) -> np.ndarray:
    """Share of the learning rate at each step: it rises over the first twentieth, then follows half a cosine down to 0."""
    progress = steps / total
    return np.minimum(1.0, progress / 0.05) * (1 + np.cos(np.pi * progress)) / 2


def render(
    library: StrokeLibrary, split: str, options: InkConfig, count: int, key: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """`count` crops: contrast and kinds, each (count, size, size) uint8. The process that draws one does not matter."""
    chunks = np.array_split(np.arange(count), max(1, count // 100))
    made = Parallel(n_jobs=options.workers)(
        delayed(_render)(library, split, options.size, key, chunk.tolist()) for chunk in chunks
    )
    return np.concatenate([images for images, _ in made]), np.concatenate([kinds for _, kinds in made])


def _render(
    library: StrokeLibrary, split: str, size: int, key: tuple[int, ...], numbers: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    crops = [make_crop(library, split, size, np.random.default_rng([*key, number])) for number in numbers]
    return np.stack([image for image, _ in crops]), np.stack([kinds for _, kinds in crops])


def measure(network: UNet, images: np.ndarray, kinds: np.ndarray, batch_size: int) -> dict[str, float]:
    """Intersection over union of every class, over all pixels of the crops, and the mean over the classes."""
    confusion = np.zeros((len(KINDS), len(KINDS)), np.int64)
    for found, truth in zip(predict_pixels(network, images, batch_size), kinds):
        confusion += np.bincount(truth.ravel().astype(np.intp) * len(KINDS) + found.ravel(), minlength=confusion.size).reshape(
            confusion.shape
        )
    both = np.diag(confusion)
    shares = both / np.maximum(confusion.sum(0) + confusion.sum(1) - both, 1)
    return {"valid/iou": float(shares.mean()), **{f"valid/iou_{kind}": float(share) for kind, share in zip(KINDS, shares)}}


if __name__ == "__main__":
    command("ink", ink)
