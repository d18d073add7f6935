"""Stage `evaluate`, `python -m pipeline.evaluate`: measure the model on characters that it has not seen.

With `evaluate.on=FILE.npz` it measures the model on any other data and prints one JSON line, writing nothing.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from pipeline import tracking
from pipeline.characters.alphabet import Alphabet, from_description
from pipeline.characters.classifier import Classifier, load_classifier
from pipeline.characters.dataset import relabel
from pipeline.characters.normalise import normalise_all
from pipeline.characters.npz import load_splits, read_npz
from pipeline.common import metrics, paths
from pipeline.common.arrays import save_arrays
from pipeline.common.errors import DataError
from pipeline.common.files import md5, write_json, write_table
from pipeline.common.options import Options, Range
from pipeline.config.command import command
from pipeline.config.schema import Config, Sections, TrackingConfig


@dataclass
class EvaluateConfig(Options):
    """What is measured."""

    model: Annotated[str | None, "weights to measure; null: those that `train` wrote"]
    on: Annotated[str | None, "FILE.npz with the arrays `images` and `labels`: measure on it and print JSON; null: test split"]
    confused_pairs: Annotated[int, "how many of the most frequent mistakes to list", Range(0)]


SECTIONS: Sections = {"evaluate": EvaluateConfig, "tracking": TrackingConfig}


def evaluate(config: Config, output: Path) -> None:
    """Measure the model on the test split, or on the file `config.evaluate.on` names."""
    model = Path(config.evaluate.model or output / paths.MODEL)
    classifier = load_classifier(model)
    alphabet = classifier.alphabet
    if config.evaluate.on:
        print(json.dumps(measure_file(classifier, Path(config.evaluate.on))))
        return
    splits, meta = load_splits(output / paths.CHARACTERS)
    prepared = from_description(meta["alphabet"], str(paths.CHARACTERS))
    alphabet.require(prepared, str(model), str(paths.CHARACTERS))
    test = splits.test
    probabilities = classifier.predict(test.images)
    predicted = probabilities.argmax(axis=1)
    confusion = metrics.confusion_matrix(predicted, test.labels, alphabet.classes)
    result = {
        "test/accuracy": metrics.accuracy(probabilities, test.labels),
        **by_kind(predicted, test.labels, alphabet),
        "test/loss": metrics.cross_entropy(probabilities, test.labels),
        "test/top3_accuracy": metrics.top_k_accuracy(probabilities, test.labels, 3),
        "test/calibration_error": metrics.expected_calibration_error(probabilities, test.labels),
    }
    write_json(output / paths.TEST_METRICS, result)
    write_table(output / paths.CLASS_REPORT, metrics.per_class(confusion, alphabet.names))
    pairs = metrics.confused_pairs(confusion, alphabet.names, config.evaluate.confused_pairs)
    write_table(output / paths.PAIRS, pairs, columns=("true", "read", "count"))
    write_table(
        output / paths.CONFUSION,
        [{"written": alphabet.names[t], "read": alphabet.names[p]} for t, p in zip(test.labels, predicted)],
    )
    save_arrays(output / paths.PREDICTIONS, {"probabilities": probabilities, "labels": test.labels}, compress=False)
    with tracking.Run(config.tracking, "evaluate", {"stage": "evaluate"}, weights=md5(model)) as run:
        run.params({"evaluate": config.values["evaluate"]})
        run.metrics(result)
        for file in (paths.CLASS_REPORT, paths.PAIRS, paths.CONFUSION):
            run.artifact(output / file, "tables")
    print(f"evaluate: test accuracy {result['test/accuracy']:.4f}, calibration error {result['test/calibration_error']:.4f}")


def by_kind(predicted: np.ndarray, labels: np.ndarray, alphabet: Alphabet) -> dict[str, float]:
    """Accuracy of letters and digits, of signs, and of the class `nothing`, if the alphabet has more than letters and digits.

    In `signs_alike`, a sign is also right if it is read as one of the same shape, which differs only in size and place in the
    line.
    """
    groups = {"characters": ("digit", "capital", "lower"), "signs": ("sign",), "nothing": ("nothing",)}
    rows = {name: np.isin(alphabet.kinds[labels], kinds) for name, kinds in groups.items()}
    if not (rows["signs"] | rows["nothing"]).any():
        return {}
    right = predicted == labels
    result = {f"test/accuracy_{name}": float(right[own].mean()) for name, own in rows.items() if own.any()}
    if rows["signs"].any():
        result["test/accuracy_signs_alike"] = float(alphabet.alike[labels, predicted][rows["signs"]].mean())
    return result


def measure_file(classifier: Classifier, path: Path) -> dict[str, float]:
    """Measure the classifier on the characters of a user's file.

    An answer is the most probable of the characters that the file names; for `accuracy_unrestricted`, of all classes.
    """
    written, names = read_npz(path)
    alphabet = classifier.alphabet
    known = relabel(written, names, alphabet.characters)
    if not len(known):
        raise DataError(f"{path}: the model reads none of its characters; train with an alphabet= that holds them")
    probabilities = classifier.predict(normalise_all(known.images))
    allowed = np.array([character in names for character in alphabet.names])
    restricted = np.where(allowed, probabilities, 0)
    restricted = restricted / restricted.sum(axis=1, keepdims=True)
    right = metrics.accuracy(restricted, known.labels) * len(known)
    return {
        "accuracy": right / len(written),
        "accuracy_unrestricted": metrics.accuracy(probabilities, known.labels) * len(known) / len(written),
        "loss": metrics.cross_entropy(restricted, known.labels),
        "n": len(written),
        "unknown": len(written) - len(known),
    }


if __name__ == "__main__":
    command("evaluate", evaluate)
