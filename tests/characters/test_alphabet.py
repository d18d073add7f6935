import numpy as np
import pytest

from pipeline.characters.alphabet import ALPHANUMERIC, SIGNS, Alphabet, from_description
from pipeline.characters.classifier import load_classifier
from pipeline.common.errors import ConfigError, DataError
from pipeline.nn.network import build_network, save_network
from pipeline.nn.options import ModelOptions

HANDPRINT = Alphabet(ALPHANUMERIC + SIGNS, nothing=True)


def test_what_is_known_of_the_classes():
    assert (len(HANDPRINT), HANDPRINT.classes, HANDPRINT.index("A")) == (58, 59, 10)
    assert HANDPRINT.names[-1] == "(none)" and len(HANDPRINT.names) == 59
    assert HANDPRINT.kinds[[0, 10, 36, 58]].tolist() == ["digit", "capital", "sign", "nothing"]
    assert HANDPRINT.alike[HANDPRINT.index("0"), HANDPRINT.index("O")] and not HANDPRINT.alike[0, 1]
    assert HANDPRINT.alike.diagonal().all() and (HANDPRINT.alike == HANDPRINT.alike.T).all()


@pytest.mark.parametrize("characters", ["A", "AA", "A B", "A\n", "".join(map(chr, range(0x4E00, 0x4E00 + 300)))])
def test_what_is_no_alphabet(characters):
    with pytest.raises(ConfigError, match="characters"):
        Alphabet(characters, nothing=False)


def test_files_of_different_alphabets_do_not_fit():
    with pytest.raises(DataError, match="model.npz has !.* that data.npz lacks, data.npz has a that"):
        Alphabet("AB!", False).require(Alphabet("ABa", False), "model.npz", "data.npz")
    Alphabet("AB", True).require(from_description({"characters": "AB", "nothing": True}, "x"), "a", "b")


@pytest.mark.parametrize("alphabet", [None, {}, {"characters": "AB"}, {"characters": 3, "nothing": True}, HANDPRINT.described()])
def test_weights_that_do_not_say_what_they_read(alphabet, tmp_path):
    network = build_network(ModelOptions("mlp", [], "relu", 0, "zeros", 0, [], 5), (32, 32), 36, np.random.default_rng(0))
    save_network(tmp_path / "a.npz", network, {"alphabet": alphabet})
    with pytest.raises(DataError, match="a.npz") as error:
        load_classifier(tmp_path / "a.npz")
    assert "\n" not in str(error.value)
