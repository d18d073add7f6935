from dataclasses import replace

import pytest

from pipeline.common.errors import ConfigError

from .helpers import CNN, MLP, TRAIN, network


@pytest.mark.parametrize("options, key, value", [
    (MLP, "name", "rnn"), (MLP, "hidden", [0]), (MLP, "hidden", "64"), (MLP, "activation", "gelu"), (MLP, "dropout", 1.0),
    (MLP, "initializer", "random"), (MLP, "initial_value", float("nan")), (CNN, "channels", []), (CNN, "channels", [2.5]),
    (CNN, "kernel", 0), (TRAIN, "optimizer", "adagrad"), (TRAIN, "lr", 0.0), (TRAIN, "lr", float("inf")), (TRAIN, "lr", True),
    (TRAIN, "batch_size", 0), (TRAIN, "epochs", -1), (TRAIN, "momentum", 1.0), (TRAIN, "weight_decay", -1.0),
    (TRAIN, "schedule", "linear"), (TRAIN, "step_size", 0), (TRAIN, "step_factor", 0.0), (TRAIN, "warmup_epochs", -1.0),
    (TRAIN, "reduction", "none"), (TRAIN, "patience", -1), (TRAIN, "label_smoothing", 1.0), (TRAIN, "epochs", False),
])  # fmt: skip
def test_a_wrong_value_is_one_line_that_begins_with_its_key(options, key, value):
    with pytest.raises(ConfigError) as error:
        replace(options, **{key: value})
    assert str(error.value).startswith(f"{key}: ") and "\n" not in str(error.value)


def test_too_many_convolutions():
    with pytest.raises(ConfigError, match="kernel: "):
        network(CNN, channels=[4, 4, 4, 4])
