import numpy as np
import pytest

from pipeline.nn.initializers import make_initializer


@pytest.mark.parametrize("name, value, variance", [
    ("xavier", 0, 2 / (400 + 100)), ("he", 0, 2 / 400), ("normal", 0.3, 0.09), ("constant", 0.3, 0), ("zeros", 0, 0),
])  # fmt: skip
def test_variance_and_mean(name, value, variance):
    weights = make_initializer(name, value)((400, 100), 400, 100, np.random.default_rng(0))
    assert weights.shape == (400, 100)
    assert weights.var() == pytest.approx(variance, rel=0.03, abs=1e-15)
    assert weights.mean() == pytest.approx(value if name == "constant" else 0, abs=0.01)


def test_xavier_is_uniform():
    weights = make_initializer("xavier", 0)((400, 100), 400, 100, np.random.default_rng(0))
    limit = np.sqrt(6 / 500)
    assert abs(weights).max() <= limit
    counts = np.histogram(weights, 10, (-limit, limit))[0]
    assert abs(counts / 4000 - 1).max() < 0.1
