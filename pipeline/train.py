"""Stage `train`, `python -m pipeline.train`: learn the network from the prepared characters.

Writes the best weights by validation accuracy, the history of the epochs and the metrics; makes one MLflow run. An
interrupted training goes on from its checkpoint.
"""

import hashlib
import json
import os
import shlex
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import yaml
from hydra.core.hydra_config import HydraConfig
from tqdm import tqdm

from pipeline import sweep, tracking
from pipeline.characters import SIZE
from pipeline.characters.alphabet import Alphabet
from pipeline.characters.augment import augment
from pipeline.characters.dataset import Splits
from pipeline.characters.options import AugmentOptions
from pipeline.common import metrics, paths
from pipeline.common.errors import DataError, UserError
from pipeline.common.files import md5, write_json, write_table
from pipeline.config.command import command
from pipeline.config.effect import effective
from pipeline.config.schema import Config, Sections, TrackingConfig
from pipeline.nn.gradient_check import TOLERANCE, check_network
from pipeline.nn.history import EpochRecord, History
from pipeline.nn.network import Network, build_network, load_network, save_network
from pipeline.nn.options import ModelOptions, TrainOptions
from pipeline.nn.training import fit
from pipeline.prepare import DataConfig, described, prepared, stream
from pipeline.synthesis.options import StrokesOptions


@dataclass
class TrainConfig(TrainOptions):
    """The network's own `TrainOptions`, and the options of the stage."""

    initial: Annotated[str | None, "weights to start from in layers whose shape fits, such as models/model.npz; null: at random"]
    resume: Annotated[bool, "continue from the checkpoint of an interrupted training of the same configuration"]
    check_gradients: Annotated[bool, "compare every gradient with central differences instead of training"]


SECTIONS: Sections = {
    "seed": int,
    "alphabet": Alphabet,
    "data": DataConfig,
    "strokes": StrokesOptions,
    "model": ModelOptions,
    "augment": AugmentOptions,
    "train": TrainConfig,
    "tracking": TrackingConfig,
}


def train(config: Config, output: Path) -> float:
    """Train the network of `config.model`; return its best validation accuracy."""
    if config.train.check_gradients:
        return report_gradients(config)
    job, mark = sweep.Job.of(output), fingerprint(config)
    if job and (earlier := job.finished_before(mark)) is not None:
        return earlier
    splits, source = prepared(config, output)
    checkpoint = job.checkpoint(mark) if job else output / paths.CHECKPOINT
    tags = {
        "stage": "train",
        "seed": str(config.seed),
        "fingerprint": mark,
        "folder": os.path.relpath(output, paths.STORE_ROOT),  # found again where the whole project was moved to
        "mlflow.note.content": description(config),
    }
    with (
        job.start(run_name(config), tags)
        if job
        else tracking.Run(config.tracking, os.environ.get("DVC_EXP_NAME") or f"{config.model.name}-{run_name(config)}", tags)
    ) as run:
        started = time.perf_counter()
        run.params(config.values)
        run.text("config.yaml", yaml.safe_dump(config.values, sort_keys=False))
        run.dataset("+".join(config.data.sources), md5(source), source, {"train": len(splits.train), "fresh": config.data.fresh})
        network = build_network(config.model, (SIZE, SIZE), config.alphabet.classes, np.random.default_rng(config.seed))
        if config.train.initial:
            start_from(network, Path(config.train.initial))
        history = learn(network, splits, config, checkpoint, run, job)
        calibrate(network, splits)
        result = best_metrics(history)
        save_network(output / paths.MODEL, network, extra={"seed": config.seed, "alphabet": config.alphabet.described()})
        write_table(output / paths.HISTORY, [record.row_without_time() for record in history.records])
        write_json(output / paths.TRAIN_METRICS, result)
        run.metrics({f"best/{key}": value for key, value in result.items() if key.startswith("valid/")})
        run.metrics({"kept_epoch": result["best_epoch"]})
        run.tags(
            {
                "weights": md5(output / paths.MODEL),
                "data.prepared": md5(source),
                "seconds": round(time.perf_counter() - started, 1),
            }
        )
        run.artifact(output / paths.HISTORY)
        if not job:  # the model of a job is logged if it turns out to be the best
            run.model(output / paths.MODEL)
        if history.interrupted:
            print(
                f"train: interrupted after epoch {len(history.records)} of {config.train.epochs}; the best weights so far "
                "are saved. The same command goes on where it stopped",
                file=sys.stderr,
            )
            raise KeyboardInterrupt("interrupted")
    checkpoint.unlink(missing_ok=True)
    if not job:
        print(
            f"train: validation accuracy {result['valid/accuracy']:.4f} at epoch {history.best_epoch} of {len(history.records)}"
        )
    return result["valid/accuracy"]


def learn(
    network: Network, splits: Splits, config: Config, checkpoint: Path, run: tracking.Run, job: sweep.Job | None
) -> History:
    """Fit the network, reporting every epoch to the run, and to the terminal or the sweep."""
    if not config.train.resume:
        checkpoint.unlink(missing_ok=True)
    if checkpoint.exists() and not job:
        print(f"train: going on from {checkpoint}")
    with tqdm(
        total=config.train.epochs, desc="train", unit="epoch", leave=False, disable=job is not None or not sys.stderr.isatty()
    ) as bar:

        def report(record: EpochRecord) -> None:
            row = {"valid/accuracy": record.valid_accuracy, **record.row()}  # the first one recorded is what MLflow compares by
            run.metrics({key: value for key, value in row.items() if key != "epoch"}, step=record.epoch)
            if job:
                job.epoch(record, run)
                return
            bar.set_postfix(valid=f"{record.valid_accuracy:.4f}", loss=f"{record.train_loss:.3f}", refresh=False)
            bar.update()
            if bar.disable and (record.epoch == 1 or record.epoch % max(1, config.train.epochs // 10) == 0):
                print(
                    f"train: epoch {record.epoch}/{config.train.epochs}  loss {record.train_loss:.3f}  "
                    f"validation accuracy {record.valid_accuracy:.4f}  {record.seconds:.1f} s",
                    flush=True,
                )

        train = stream(config) if config.data.fresh else (splits.train.images, splits.train.labels)
        distort = partial(augment, options=config.augment) if any(config.values["augment"].values()) else None
        context = {"augment": config.values["augment"], "initial": initial_version(config), "data": described(config)}
        return fit(
            network,
            train,
            (splits.valid.images, splits.valid.labels),
            config.train,
            config.seed,
            augment=distort,
            on_epoch=report,
            checkpoint=checkpoint,
            context=context,
        )


def start_from(network: Network, path: Path) -> None:
    """Copy the stored weights of each layer whose shape fits, from the input on; the other layers do not change."""
    stored, _ = load_network(path)
    taken = 0
    ours, theirs = ([layer for layer in net.layers if layer.params] for net in (network, stored))
    for mine, other in zip(ours, theirs):
        if all(values.shape == other.params[key].shape for key, values in mine.params.items()):
            for key, values in mine.params.items():
                values[:] = other.params[key]
            taken += 1
    print(f"train: {taken} of {len(ours)} layers start from {path}" + ("" if taken else "; train.initial=null starts afresh"))


def calibrate(network: Network, splits: Splits) -> None:
    """Fit a temperature on the validation split, so that confidence means accuracy, and build it into the last layer."""
    if len(splits.valid):
        temperature = metrics.fit_temperature(network.logits(splits.valid.images), splits.valid.labels)
        for values in network.layers[-1].params.values():
            values /= temperature


def best_metrics(history: History) -> dict[str, float]:
    """The metrics of the best epoch, whose weights are kept."""
    if not history.records:
        return {"best_epoch": 0, "valid/accuracy": 0.0}
    best = history.records[history.best_epoch - 1].row()
    return {
        "best_epoch": history.best_epoch,
        **{key: best[key] for key in ("train/loss", "train/accuracy", "valid/loss", "valid/accuracy")},
    }


def run_name(config: Config) -> str:
    """A short name of the run by its main values: `lr0.05-b64-h128-s1`."""
    hidden = "x".join(map(str, config.model.hidden)) or "0"
    return f"lr{config.train.lr:.4g}-b{config.train.batch_size}-h{hidden}-s{config.seed}"


def fingerprint(config: Config) -> str:
    """A digest of everything that the result of a training depends on, configuration and data."""
    own = ("initial", "resume", "check_gradients")  # the weights themselves count, not where they lie
    values = effective({key: value for key, value in config.values.items() if key != "tracking"})
    values["train"] = {key: value for key, value in values["train"].items() if key not in own}
    whole = {**values, **described(config), "initial": initial_version(config)}
    return hashlib.md5(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def initial_version(config: Config) -> str | None:
    """md5 of the weights that training starts from, if any: the result depends on them."""
    if not config.train.initial:
        return None
    if not Path(config.train.initial).exists():
        raise DataError(f"{config.train.initial}: no such file; run `dvc pull data.dvc`, or start afresh with train.initial=null")
    return md5(Path(config.train.initial))


def description(config: Config) -> str:
    """One line that describes the run and the command that reproduces it."""
    size = "-".join(map(str, (SIZE * SIZE, *config.model.channels, *config.model.hidden, config.alphabet.classes)))
    if experiment := os.environ.get("DVC_EXP_NAME"):  # `dvc repro` alone would reproduce what conf/ says, not the experiment
        command = f"dvc exp apply {experiment} && dvc repro"
    elif os.environ.get("DVC_STAGE"):
        command = "dvc repro"
    else:
        command = shlex.join(
            ["python", "-m", "pipeline.train", *(HydraConfig.get().overrides.task if HydraConfig.initialized() else ())]
        )
    return (
        f"{config.model.name.upper()} {size} on {'+'.join(config.data.sources)}, {config.train.optimizer}, "
        f"{config.train.epochs} epochs, seed {config.seed}. Reproduce it: `{command}`"
    )


def report_gradients(config: Config) -> float:
    """Check the configured network's gradients in float64; return the largest relative error.

    Raises:
        UserError: a gradient that disagrees with its central differences.
    """
    errors = check_network(config.model, (SIZE, SIZE), config.alphabet.classes, config.seed)
    for name, error in errors.items():
        print(f"train: gradient of {name}: relative error {error:.1e} against central differences")
    worst = max(errors, key=lambda name: errors[name])
    if errors[worst] >= TOLERANCE:
        raise UserError(f"train.check_gradients: the gradient of {worst} is wrong: it should agree to {TOLERANCE:g}")
    return errors[worst]


if __name__ == "__main__":
    command("train", train)
