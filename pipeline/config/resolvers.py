"""Resolvers: what a random search draws, as `${draw:...}` and `${pick:...}` in an experiment's file."""

from typing import Any

import numpy as np
from omegaconf import OmegaConf


def _random(key: str, trial: int) -> np.random.Generator:
    """The generator from which a trial of a random search draws the value of `key`: the same value every time."""
    return np.random.default_rng((trial, *key.encode()))


def draw(key: str, trial: int, low: float, high: float) -> float:
    """A number between low and high, uniform in its logarithm: `${draw:lr,${trial},0.001,0.1}` in an experiment."""
    return float(f"{np.exp(_random(key, trial).uniform(np.log(low), np.log(high))):.3g}")


def pick(key: str, trial: int, values: list[Any]) -> Any:
    """One of the values: `${pick:hidden,${trial},[[32],[64]]}`."""
    value = values[_random(key, trial).integers(len(values))]
    return OmegaConf.create(value) if isinstance(value, list) else value


OmegaConf.register_new_resolver("draw", draw)
OmegaConf.register_new_resolver("pick", pick)
