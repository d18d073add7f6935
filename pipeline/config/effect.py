"""Effect: whether a command reads what its command line gives it, and whether its other values leave that an effect."""

import importlib
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

import yaml

from pipeline.common.errors import ConfigError
from pipeline.common.paths import ROOT
from pipeline.config.promoted import CONF, load
from pipeline.config.schema import Sections


class Condition(NamedTuple):
    """A key that is read only if another key holds one of `values`; None: anything but null."""

    key: str
    other: str
    values: tuple[Any, ...] | None


CONDITIONS = (
    Condition("train.momentum", "train.optimizer", ("momentum",)),
    Condition("train.step_size", "train.schedule", ("step",)),
    Condition("train.step_factor", "train.schedule", ("step",)),
    Condition("model.channels", "model.name", ("cnn",)),
    Condition("model.kernel", "model.name", ("cnn",)),
    Condition("model.initial_value", "model.initializer", ("normal", "constant")),
    Condition("strokes", "data.sources", ("strokes",)),
    Condition("data.root", "data.sources", ("nist36", "emnist", "folder", "npz")),
    Condition("data.variant", "data.sources", ("emnist",)),
    Condition("data.download", "data.sources", ("emnist",)),
    Condition("data.views", "data.fresh", (True,)),
    Condition("sweep.prune_after", "sweep.prune", ("median",)),
    Condition("form", "ocr.pages", None),
)


def check_read(words: Iterable[str], command: str, sections: Collection[str]) -> None:
    """Refuse words of a command line that name a group of conf/ which the command does not read.

    Args:
        words: Hydra overrides; Hydra checks those of its own keys.
        command: a stage, or a command that is not a stage.
        sections: that it reads.

    Raises:
        ConfigError: naming the word, and what reads it.
    """
    for word in words:
        key, _, value = word.lstrip("+~").partition("=")
        group = group_of(key)
        groups = set_by(value) if group == "experiment" else {group}
        if groups & {"hydra", "hydra.run", "trial", *sections}:
            continue
        readers = [name for name, reads in readers_of_conf().items() if groups & set(reads)]
        raise ConfigError(
            f"{word}: has no effect: {command} reads {', '.join(sections)}; "
            f"{', '.join(sorted(groups)) or 'nothing of it'} is read by {', '.join(readers) or 'no stage'}"
        )


def check_conditions(words: Iterable[str], values: Mapping[str, Any]) -> None:
    """Refuse words of a command line whose values have no effect beside the others.

    Raises:
        ConfigError: naming the word, and the key that it needs.
    """
    idle = without_effect(values)
    for word in words:
        key = word.lstrip("+~").partition("=")[0]
        if condition := idle.get(key) or idle.get(group_of(key)):
            _, other, needed = condition
            wanted = " or ".join(map(_written, needed)) if needed else "given"
            raise ConfigError(
                f"{word}: has no effect: it is read where {other} is {wanted}, and that is {_written(value_of(values, other))}"
            )


def check_some_reads(jobs: Collection[tuple[Collection[str], Mapping[str, Any]]]) -> None:
    """Refuse words whose values are read by none of several jobs.

    Args:
        jobs: the words of each job, and its values as `check_conditions` takes them.

    Raises:
        ConfigError: naming the first such word, and the key that it needs.
    """
    never = set.intersection(*(set(without_effect(values)) for _, values in jobs)) if jobs else set()
    for words, values in jobs:
        keys = {word: word.lstrip("+~").partition("=")[0] for word in words}
        check_conditions([word for word, key in keys.items() if {key, group_of(key)} & never], values)


def without_effect(values: Mapping[str, Any]) -> dict[str, Condition]:
    """The keys of `values`, section -> key -> value, that are not read, and the condition that they lack."""
    idle = {}
    for condition in CONDITIONS:
        if group_of(condition.other) not in values or group_of(condition.key) not in values:
            continue
        found = value_of(values, condition.other)
        held = found if isinstance(found, list) else [found]
        if found is None if condition.values is None else not set(held) & set(condition.values):
            idle[condition.key] = condition
    return idle


def effective(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` without the keys that are not read: what the outcome can depend on."""
    idle = without_effect(values)
    return {
        name: {key: value for key, value in section.items() if f"{name}.{key}" not in idle}
        if isinstance(section, dict)
        else section
        for name, section in values.items()
        if name not in idle
    }


def value_of(values: Mapping[str, Any], key: str) -> Any:
    """The value of `group.key`."""
    group, _, name = key.partition(".")
    return values[group][name]


def group_of(key: str) -> str:
    """`train` of `train.lr`, `hydra` of `hydra/launcher`."""
    return key.partition(".")[0].partition("/")[0].partition("@")[0]


@cache
def set_by(experiment: str) -> set[str]:
    """The groups that an experiment sets, itself or through its bases; `hydra.run` if it sets the output folder."""
    file = CONF / "experiment" / f"{experiment}.yaml"
    if not file.is_file():
        return set()
    values = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    groups = {*load(file)} - {"hydra"} | ({"hydra.run"} if "run" in values.get("hydra", {}) else set())
    for base in values.get("defaults", []):
        if isinstance(base, dict):
            groups |= {name.removeprefix("override ").lstrip("/") for name in base}
        elif base != "_self_":
            groups |= set_by(base)
    return groups


def check_once(words: Iterable[str], params: Mapping[str, str] | None) -> None:
    """Refuse to run an experiment once that gives a key several values.

    Args:
        params: key -> values of a sweep, as the experiment has them.

    Raises:
        ConfigError: saying what to add.
    """
    given = {word.lstrip("+~").partition("=")[0] for word in words}
    if left := [key for key in params or {} if key not in given]:
        raise ConfigError(f"the experiment gives several values to {', '.join(left)}: add -m, and each is tried; or give one")


def readers_of_conf() -> dict[str, Sections]:
    """What each stage reads, and a sweep of trainings."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    own = {stage: importlib.import_module(f"pipeline.{stage}").SECTIONS for stage in stages}
    return {**own, "train -m": {"sweep": object}}


def _written(value: Any) -> str:
    return str(yaml.safe_dump(value, default_flow_style=True)).removesuffix("\n").removesuffix("\n...")
