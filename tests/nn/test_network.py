import json
import zipfile
from dataclasses import asdict, replace

import numpy as np
import pytest

from pipeline.common.arrays import save_arrays
from pipeline.common.errors import ConfigError, DataError
from pipeline.nn.layers import Dropout
from pipeline.nn.network import build_network, load_network, save_network, to_input

from .helpers import CNN, MLP, characters, network


@pytest.mark.parametrize("options", [MLP, replace(MLP, hidden=[]), CNN, replace(CNN, channels=[3], kernel=2)])
def test_probabilities(options):
    images, _ = characters(70)
    p = network(options).predict(images)
    assert p.shape == (70, 36) and p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(network(options).predict(to_input(images)), p)
    np.testing.assert_allclose(network(options).predict(images[5:9]), p[5:9], rtol=1e-4)
    assert network(options).predict(images[:0]).shape == (0, 36)


def test_input_is_grey_values_in_reading_order():
    image = np.zeros((1, 32, 32), np.uint8)
    image[0, 2, 5] = 255
    x = to_input(image)
    assert x.shape == (1, 1024) and x.dtype == np.float32
    assert x[0, 2 * 32 + 5] == 1 and x.sum() == 1


def test_input_of_another_shape_is_refused():
    with pytest.raises(DataError, match=r"shape \(N, 32, 32\), not \(2, 28, 28\)"):
        network().predict(np.zeros((2, 28, 28), np.uint8))


def test_a_network_of_another_shape(tmp_path):
    """Input shape and classes are stored with the weights; a cnn takes images that are no squares."""
    for options in (MLP, CNN):
        net = build_network(options, (20, 27), 5, np.random.default_rng(0))
        save_network(tmp_path / "a.npz", net, {"alphabet": "ABCDE"})
        again, extra = load_network(tmp_path / "a.npz")
        assert (again.input_shape, again.classes, extra) == ((20, 27), 5, {"alphabet": "ABCDE"})
        images = np.random.default_rng(1).integers(0, 256, (3, 20, 27), np.uint8)
        np.testing.assert_array_equal(again.predict(images), net.predict(images))
    with pytest.raises(ConfigError, match="reads images"):
        build_network(CNN, (7,), 5, np.random.default_rng(0))


def test_nan_and_infinity_are_noticed():
    for value in (np.nan, np.inf):
        with pytest.raises(DataError, match="finite"):
            network().predict(np.full((1, 1024), value, np.float32))


def test_all_equal_images_are_read_alike():
    p = network(CNN).predict(np.zeros((3, 32, 32), np.uint8))
    assert np.isfinite(p).all() and (p == p[0]).all()


def test_parameters_are_views_into_one_array():
    net = network(CNN)
    assert net.weights.size == sum(w.size for w in net.params.values()) == sum(g.size for g in net.grads.values())
    net.weights[:], net.gradients[:] = 7, 8
    for layer in net.layers:
        assert all((w == 7).all() for w in layer.params.values()) and all((g == 8).all() for g in layer.grads.values())
    net.weights[: net.decayed] = 9
    assert all((w == (9 if name.endswith("weight") else 7)).all() for name, w in net.params.items())


def test_a_replica_shares_weights_and_nothing_else():
    net = network(CNN)
    twin = net.replica()
    x, other = to_input(characters(4)[0]), to_input(characters(4, seed=1)[0])
    y = net.forward(x)
    expected = y.copy()
    np.testing.assert_array_equal(twin.forward(x), y)
    twin.forward(other)
    twin.backward(np.ones_like(y))
    np.testing.assert_array_equal(y, expected)
    assert not net.gradients.any() and twin.gradients.any() and twin.weights is net.weights


def test_dropout_stands_before_each_linear_layer_but_that_of_the_image():
    names = [type(layer).__name__ for layer in network(MLP, dropout=0.5, hidden=[8, 8]).layers]
    assert names == ["Linear", "Sigmoid", "Dropout", "Linear", "Sigmoid", "Dropout", "Linear"]
    layers = network(CNN, dropout=0.5).layers
    assert [i for i, layer in enumerate(layers) if isinstance(layer, Dropout)] == [8, 11]


@pytest.mark.parametrize("options", [MLP, CNN])
def test_saved_and_loaded_is_the_same(options, tmp_path):
    net = network(options)
    save_network(tmp_path / "a.npz", net, {"temperature": 1.5, "name": "é"})
    save_network(tmp_path / "b.npz", net, {"temperature": 1.5, "name": "é"})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again, extra = load_network(tmp_path / "a.npz")
    assert extra == {"temperature": 1.5, "name": "é"} and asdict(again.options) == asdict(options)
    np.testing.assert_array_equal(again.weights, net.weights)
    np.testing.assert_array_equal(again.predict(characters(3)[0]), net.predict(characters(3)[0]))


def hostile(description=None, **changes):
    net = network()
    arrays = {name: array.copy() for name, array in net.params.items()} | changes
    return {"description": np.array(json.dumps(description or {**SHAPE, "options": asdict(MLP), "extra": {}})), **arrays}


SHAPE = {"input_shape": [32, 32], "classes": 36}
HUGE = {**SHAPE, "options": asdict(replace(MLP, hidden=[10**7])), "extra": {}}


@pytest.mark.parametrize("arrays", [
    {},
    {"description": np.array("{}")},
    {"description": np.array("[" * 100_000)},
    hostile({**SHAPE, "options": {**asdict(MLP), "import": "os"}, "extra": {}}),
    hostile({**SHAPE, "options": {**asdict(MLP), "hidden": [-1]}, "extra": {}}),
    hostile({**SHAPE, "options": asdict(MLP), "extra": 3}),
    hostile(HUGE),
    hostile({"input_shape": [32, 32], "classes": 10**9, "options": asdict(MLP), "extra": {}}),
    hostile({"input_shape": [32, "x"], "classes": 36, "options": asdict(MLP), "extra": {}}),
    hostile({"input_shape": 32, "classes": 36, "options": asdict(MLP), "extra": {}}),
    hostile({"input_shape": [32, 32], "classes": 35, "options": asdict(MLP), "extra": {}}),
    hostile({**SHAPE, "options": asdict(CNN), "extra": {}}),
    hostile(**{"0.bias": np.full(16, np.nan, np.float32)}),
    hostile(**{"0.bias": np.zeros(17, np.float32)}),
    hostile(**{"0.weight": np.zeros((1024, 16), np.complex64)}),
    hostile(**{"2.bias": np.array(["x"] * 36)}),
    hostile(other=np.zeros(3, np.float32)),
])  # fmt: skip
def test_files_that_are_not_models(arrays, tmp_path):
    save_arrays(tmp_path / "model.npz", arrays)
    assert_refused(tmp_path / "model.npz")


def test_files_that_are_no_archives(tmp_path):
    path = tmp_path / "model.npz"
    assert_refused(path)
    assert_refused(tmp_path)
    for content in (b"", b"PK\x03\x04", b"x" * 1000):
        path.write_bytes(content)
        assert_refused(path)
    with open(path, "wb") as file:
        np.savez(file, description=np.array({"a": 1}, dtype=object))
    assert_refused(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:  # a bomb: small here, large when opened
        archive.writestr("description.npy", bytes(10**8))
    assert_refused(path)
    declared = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }"
    header = b"\x93NUMPY\x01\x00v\x00" + declared.ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("description.npy", header + bytes(100))
    assert_refused(path)


def test_damaged_files(tmp_path):
    path = tmp_path / "model.npz"
    save_network(path, network(MLP, hidden=[2]), {})
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(100):
        path.write_bytes(content[: rng.integers(len(content))])
        assert_refused(path)
    for _ in range(100):  # a changed byte is refused, or was of no consequence
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            again, _ = load_network(path)
        except DataError:
            continue
        assert again.weights.size == network(MLP, hidden=[2]).weights.size


def assert_refused(path):
    with pytest.raises(DataError) as error:
        load_network(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_weights_depend_on_the_seed_alone():
    a, b, c = (build_network(CNN, (32, 32), 36, np.random.default_rng(seed)).weights for seed in (0, 0, 1))
    assert (a == b).all() and (a != c).any()
    np.testing.assert_array_equal(
        build_network(CNN, (32, 32), 36, np.random.default_rng(0), np.float64).weights.astype(np.float32), a
    )
