import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.special import softmax as scipy_softmax

from pipeline.nn.gradient_check import TOLERANCE, relative_error
from pipeline.nn.losses import cross_entropy, cross_entropy_with_gradient, softmax

rng = np.random.default_rng(0)


def test_agrees_with_scipy():
    z, labels = rng.standard_normal((6, 36)) * 5, rng.integers(0, 36, 6)
    np.testing.assert_allclose(softmax(z), scipy_softmax(z, axis=1))
    np.testing.assert_allclose(cross_entropy(z, labels), -log_softmax(z, axis=1)[np.arange(6), labels])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exact_for_logits_of_1e4(dtype):
    z = np.array([[1e4, -1e4, 0], [1e4, 1e4, 1e4], [-1e4, -1e4, -1e4 + 1]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        losses, gradient = cross_entropy_with_gradient(z, np.array([1, 0, 2]))
    np.testing.assert_allclose(losses, [2e4, np.log(3), np.log(1 + 2 / np.e)], rtol=1e-6)
    np.testing.assert_allclose(gradient[0], [1, -1, 0])
    np.testing.assert_allclose(softmax(z)[1], 1 / 3, rtol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_gradient(smoothing):
    z, labels = rng.standard_normal((6, 36)), rng.integers(0, 36, 6)
    target = (1 - smoothing) * np.eye(36)[labels] + smoothing / 36

    def loss() -> float:
        return -0.25 * float((target * log_softmax(z, axis=1)).sum())

    gradient = cross_entropy_with_gradient(z, labels, scale=0.25, smoothing=smoothing)[1]
    assert relative_error(loss, z, gradient, seed=0) < TOLERANCE


def test_sum_is_the_mean_times_the_batch():
    z, labels = rng.standard_normal((6, 36)), rng.integers(0, 36, 6)
    summed, mean = (cross_entropy_with_gradient(z, labels, scale)[1] for scale in (1, 1 / 6))
    np.testing.assert_allclose(summed, 6 * mean)


def test_the_logits_are_left_alone():
    z = rng.standard_normal((6, 36))
    before = z.copy()
    softmax(z)
    cross_entropy_with_gradient(z, np.zeros(6, int), 0.5, 0.1)
    np.testing.assert_array_equal(z, before)
