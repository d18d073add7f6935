"""A classifier: a network and the alphabet of its outputs, in one file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.characters import SIZE
from pipeline.characters.alphabet import Alphabet, from_description
from pipeline.common.errors import DataError
from pipeline.nn.network import Network, load_network


@dataclass(frozen=True)
class Classifier:
    """A network that reads characters in normal form.

    Attributes:
        network: the network.
        alphabet: of its outputs.
        seed: of its training.
    """

    network: Network
    alphabet: Alphabet
    seed: int = 0

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Probabilities (N, K) of images (N, SIZE, SIZE) uint8 in normal form; K is `alphabet.classes`."""
        return self.network.predict(images)


def load_classifier(path: Path) -> Classifier:
    """The network and alphabet that training stored.

    Raises:
        DataError: the file is missing, damaged, or its network does not read characters.
    """
    network, extra = load_network(path)
    alphabet = from_description(extra.get("alphabet"), str(path))
    if network.classes != alphabet.classes or network.input_shape != (SIZE, SIZE):
        raise DataError(
            f"{path}: its network has {network.classes} outputs of {network.input_shape} and its alphabet {alphabet.classes} "
            f"classes of {(SIZE, SIZE)}; train again"
        )
    return Classifier(network, alphabet, int(extra.get("seed", 0)))
