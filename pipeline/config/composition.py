"""Compose conf/ outside a stage, and say in one line what Hydra refuses."""

import re
from collections.abc import Collection, Iterable

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from pipeline.common import paths
from pipeline.common.errors import ConfigError
from pipeline.config.choices import check_choices, nearest
from pipeline.config.conf_files import check_files
from pipeline.config.effect import check_read
from pipeline.config.promoted import load


def compose_conf(overrides: Iterable[str], command: str, sections: Collection[str]) -> DictConfig:
    """The whole configuration, with `hydra`, that these words of a command line describe.

    Args:
        command: the command they are given to.
        sections: those that the command reads.

    Raises:
        ConfigError: one line naming the word or the file that is wrong, or that the command does not read.
    """
    check_files()
    try:
        with initialize_config_dir(str(paths.ROOT / "conf"), version_base="1.3"):
            composed = compose("config", list(overrides), return_hydra_config=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(in_words(error)) from None
    check_choices(composed, dict(composed.hydra.runtime.choices), composed.hydra.overrides.task)
    check_read(composed.hydra.overrides.task, command, sections)
    return composed


def in_words(error: Exception) -> str:
    """Hydra's message on one line, without the folders it searched; for an unknown key, with the known key most like it."""
    said = str(error).partition("Config search path:")[0]
    if unknown := re.match(r"Could not override '([^']+)'", said):
        key, group = unknown[1], unknown[1].partition(".")[0]
        if (like := nearest(key)) != key:
            return f"{key}: no such key of conf/; the nearest is {like}"
        files = [
            file.stem for file in sorted((paths.ROOT / "conf" / group).glob("*.yaml")) if key.partition(".")[2] in load(file)
        ]
        return f"{key}: is read only where one of these is chosen: {', '.join(f'{group}={file}' for file in files)}"
    lines = [line.strip() for line in said.splitlines() if line.strip()]  # the last one says what to do
    return f"{' '.join(lines[:8])}; see conf/ for the keys there are"
