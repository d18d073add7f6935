"""Line model: the weights of the lattice and the statistics that they weigh, as the stage `lattice` fits them."""

from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from pipeline.common.arrays import load_arrays, save_arrays
from pipeline.common.errors import DataError
from pipeline.nn.network import network_arrays
from pipeline.reading.geometry import Geometry
from pipeline.reading.kinds import KINDS, Kinds
from pipeline.seeing.word_kinds import FEATURES, WordModel, word_network_of


@dataclass(frozen=True)
class Weights:
    """Gains of a path through the lattice of a line, in nats for each unit of a feature; a fit starts from the defaults.

    Attributes:
        shape: of the classifier's log-probability (the inverse of a temperature).
        width, level: of the log-likelihoods of a character's width, and of its top and bottom, against those of any ink.
        character: for each character.
        joined, apart, beside: for each piece of ink joined to another in a character, for each letter height between
            them, and where they stand side by side.
        cut, crossed, touching: for each cut through ink, for each pen width it crosses, and for each nat of log-odds
            that neighbours on this page touch.
        skip, skip_size, skip_nothing: for each piece of ink that is left out, for each letter height of it, and of the
            classifier's log-probability that it is no character.
        gap: of the log-probability that a gap parts words, or that it does not.
        space: for each word gap.
        language: of the language model's gain.
    """

    shape: float = 0.8
    width: float = 0.55
    level: float = 0.15
    character: float = -0.8
    joined: float = 7.5
    apart: float = -8.8
    beside: float = -6.5
    cut: float = 5.3
    crossed: float = -0.1
    touching: float = 2.9
    skip: float = -2.3
    skip_size: float = -1.6
    skip_nothing: float = 0.15
    gap: float = 0.8
    space: float = -0.7
    language: float = 0.8

    def array(self) -> np.ndarray:
        """(F,) in the order of the fields."""
        return np.array(astuple(self))


NEVER_GAINS = {"apart", "beside", "crossed", "skip_size"}
"""Features with weights of at most 0: more of them never makes a reading more likely."""
DOT = "."
NETWORK = "network/"  # begins the names of its arrays in the file
NAMES = tuple(field.name for field in fields(Weights))


@dataclass
class LineModel:
    """Everything fitted that is needed to read a line.

    Attributes:
        characters: that the classifier tells apart, in the order of its outputs; see `line_characters`.
        weights: of the lattice's features.
        geometry: sizes and places of the characters.
        kinds: of tokens, for the language model.
        words: tells writing, print and neither.
    """

    characters: str
    weights: Weights
    geometry: Geometry
    kinds: Kinds
    words: WordModel


def line_characters(characters: str) -> str:
    """The characters of a line: those of the classifier, and the full stop, which its size tells if the classifier lacks it."""
    return characters if DOT in characters else characters + DOT


def save_line_model(path: Path, model: LineModel) -> None:
    """Write the model; the same values give the same bytes."""
    geometry, words = model.geometry, model.words
    save_arrays(
        path,
        {
            "characters": np.array(model.characters),
            "weights": model.weights.array(),
            "means": geometry.means,
            "covariances": geometry.covariances,
            "odd": geometry.odd,
            "words": words.weights,
            **{NETWORK + name: array for name, array in network_arrays(words.network, {}).items()},
            **model.kinds.arrays(),
        },
    )


def _shapes(characters: int) -> dict[str, tuple[int, ...]]:
    """The shapes of the arrays of numbers in the file."""
    return {
        "weights": (len(NAMES),),
        "means": (characters + 1, 3),
        "covariances": (characters + 1, 3, 3),
        "odd": (2,),
        "words": (2, len(FEATURES) + 1),
        "follow": (len(KINDS) + 1, len(KINDS)),
        "trust": (),
    }


def load_line_model(path: Path) -> LineModel:
    """Read the model.

    Raises:
        DataError: the file is missing, damaged, or not a line model.
    """
    if not Path(path).exists():
        raise DataError(f"{path}: no line model; make it with `dvc repro lattice`, or fetch it with `dvc pull`")
    kinds = [f"{kind}_{part}" for kind in KINDS for part in ("shapes", "counts")]
    arrays = load_arrays(path)
    whole = {"characters", *_shapes(0), *kinds} <= set(arrays)
    shapes = _shapes(len(str(arrays["characters"]))) if whole else {}
    if not whole or not all(arrays[key].shape == shape and np.isfinite(arrays[key]).all() for key, shape in shapes.items()):
        raise DataError(f"{path}: not a line model of this version; make it again with `dvc repro lattice`")
    inner = {name.removeprefix(NETWORK): array for name, array in arrays.items() if name.startswith(NETWORK)}
    words = WordModel(word_network_of(inner, path), arrays["words"])
    geometry = Geometry(arrays["means"], arrays["covariances"], arrays["odd"])
    weights = Weights(*(float(weight) for weight in arrays["weights"]))
    return LineModel(str(arrays["characters"]), weights, geometry, Kinds.of_arrays(arrays), words)
