"""What is measured where the alphabet holds more than letters and digits."""

import numpy as np
import pytest

from pipeline.characters.alphabet import Alphabet
from pipeline.characters.classifier import Classifier
from pipeline.common.errors import DataError
from pipeline.evaluate import by_kind, measure_file
from pipeline.nn.network import build_network
from pipeline.nn.options import ModelOptions


def always(alphabet: Alphabet, ranked: str) -> Classifier:
    """A classifier that sees the `ranked` characters in everything, most probable first."""
    network = build_network(
        ModelOptions("mlp", [], "relu", 0, "zeros", 0, [], 5), (32, 32), alphabet.classes, np.random.default_rng(0)
    )
    for place, character in enumerate(ranked):
        network.layers[-1].params["bias"][alphabet.index(character)] = 5.0 - place
    return Classifier(network, alphabet)


def save(path, names: str | None, labels: list[int]) -> None:
    images = np.random.default_rng(0).integers(0, 255, (len(labels), 20, 20), dtype=np.uint8)
    np.savez(path, images=images, labels=np.array(labels), **({"characters": np.array(names)} if names else {}))


def test_a_file_is_measured_among_its_own_characters(tmp_path):
    classifier = always(Alphabet("AB1!", nothing=True), "!A")
    save(tmp_path / "own.npz", "ABZ", [0, 0, 0, 1, 2])
    measured = measure_file(classifier, tmp_path / "own.npz")
    assert (measured["accuracy"], measured["accuracy_unrestricted"]) == pytest.approx((0.6, 0.0))
    assert (measured["n"], measured["unknown"]) == (5, 1)
    save(tmp_path / "usual.npz", None, [10, 10, 1])  # its labels are those of 0-9A-Z
    assert measure_file(classifier, tmp_path / "usual.npz")["accuracy"] == pytest.approx(2 / 3)
    save(tmp_path / "foreign.npz", "xyz", [0, 1, 2])
    with pytest.raises(DataError, match="foreign.npz: the model reads none of its characters"):
        measure_file(classifier, tmp_path / "foreign.npz")


def test_characters_and_signs_are_measured_apart():
    alphabet = Alphabet("AB-_", nothing=True)
    labels, predicted = np.array([0, 1, 2, 3, 4, 4]), np.array([0, 0, 2, 2, 4, 0])
    assert by_kind(predicted, labels, alphabet) == {
        "test/accuracy_characters": 0.5,
        "test/accuracy_signs": 0.5,
        "test/accuracy_signs_alike": 1.0,  # a dash and an underscore differ in their place alone
        "test/accuracy_nothing": 0.5,
    }
    assert not by_kind(predicted[:2], labels[:2], Alphabet("AB", nothing=False))
