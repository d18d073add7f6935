"""The statements of docs/theory.md, each checked with numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.nn.diagnostics import activation_variances, gradient_sizes
from pipeline.nn.gradient_check import central_difference
from pipeline.nn.initializers import he, xavier
from pipeline.nn.layers import Linear, Relu, Sigmoid, Tanh
from pipeline.nn.losses import cross_entropy, cross_entropy_with_gradient, softmax
from pipeline.nn.network import to_input
from pipeline.nn.optimizers import make_optimizer

from .helpers import MLP, TRAIN, characters, network

rng = np.random.default_rng(0)
x = np.linspace(-6, 6, 101)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_every_statement_has_its_test():
    text = (Path(__file__).parents[2] / "docs/theory.md").read_text(encoding="utf-8")
    tests = [name.removeprefix("test_") for name in globals() if name.startswith("test_")][1:]
    assert tests and all(f"(`{name}`)" in text for name in tests)
    assert text.count("(`") == len(tests)


def test_softmax_shift():
    z = rng.standard_normal((5, 36))
    for shift in (-50, 3, 50):
        naive = np.exp(z + shift) / np.exp(z + shift).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(naive, softmax(z), rtol=1e-12)
    with np.errstate(all="ignore"):
        assert np.isfinite(np.exp(np.float32(88.7))) and np.isinf(np.exp(np.float32(88.8)))
        large = np.array([[1000, 999]], np.float32)
        assert np.isnan(np.exp(large) / np.exp(large).sum()).any()
    np.testing.assert_allclose(softmax(large)[0], [sigmoid(1), sigmoid(-1)], rtol=1e-6)
    total = np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1)
    assert (total >= 1).all() and (total <= 36).all()
    assert cross_entropy(large.astype(float) * 1e3, np.array([1])) == pytest.approx(1000)


def test_softmax_steps():
    z = rng.standard_normal(7) * 3
    s = np.exp(z)
    p = s / s.sum()
    assert (s > 0).all() and (np.argsort(s) == np.argsort(z)).all()
    assert (p > 0).all() and (p < 1).all() and p.sum() == pytest.approx(1)
    np.testing.assert_allclose(p, softmax(z[None])[0])


def test_cross_entropy_gradient():
    z, labels = rng.standard_normal((4, 36)), np.array([3, 0, 35, 7])
    gradient = cross_entropy_with_gradient(z, labels)[1]
    np.testing.assert_allclose(gradient, softmax(z) - np.eye(36)[labels])
    for index in (0, 50, 143):
        numeric = central_difference(lambda: cross_entropy(z, labels).sum(), z, index, 1e-5)
        assert gradient.ravel()[index] == pytest.approx(numeric, rel=1e-6)


def test_linear_layers_collapse():
    first, second = (Linear(5, 2, xavier, rng, np.float64), Linear(2, 6, xavier, rng, np.float64))
    first.params["bias"][:], second.params["bias"][:] = rng.standard_normal(2), rng.standard_normal(6)
    inputs = rng.standard_normal((9, 5))
    (w1, b1), (w2, b2) = ((layer.params["weight"], layer.params["bias"]) for layer in (first, second))
    np.testing.assert_allclose(second.forward(first.forward(inputs)), inputs @ (w1 @ w2) + (b1 @ w2 + b2))
    assert np.linalg.matrix_rank(w1 @ w2) == 2


def test_sigmoid_derivative():
    numeric = (sigmoid(x + 1e-5) - sigmoid(x - 1e-5)) / 2e-5
    np.testing.assert_allclose(sigmoid(x) * (1 - sigmoid(x)), numeric, rtol=1e-6)
    layer = Sigmoid()
    layer.forward(x)
    np.testing.assert_allclose(layer.backward(np.ones_like(x)), numeric, rtol=1e-6)


def test_linear_gradients():
    weight, inputs, bias = rng.standard_normal((3, 4)), rng.standard_normal(4), rng.standard_normal(3)

    def loss() -> float:  # any smooth function of y
        return float(np.sin(weight @ inputs + bias).sum())

    delta = np.cos(weight @ inputs + bias)  # dJ/dy
    by_index = np.array([[delta[i] * inputs[j] for j in range(4)] for i in range(3)])
    np.testing.assert_allclose(np.outer(delta, inputs), by_index)
    for array, gradient in ((weight, np.outer(delta, inputs)), (inputs, weight.T @ delta), (bias, delta)):
        numeric = [central_difference(loss, array, index, 1e-5) for index in range(array.size)]
        np.testing.assert_allclose(gradient.ravel(), numeric, rtol=1e-6)

    rows, layer = rng.standard_normal((7, 4)), Linear(4, 3, xavier, rng, np.float64)  # the code's way: samples in rows
    layer.params["weight"][:], layer.params["bias"][:] = weight.T, bias
    deltas = np.cos(layer.forward(rows))
    np.testing.assert_allclose(layer.backward(deltas), [weight.T @ delta for delta in deltas])
    np.testing.assert_allclose(layer.grads["weight"].T, sum(np.outer(d, r) for d, r in zip(deltas, rows, strict=True)))
    np.testing.assert_allclose(layer.grads["bias"], deltas.sum(axis=0))


def test_vanishing_gradients():
    slope = sigmoid(x) * (1 - sigmoid(x))
    assert slope.max() == pytest.approx(0.25) and x[slope.argmax()] == pytest.approx(0)
    assert (1 - np.tanh(x) ** 2).max() == pytest.approx(1)

    layers = [layer for _ in range(8) for layer in (Linear(20, 20, xavier, rng, np.float64), Sigmoid())]
    a, bound = rng.standard_normal((1, 20)), 1.0
    for layer in layers:
        a = layer.forward(a)
        bound *= 0.25 if isinstance(layer, Sigmoid) else np.linalg.norm(layer.params["weight"], 2)
    delta = np.ones((1, 20))
    bound *= np.linalg.norm(delta)
    for layer in reversed(layers):
        delta = layer.backward(delta)
    assert 0 < np.linalg.norm(delta) <= bound < 0.1

    sizes = gradient_sizes(depth=20, width=100, seed=0)
    assert sizes["sigmoid"][0] < 1e-8 * sizes["sigmoid"][-1]
    assert 0.3 < sizes["tanh"][0] / sizes["tanh"][-1] < 3


def test_tanh_is_a_sigmoid():
    np.testing.assert_allclose(2 * sigmoid(2 * x) - 1, np.tanh(x), atol=1e-14)
    np.testing.assert_allclose(4 * sigmoid(2 * x) * (1 - sigmoid(2 * x)), 1 - np.tanh(x) ** 2, atol=1e-14)
    np.testing.assert_allclose(Sigmoid().forward(x), sigmoid(x), atol=1e-14)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_zero_initialisation(optimizer):
    images, labels = characters(50)
    inputs = to_input(images, np.float64)
    for activation, initializer in (("sigmoid", "zeros"), ("tanh", "zeros"), ("relu", "zeros"), ("sigmoid", "constant")):
        net = network(MLP, activation=activation, initializer=initializer, initial_value=0.05, dtype=np.float64)
        step = make_optimizer(net.weights, replace(TRAIN, optimizer=optimizer)).step
        for number in range(5):
            net.backward(cross_entropy_with_gradient(net.forward(inputs), labels, 1 / 50)[1])
            first, second = net.grads["0.weight"], net.grads["2.weight"]
            assert np.ptp(first, axis=1).max() < 1e-15 and np.ptp(second, axis=0).max() < 1e-15  # all units alike
            if activation == "sigmoid" and initializer == "zeros":
                assert first.any() == (number > 0) and second.any()
            if activation != "sigmoid":
                assert not first.any() and not second.any() and not net.grads["0.bias"].any() and net.grads["2.bias"].any()
            step(net.weights, net.gradients, 0.1)
        assert np.linalg.matrix_rank(net.params["0.weight"], tol=1e-9) <= 1


def test_xavier_keeps_the_variance():
    d, k, many = 300, 200, 2000
    inputs, deltas = rng.standard_normal((many, d)), rng.standard_normal((many, k))
    weight = xavier((d, k), d, k, rng)
    assert weight.var() == pytest.approx(2 / (d + k), rel=0.03)
    assert abs(weight).max() == pytest.approx(np.sqrt(6 / (d + k)), rel=0.01)
    assert (inputs @ weight).var() == pytest.approx(d * 2 / (d + k), rel=0.05)
    assert (deltas @ weight.T).var() == pytest.approx(k * 2 / (d + k), rel=0.05)

    relu = np.maximum(rng.standard_normal((many, d)), 0)
    assert (relu**2).mean() == pytest.approx(0.5, rel=0.02)
    assert (relu @ he((d, k), d, k, rng)).var() == pytest.approx(1, rel=0.1)

    variances = activation_variances(depth=20, width=100, seed=0)
    assert variances["Xavier"][-1] > 0.01 and variances["normal, deviation 0.01"][-1] < 1e-30
    assert variances["normal, deviation 1"][-1] > 0.8 and not variances["zeros"].any()  # saturated; nothing at all
    assert abs(Tanh().forward(np.array([0.01])) - 0.01) < 1e-6 and Relu().forward(np.array([-1.0])) == 0
