"""Loader: composes the configurations of a sweep's jobs, which mostly differ in single values, from one that Hydra composed.

Hydra composes each job twice, before the sweep and when the job is launched, and takes 0.15 CPU s each time.
"""

import copy
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from pipeline.config.choices import NO_GROUP


class Loader:
    """A `ConfigLoader` of Hydra's whose `load_sweep_config` is quick; all else is the loader's own.

    The words of a job that set a single value (`train.lr=0.1`) are applied to a copy of the configuration that Hydra composed
    for the first job with the same other words, as Hydra would apply them itself.
    """

    def __init__(self, loader: ConfigLoader) -> None:
        self.own = loader
        self.composed: dict[tuple, DictConfig] = {}

    def __getattr__(self, name: str) -> Any:
        if name == "own":  # asked for while it is unpickled, before it is there
            raise AttributeError(name)
        return getattr(self.own, name)

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """The configuration of one job."""
        words = OverridesParser.create(config_loader=self.own).parse_overrides(sweep_overrides)
        if "override_dirname" in OmegaConf.to_yaml(master_config.hydra.sweep):  # a folder that is named after the words
            return self.own.load_sweep_config(master_config, sweep_overrides)
        kind = tuple((word.key_or_group if is_value(word) else word.input_line, is_value(word)) for word in words)
        if kind not in self.composed:
            self.composed[kind] = self.own.load_sweep_config(master_config, sweep_overrides)
        config = copy.deepcopy(self.composed[kind])
        for word in words:
            if is_value(word):
                OmegaConf.update(config, word.key_or_group, word.value(), merge=True)
        config.hydra.overrides.task = list(sweep_overrides)
        OmegaConf.copy_cache(from_config=master_config, to_config=config)  # the time in the folder's name is the sweep's
        return config


def is_value(word: Override) -> bool:
    """Whether a word replaces a single value, or a list: a group has no dot in its name."""
    key = word.key_or_group
    replaces = not (word.is_add() or word.is_force_add() or word.is_delete() or word.is_sweep_override())
    single = "." in key and "/" not in key and word.package is None or key in NO_GROUP
    return replaces and single and not word.is_hydra_override() and not isinstance(word.value(), dict)
