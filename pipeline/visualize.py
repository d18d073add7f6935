"""Stage `visualize`, `python -m pipeline.visualize`: figures of the training, the weights, the mistakes, and the theory."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from pipeline import figures, tracking
from pipeline.characters import SIZE
from pipeline.characters.alphabet import Alphabet
from pipeline.characters.classifier import load_classifier
from pipeline.characters.dataset import Splits
from pipeline.characters.npz import load_splits
from pipeline.common import metrics, paths
from pipeline.common.arrays import load_arrays
from pipeline.common.files import md5, replacing_folder
from pipeline.common.options import Options, Range
from pipeline.config.command import command
from pipeline.config.schema import Config, Sections, TrackingConfig
from pipeline.nn import diagnostics
from pipeline.nn.layers import Layer, Relu, Sigmoid, Tanh
from pipeline.nn.network import Network, build_network
from pipeline.output import reliability


@dataclass
class VisualizeConfig(Options):
    """The size of the figures."""

    units: Annotated[int, "hidden units or filters whose weights are drawn", Range(1)]
    depth: Annotated[int, "hidden layers of the networks that show vanishing gradients", Range(1)]
    width: Annotated[int, "units in each of these layers", Range(1)]
    dpi: Annotated[int, "resolution of the figures, in dots per inch", Range(1)]


SECTIONS: Sections = {"seed": int, "visualize": VisualizeConfig, "tracking": TrackingConfig}


EXAMPLES = 8


def visualize(config: Config, output: Path) -> None:
    """Draw every figure into reports/figures/ and add them to the MLflow run of the model."""
    splits, _ = load_splits(output / paths.CHARACTERS)
    classifier = load_classifier(output / paths.MODEL)
    network = classifier.network
    with replacing_folder(output / paths.FIGURES) as folder:

        def save(name: str, figure: figures.Figure) -> None:
            figures.save(figure, folder / f"{name}.png", config.visualize.dpi)

        rows = read_history(output / paths.HISTORY)
        save("learning_curves", figures.learning_curves(rows, "Learning curves"))
        assert network.options and network.input_shape  # a loaded network has both
        initial = build_network(network.options, network.input_shape, network.classes, np.random.default_rng(classifier.seed))
        save(
            "first_layer",
            figures.weight_pictures(
                first_layer(initial)[: config.visualize.units],
                first_layer(network)[: config.visualize.units],
                "What the first layer looks for: red adds, blue subtracts",
            ),
        )
        draw_mistakes(save, splits, output, classifier.alphabet)
        draw_reading(save, output)
        draw_theory(save, config)
    with tracking.Run(config.tracking, "visualize", {"stage": "visualize"}, weights=md5(output / paths.MODEL)) as run:
        run.params({"visualize": config.values["visualize"]})
        run.artifact(output / paths.FIGURES)
    print(f"visualize: {len(list((output / paths.FIGURES).iterdir()))} figures in {output / paths.FIGURES}")


def read_history(path: Path) -> list[dict[str, float]]:
    """The epochs that `train` wrote."""
    with open(path, newline="", encoding="utf-8") as file:
        return [{key: float(value) for key, value in row.items()} | {"epoch": int(row["epoch"])} for row in csv.DictReader(file)]


def first_layer(network: Network) -> np.ndarray:
    """The weights of the first layer with parameters as pictures `(units, height, width)`."""
    weight = next(layer.params["weight"] for layer in network.layers if layer.params)
    if weight.ndim == 4:
        return weight[:, 0]  # (M, 1, K, K): one channel comes in
    return weight.T.reshape(-1, SIZE, SIZE)  # (SIZE * SIZE, M)


def draw_mistakes(save: Callable[[str, figures.Figure], None], splits: Splits, output: Path, alphabet: Alphabet) -> None:
    """Confusion matrix, most confused pairs, calibration, and accuracy by reject threshold."""
    probabilities, labels = load_arrays(output / paths.PREDICTIONS, ("probabilities", "labels")).values()
    predicted = probabilities.argmax(axis=1)
    matrix = metrics.confusion_matrix(predicted, labels, alphabet.classes)
    accuracy = metrics.accuracy(probabilities, labels)
    title = f"Confusion matrix of {len(labels):,} test characters: {accuracy:.1%} right"
    save("confusion_matrix", figures.confusion(matrix, alphabet.names, title))
    names = alphabet.names
    pairs = metrics.confused_pairs(matrix, names, 10)
    examples = [
        splits.test.images[(labels == names.index(pair["true"])) & (predicted == names.index(pair["read"]))][:EXAMPLES]
        for pair in pairs
    ]
    save("confused_pairs", figures.confused_pairs(pairs, examples, "The most confused pairs, with test glyphs"))
    save(
        "reliability",
        figures.reliability(
            probabilities.max(axis=1),
            predicted == labels,
            metrics.expected_calibration_error(probabilities, labels),
            metrics.BINS,
        ),
    )
    save("accuracy_coverage", figures.accuracy_coverage(*metrics.accuracy_coverage(probabilities, labels)))


def draw_reading(save: Callable[[str, figures.Figure], None], output: Path) -> None:
    """Whether the posteriors of the rendered pages' characters and words mean what they say, and what rejecting some buys."""
    pages = [
        (json.loads(path.read_text(encoding="utf-8")), (output / paths.PAGES / f"{path.stem}.txt").read_text(encoding="utf-8"))
        for path in sorted((output / paths.READ_PAGES).glob("*.json"))
    ]
    if not pages:  # the stage ocr has not run yet
        return
    for of, outcomes_of in (("characters", reliability.character_outcomes), ("words", reliability.word_outcomes)):
        found = reliability.join([outcomes_of(record, truth) for record, truth in pages])
        error = reliability.calibration_error(found)
        save(f"page_{of}_reliability", figures.reliability(*found, error, reliability.BINS, f"{of} of the rendered pages"))
        curve = reliability.accuracy_coverage(found)
        save(f"page_{of}_coverage", figures.accuracy_coverage(*curve, f"{of} of the rendered pages"))


def draw_theory(save: Callable[[str, figures.Figure], None], config: Config) -> None:
    """Activations and derivatives, vanishing gradients, and the effect of initialisation on the signal (docs/theory.md)."""
    save(
        "activations",
        figures.activations(
            {
                layer.__name__.lower(): (
                    lambda x, layer=layer: layer().forward(x).copy(),
                    lambda x, layer=layer: derivative(layer(), x),
                )
                for layer in (Sigmoid, Tanh, Relu)
            }
        ),
    )
    depth, width = config.visualize.depth, config.visualize.width
    save(
        "vanishing_gradients",
        figures.per_layer(
            diagnostics.gradient_sizes(depth, width, config.seed),
            "root mean square of dJ/dW",
            f"Vanishing gradients: {depth} hidden layers of {width}, right after Xavier initialisation",
        ),
    )
    save(
        "initialisation",
        figures.per_layer(
            diagnostics.activation_variances(depth, width, config.seed),
            "variance of the activations over the batch",
            f"What initialisation does to the signal: {depth} hidden tanh layers of {width}",
        ),
    )


def derivative(layer: Layer, x: np.ndarray) -> np.ndarray:
    """dy/dx of an elementwise layer at each point of x."""
    layer.forward(x)
    return layer.backward(np.ones_like(x)).copy()


if __name__ == "__main__":
    command("visualize", visualize)
