"""Sweeper: the jobs of a Hydra multirun, and which of them need not run.

Hydra's own sweeper composes every job twice, prints nothing meanwhile, and swallows the exceptions of callbacks. This one
composes all jobs before any begins, mostly from one another (`Loader`), and shows its progress. Jobs with equal configurations
run once; jobs that an earlier sweep finished are not launched; an error in the sweep itself is raised before a job starts.
"""

import importlib
import itertools
import json
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from pipeline.common.counted import counted
from pipeline.common.errors import UserError
from pipeline.config import schema
from pipeline.config.choices import check_choices
from pipeline.config.effect import check_read, check_some_reads, effective
from pipeline.sweep.loader import Loader
from pipeline.sweep.main import Main
from pipeline.sweep.store import check_store

NAMESPACE = "hydra_plugins.handprint"
"""The module in which Hydra looks for the sweeper that conf/config.yaml names; it accepts plugins from no other place."""
TELL_SECONDS = 5.0
_stage = ""


def register(stage: str) -> None:
    """Let Hydra find the sweeper; the jobs of the stage `train` are the children of one MLflow run."""
    global _stage
    _stage = stage
    sys.modules[NAMESPACE] = sys.modules[__name__]
    Plugins.instance().register(Jobs)


class Jobs(Sweeper):
    """All combinations of the values that the overrides give."""

    __module__ = NAMESPACE

    def __init__(self, max_batch_size: int | None = None, params: dict[str, str] | None = None) -> None:
        self.batch, self.params = max_batch_size, params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """What Hydra calls before `sweep`."""
        self.loader, self.composed = Loader(hydra_context.config_loader), config
        quick = HydraContext(config_loader=cast(ConfigLoader, self.loader), callbacks=hydra_context.callbacks)
        logging.getLogger("hydra").setLevel(logging.WARNING)  # the launcher's line for every job
        self.starter = Plugins.instance().instantiate_launcher(hydra_context=quick, task_function=task_function, config=config)

    def sweep(self, arguments: list[str]) -> list[Any]:
        """Run every job that is needed.

        Raises:
            UserError, HydraException: the sweep cannot begin as it is.
            SystemExit: with the number of jobs that failed.
        """
        given = [*(f"{key}={value}" for key, value in self.params.items()), *arguments]
        choices = expand(OverridesParser.create(config_loader=self.loader.own).parse_overrides(given))
        jobs = [list(job) for job in itertools.product(*choices.values())]
        options = schema.read(self.composed, {"tracking": schema.TrackingConfig, "sweep": schema.SweepConfig})
        check_store(options.tracking)
        different, equal = self._different(jobs, options)
        configurations = [schema.flatten(config.values) for _, config in different if config]
        main: Main | None = None
        if _stage == "train":
            swept = [key for key, values in choices.items() if len(values) > 1]
            command = f"python -m pipeline.train -m {' '.join(arguments)}"
            folder = Path(self.composed.hydra.sweep.dir)
            main = Main(
                folder, options.tracking, options.sweep, len(different), swept, command, equal, varied(configurations, swept)
            )
        needed = [job for job, config in different if not (main and config and main.skip(config))]
        results: list[Any] = []
        step = self.batch or len(needed) or 1
        for first in range(0, len(needed), step):
            batch = self.starter.launch(needed[first : first + step], initial_job_idx=first)
            results += [job.return_value for job in batch]  # raises what a job of another stage raised
        failed = main.end("FINISHED") if main else 0
        if failed:
            sys.exit(min(failed, 100))
        return results

    def _different(
        self, jobs: list[list[str]], options: schema.Config
    ) -> tuple[list[tuple[list[str], schema.Config | None]], list[str]]:
        """Compose each job.

        Args:
            options: of the sweep itself.

        Returns:
            each job whose configuration is no earlier one's, with what it is handed (None: the job itself will say what is
            wrong); and a line on each of the others.

        Raises:
            ConfigError: a word that none of the jobs reads.
        """
        seen: dict[str, list[str]] = {}
        different: list[tuple[list[str], schema.Config | None]] = []
        equal: list[str] = []
        sections = importlib.import_module(f"pipeline.{_stage}").SECTIONS
        own = {"sweep": options.values["sweep"]} if _stage == "train" else {}
        read: list[tuple[list[str], dict[str, Any]]] = []
        told = time.monotonic()
        tell(f"sweep: {counted(len(jobs), 'job')}, composing their configurations")
        for number, job in enumerate(jobs, start=1):
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                tell(f"sweep: {number}/{len(jobs)} composed")
            composed = self.loader.load_sweep_config(self.composed, job)
            words = list(composed.hydra.overrides.task)
            check_choices(composed, dict(composed.hydra.runtime.choices), words)
            check_read(words, _stage, [*sections, *own])
            try:
                config = schema.read(composed, sections)
            except UserError:
                different.append((job, None))
                continue
            values = {**config.values, **own}
            read.append((words, values))
            key = json.dumps(effective({**values, "tracking": None}), sort_keys=True, default=str)
            if key in seen:
                equal.append(f"{' '.join(job)} is {' '.join(seen[key])}")
                continue
            seen[key] = job
            different.append((job, config))
        check_some_reads(read)
        if equal:
            tell(f"sweep: {len(equal)} of {len(jobs)} jobs are not run, for their configuration is another's: {equal[0]}")
        return different, equal


def expand(overrides: Sequence[Override]) -> dict[str, list[str]]:
    """All overrides of each key, in the order of the command line.

    Raises:
        HydraException: an interval, which holds infinitely many values.
    """
    choices: dict[str, list[str]] = {}
    for override in overrides:
        key = override.get_key_element()
        if not override.is_sweep_override():
            choices[key] = [f"{key}={override.get_value_element_as_str()}"]
        elif override.is_discrete_sweep():
            choices[key] = [f"{key}={value}" for value in override.sweep_string_iterator()]
        else:
            raise HydraException(f"{override.input_line}: a sweep needs single values; python -m pipeline.search takes intervals")
        if not choices[key]:
            raise HydraException(f"{override.input_line}: names no value at all")
    return choices


def varied(configurations: list[dict[str, Any]], swept: list[str]) -> list[str]:
    """The keys of configurations that the command line sweeps, in its order, and the others in which they differ."""
    values: dict[str, set[str]] = {}
    for configuration in configurations:
        for key, value in configuration.items():
            values.setdefault(key, set()).add(str(value))
    differing = [key for key, found in values.items() if len(found) > 1]
    return [*(key for key in swept if key in values), *(key for key in differing if key not in swept)]


def tell(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)
