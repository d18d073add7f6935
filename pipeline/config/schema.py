"""Schema: the sections of conf/ that a stage reads, checked against their types and ranges.

A section is a group of conf/. Each stage declares those that it reads, and their dataclasses, in its own `SECTIONS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Annotated, Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.common.errors import ConfigError
from pipeline.common.options import OneOf, Options, Range
from pipeline.config import resolvers  # noqa: F401 (what experiments may write as ${draw:...})

STORES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql")
"""What MLflow keeps runs in, as the beginning of an address; folders, `file://`, it takes no more."""


@dataclass
class TrackingConfig(Options):
    """Where runs are recorded."""

    uri: Annotated[str, "MLflow store; local: mlflow.db and mlruns/ in the project; none: record nothing"]
    experiment: Annotated[str, "name of the MLflow experiment"]

    def __post_init__(self) -> None:
        super().__post_init__()
        kind = self.uri.partition("://")[0].partition("+")[0]
        if self.uri not in ("local", "none") and (kind not in STORES or kind == self.uri):
            raise ConfigError(
                f"uri: {self.uri!r} is no store: local, none, or an address such as http://127.0.0.1:5000 or "
                f"sqlite:///mlflow.db ({', '.join(STORES)})"
            )


@dataclass
class SweepConfig(Options):
    """How the jobs of a multirun are treated."""

    rerun: Annotated[bool, "run again what already finished in this experiment with the same configuration and data"]
    prune: Annotated[str, "median: stop a job that is worse than half of the others at the same epoch", OneOf(("none", "median"))]
    prune_after: Annotated[int, "epochs that every job may run before it can be stopped", Range(1)]


Sections = Mapping[str, type]
"""Name of a section -> the dataclass that its values must fit; `seed`, which is no section, -> int."""


class Config(SimpleNamespace):
    """The sections a stage reads as checked dataclasses, and `values`, the same as a plain nested dict."""

    values: dict[str, Any]


def read(composed: DictConfig, sections: Sections) -> Config:
    """Check the named sections of a composed configuration.

    Raises:
        ConfigError: one line naming the key, what it holds and what it must be.
    """
    checked: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for name, options in sections.items():
        if name == "seed":
            checked[name] = values[name] = _read_seed(composed)
            continue
        if composed.get(name) is None:  # a group of which no file was chosen
            checked[name] = values[name] = None
            continue
        try:
            given = OmegaConf.to_container(composed[name], resolve=True)  # here, where interpolations see the whole
            section = OmegaConf.merge(_structured(options), given)
            checked[name] = OmegaConf.to_object(section)
            values[name] = OmegaConf.to_container(section)
        except OmegaConfBaseException as error:
            key = getattr(error, "full_key", None) or getattr(error, "key", None) or ""
            reason = str(error.msg if hasattr(error, "msg") else error).splitlines()[0]
            raise ConfigError(f"{name}.{key}: {reason}; the keys of `{name}` stand in conf/{name}/") from None
        except ConfigError as error:
            raise ConfigError(f"{name}.{error}") from None
    return Config(**checked, values=values)


@cache
def _structured(options: type) -> DictConfig:
    """The options and their types; a merge changes a copy. A sweep asks twice a job."""
    return OmegaConf.structured(options)


def _read_seed(composed: DictConfig) -> int:
    seed = composed.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ConfigError(f"seed: {seed!r} must be a whole number from 0 to 4294967295")
    return seed


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"train": {"lr": 0.1}}` -> `{"train.lr": 0.1}`; lists stay values."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat.update(flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return flat
