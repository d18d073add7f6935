"""Stage 3, `python -m pipeline.evaluate`: how good the model is on characters it has never seen.

With `evaluate.on=FILE.npz` it measures the model on any other data and prints one JSON line, writing nothing.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from pipeline import tracking
from pipeline.characters import CLASSES
from pipeline.characters.dataset import load_splits, read_npz
from pipeline.characters.normalise import normalise_all
from pipeline.common import metrics, paths
from pipeline.common.arrays import save_arrays
from pipeline.common.files import md5, write_json, write_table
from pipeline.config.command import command
from pipeline.config.schema import Config, Sections, TrackingConfig
from pipeline.nn.network import load_network


@dataclass
class EvaluateConfig:
    """Attributes: model, data: what to measure on what; on: any other `.npz`, measured to standard output only."""

    model: str | None
    on: str | None
    confused_pairs: int


SECTIONS: Sections = {"evaluate": EvaluateConfig, "tracking": TrackingConfig}


def evaluate(config: Config, output: Path) -> None:
    """Measure the model on the test split, or on the file `config.evaluate.on` names."""
    model = Path(config.evaluate.model or output / paths.MODEL)
    network, _ = load_network(model)
    if config.evaluate.on:
        images, labels = read_npz(Path(config.evaluate.on))
        probabilities = network.predict(normalise_all(images))
        print(
            json.dumps(
                {
                    "accuracy": metrics.accuracy(probabilities, labels),
                    "loss": metrics.cross_entropy(probabilities, labels),
                    "n": len(labels),
                }
            )
        )
        return
    splits, _ = load_splits(output / paths.CHARACTERS)
    test = splits.test
    probabilities = network.predict(test.images)
    confusion = metrics.confusion_matrix(probabilities.argmax(axis=1), test.labels)
    result = {
        "test/accuracy": metrics.accuracy(probabilities, test.labels),
        "test/loss": metrics.cross_entropy(probabilities, test.labels),
        "test/top3_accuracy": metrics.top_k_accuracy(probabilities, test.labels, 3),
        "test/calibration_error": metrics.expected_calibration_error(probabilities, test.labels),
    }
    write_json(output / paths.TEST_METRICS, result)
    write_table(output / paths.CLASS_REPORT, metrics.per_class(confusion))
    write_table(
        output / paths.PAIRS, metrics.confused_pairs(confusion, config.evaluate.confused_pairs), columns=("true", "read", "count")
    )
    write_table(
        output / paths.CONFUSION,
        [{"written": CLASSES[t], "read": CLASSES[p]} for t, p in zip(test.labels, probabilities.argmax(axis=1))],
    )
    save_arrays(output / paths.PREDICTIONS, {"probabilities": probabilities, "labels": test.labels}, compress=False)
    with tracking.Run(config.tracking, "evaluate", {"stage": "evaluate"}, weights=md5(model)) as run:
        run.params({"evaluate": config.values["evaluate"]})
        run.metrics(result)
        for file in (paths.CLASS_REPORT, paths.PAIRS, paths.CONFUSION):
            run.artifact(output / file, "tables")
    print(f"evaluate: test accuracy {result['test/accuracy']:.4f}, calibration error {result['test/calibration_error']:.4f}")


if __name__ == "__main__":
    command("evaluate", evaluate)
