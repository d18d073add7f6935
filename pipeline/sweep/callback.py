"""The door from Hydra: begins and ends a sweep."""

import logging
import math
import sys
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from pipeline.config import schema
from pipeline.config.schema import SweepConfig, TrackingConfig
from pipeline.sweep.main import Main

_main: Main | None = None  # not an attribute of the callback, for that is sent to the workers


class Sweep(Callback):
    """What Hydra tells about a multirun of `pipeline.train`."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        global _main
        if Path(sys.argv[0]).stem != "train":  # the multirun of another stage is only Hydra's
            return
        logging.getLogger("hydra").setLevel(logging.WARNING)  # the launcher's line for every job
        read = schema.read(config, {"tracking": TrackingConfig, "sweep": SweepConfig})
        given = list(config.hydra.overrides.task)
        parsed = OverridesParser.create().parse_overrides(
            [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()] + given
        )
        choices = {o.get_key_element(): len(list(o.sweep_string_iterator())) if o.is_sweep_override() else 1 for o in parsed}
        _main = Main(
            Path(config.hydra.sweep.dir),
            read.tracking,
            read.sweep,
            math.prod(choices.values()),
            [key for key, count in choices.items() if count > 1],
            f"python -m pipeline.train -m {' '.join(given)}",
        )

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        if _main is not None:
            failed = _main.end("FINISHED")
            if failed:
                sys.exit(min(failed, 100))
