from dataclasses import replace

import pytest

from pipeline.nn.gradient_check import TOLERANCE, check_network

from .helpers import CNN, MLP


@pytest.mark.parametrize("options", [
    MLP, replace(MLP, hidden=[], initializer="zeros"), replace(MLP, hidden=[20, 10], activation="tanh", dropout=0.3),
    replace(MLP, hidden=[30, 20], activation="relu"), CNN, replace(CNN, channels=[2, 3, 4], kernel=3, dropout=0.5),
    replace(CNN, channels=[3], hidden=[], activation="tanh"),
])  # fmt: skip
def test_the_gradient_of_whole_networks(options):
    errors = check_network(options, (12, 10) if options.name == "mlp" else (32, 30), 7)
    assert len(errors) == 2 * (len(options.hidden) + 1 + len(options.channels))
    assert max(errors.values()) < TOLERANCE, errors
