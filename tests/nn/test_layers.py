import numpy as np
import pytest

from pipeline.nn.gradient_check import TOLERANCE, check_layer
from pipeline.nn.initializers import xavier
from pipeline.nn.layers import Dropout, Linear, Relu, Sigmoid, Tanh

rng = np.random.default_rng(0)


@pytest.mark.parametrize("layer", [Linear(5, 3, xavier, rng, np.float64), Sigmoid(), Tanh(), Relu(), Dropout(0.4, rng)])
def test_gradients(layer):
    errors = check_layer(layer, np.random.default_rng(1).standard_normal((4, 5)), training=True)
    assert set(errors) == {"x", *layer.params}
    assert max(errors.values()) < TOLERANCE, errors


def test_a_wrong_gradient_is_noticed(monkeypatch):
    monkeypatch.setattr(Sigmoid, "backward", lambda self, dy: dy * self.y)
    assert check_layer(Sigmoid(), rng.standard_normal((4, 5)))["x"] > 1e-2


def test_values_at_known_points():
    x = np.array([[-1.0, 0.0, 2.0]])
    np.testing.assert_allclose(Sigmoid().forward(x), 1 / (1 + np.exp(-x)))
    np.testing.assert_allclose(Tanh().forward(x), np.tanh(x))
    np.testing.assert_array_equal(Relu().forward(x), [[0, 0, 2]])


def test_linear_is_a_matrix_product_and_a_shift():
    layer = Linear(5, 3, xavier, rng, np.float64)
    layer.params["bias"][:] = [1, 2, 3]
    x = rng.standard_normal((4, 5))
    np.testing.assert_allclose(layer.forward(x), x @ layer.params["weight"] + [1, 2, 3])


@pytest.mark.parametrize("x", [-1e4, 1e4])
def test_sigmoid_does_not_overflow(x):
    with np.errstate(all="raise"):
        y = Sigmoid().forward(np.full((1, 1), x, np.float32))
    assert y == float(x > 0)


def test_results_stay_in_the_type_of_the_input():
    for dtype in (np.float32, np.float64):
        for layer in (Linear(5, 3, xavier, rng, dtype), Sigmoid(), Tanh(), Relu(), Dropout(0.5, rng)):
            y = layer.forward(np.ones((2, 5), dtype), training=True)
            assert y.dtype == dtype and layer.backward(np.ones_like(y)).dtype == dtype


def test_arrays_are_used_again_and_follow_the_batch():
    layer = Linear(5, 3, xavier, rng)
    first = layer.forward(np.ones((4, 5), np.float32))
    fewer = layer.forward(np.zeros((2, 5), np.float32))
    assert fewer.shape == (2, 3) and np.shares_memory(fewer, first)
    assert np.shares_memory(layer.forward(np.zeros((4, 5), np.float32)), first)
    assert layer.forward(np.zeros((6, 5), np.float32)).shape == (6, 3)


def test_dropout_keeps_the_expectation_and_rests_outside_training():
    layer, x = Dropout(0.25, np.random.default_rng(0)), np.ones((200, 500), np.float32)
    y = layer.forward(x, training=True)
    assert abs((y == 0).mean() - 0.25) < 0.01 and abs(y.mean() - 1) < 0.01
    assert layer.forward(x) is x and layer.backward(x) is x
