from dataclasses import replace

import numpy as np
import pytest

from pipeline.nn.optimizers import FLUSH_EVERY, flush, learning_rate, make_optimizer

from .helpers import TRAIN


def steps(name, gradients, **options):
    weights = np.array([1.0, -2.0])
    optimizer = make_optimizer(weights, replace(TRAIN, optimizer=name, **options))
    for gradient in gradients:
        optimizer.step(weights, np.array(gradient, float), 0.1)
    return weights


def test_sgd():
    np.testing.assert_allclose(steps("sgd", [[1, 2], [3, 4]]), [1 - 0.4, -2 - 0.6])


def test_momentum():
    np.testing.assert_allclose(steps("momentum", [[1, 2], [3, 4]], momentum=0.5), [1 - 0.1 - 0.35, -2 - 0.2 - 0.5])


def test_adam_is_the_papers_algorithm():
    gradients = np.random.default_rng(0).standard_normal((20, 2))
    w, m, v = np.array([1.0, -2.0]), 0, 0
    for t, g in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w = w - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(steps("adam", gradients), w, rtol=1e-12)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adam"])
def test_each_finds_the_bottom_of_a_bowl(name):
    weights, scales = np.array([1.0, -2.0]), np.array([1.0, 3.0])
    optimizer = make_optimizer(weights, replace(TRAIN, optimizer=name))
    for _ in range(800):
        optimizer.step(weights, weights * scales, 0.01)
    assert abs(weights).max() < 1e-3


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_without_a_gradient_the_state_ends_at_zero_and_is_never_denormal(name):
    weights = np.ones(3, np.float32)
    optimizer = make_optimizer(weights, replace(TRAIN, optimizer=name))
    gradients = np.array([1, 1e-3, 1e-20], np.float32)
    for step in range(10 * FLUSH_EVERY):
        optimizer.step(weights, gradients, 1e-3)
        gradients[:] = 0
        if step % FLUSH_EVERY == 0:
            flush(optimizer.state)
        average = next(iter(optimizer.state.values()))
        assert not ((average != 0) & (np.abs(average) < np.finfo(np.float32).tiny)).any()
    assert not average.any()


@pytest.mark.parametrize("schedule, expected", [
    ("constant", [1, 1, 1, 1]), ("step", [1, 0.5, 0.25, 0.0625]), ("cosine", [1, 0.75, 0.5, 0.0669872981]),
])  # fmt: skip
def test_schedules(schedule, expected):
    options = replace(TRAIN, lr=1.0, epochs=12, schedule=schedule, step_size=2, step_factor=0.5)
    progress = {"cosine": (0, 4, 6, 10)}.get(schedule, (0, 2, 5, 9))
    np.testing.assert_allclose([learning_rate(options, at) for at in progress], expected)


def test_warmup_rises_linearly():
    options = replace(TRAIN, lr=1.0, warmup_epochs=2.0)
    np.testing.assert_allclose([learning_rate(options, at) for at in (0.5, 1, 2, 3)], [0.25, 0.5, 1, 1])
