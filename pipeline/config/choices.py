"""Choices: what a command line chose is what runs, or an error says what overrules it."""

import difflib
from collections.abc import Iterable
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from pipeline.common.errors import ConfigError
from pipeline.config.promoted import CHOICE, CONF, check_bases, load

NO_GROUP = ("seed", "trial")
"""Keys at the top of the configuration that are no group: `trial` numbers the draws of a random search."""


def check_choices(composed: DictConfig, choices: dict[str, str | None], overrides: Iterable[str]) -> None:
    """Refuse a configuration in which something that was asked for has no effect.

    Args:
        choices: group -> file, as Hydra chose them.
        overrides: the words of the command line.

    Raises:
        ConfigError: a key that no stage knows, a chosen file that an experiment overrules, or an edited base that a
            promoted file replaces.
    """
    check_keys(composed, choices)
    check_files_chosen(composed, list(overrides))
    check_bases({group: choice for group, choice in choices.items() if choice})


def check_keys(composed: DictConfig, choices: dict[str, str | None]) -> None:
    """Refuse keys at the top that are no group of conf/."""
    known = [folder.name for folder in CONF.iterdir() if folder.is_dir() and folder.name != "experiment"]
    for key in map(str, composed):
        if key in known or key in NO_GROUP or key == "hydra":
            continue
        if key == "experiment":
            raise ConfigError(
                f"conf/experiment/{choices.get('experiment')}.yaml: has no effect; its first line must be `# @package _global_`"
            )
        raise ConfigError(f"{key}: no such group of conf/; the nearest is {nearest(str(key))}")


def nearest(key: str) -> str:
    """The key of conf/ that is spelt most like `key`: a group, or for `group.key` one of those in a group's files."""
    files = [file for file in sorted(CONF.glob("*/*.yaml")) if file.parent.name not in ("experiment", CHOICE)]
    groups = [*{file.parent.name: None for file in files}, *NO_GROUP]
    keys = [f"{file.parent.name}.{name}" for file in files for name in load(file)]
    known = dict.fromkeys(keys if "." in key else groups)
    return max(known, key=lambda name: difflib.SequenceMatcher(None, key, name).ratio())


def check_files_chosen(composed: DictConfig, overrides: list[str]) -> None:
    """Refuse a file chosen on the command line whose values an experiment overrules."""
    words = dict(override.lstrip("+").split("=", 1) for override in overrides if "=" in override and override[0] != "~")
    for group, choice in words.items():
        file = CONF / group / f"{choice}.yaml"
        if "." in group or choice == CHOICE or not file.is_file() or "experiment" not in words or group == "experiment":
            continue
        chosen = OmegaConf.create(load(file))
        for key in map(str, chosen):
            now, asked = _plain(composed[group], key), _plain(chosen, key)
            if now != asked and f"{group}.{key}" not in words:
                raise ConfigError(
                    f"{group}={choice}: has no effect on {group}.{key}, which experiment={words['experiment']} sets to {now!r}; "
                    f"say {group}.{key}={yaml.safe_dump(asked, default_flow_style=True).splitlines()[0]} too, or leave one out"
                )


def _plain(section: DictConfig, key: Any) -> Any:
    """A value as it stands in its file, interpolations not resolved."""
    container = OmegaConf.to_container(section, resolve=False)
    return container.get(key) if isinstance(container, dict) else None
