"""What every command of the pipeline shares: compose conf/, run one function, turn a user's mistake into one line."""

import argparse
import importlib
import io
import os
import shlex
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from pipeline import sweep
from pipeline.common import paths
from pipeline.common.errors import UserError
from pipeline.common.files import write_json
from pipeline.config import conf_files
from pipeline.config import schema as config
from pipeline.config.choices import check_choices
from pipeline.config.composition import in_words
from pipeline.config.effect import check_conditions, check_once, check_read
from pipeline.config.manual import manual


def command(stage: str, task: Callable[[config.Config, Path], Any]) -> None:
    """Run `task(config, folder)` as the command line of `stage` and exit: 0 done, 1 a user's mistake, 130 interrupted.

    `folder` is Hydra's output folder: what the stage reads from earlier stages and writes lies below it.
    The stage's module declares in `SECTIONS` which sections of conf/ it reads.
    """

    mistakes: list[UserError | OSError | MemoryError] = []
    composed_well = False

    @hydra.main(version_base="1.3", config_path=str(paths.ROOT / "conf"), config_name="config")
    def main(composed: DictConfig) -> Any:
        nonlocal composed_well
        composed_well = True
        try:
            return run(composed)
        except (UserError, OSError, MemoryError) as error:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise
            mistakes.append(error)  # raised here, Hydra would print a line of its own before ours

    def run(composed: DictConfig) -> Any:
        sections = importlib.import_module(f"pipeline.{stage}").SECTIONS  # not passed in: a worker gets no modules
        choices = dict(HydraConfig.get().runtime.choices)
        words = list(HydraConfig.get().overrides.task)
        check_choices(composed, choices, words)
        if once := HydraConfig.get().mode == RunMode.RUN:  # in a sweep, the sweeper has checked them
            check_once(words, HydraConfig.get().sweeper.get("params"))
            check_read(words, stage, sections)
        if os.environ.get("DVC_STAGE") == stage:
            conf_files.check_tracked(stage, sections, choices)
        folder = Path(os.path.relpath(HydraConfig.get().runtime.output_dir))
        if sweep.is_job(folder):
            return sweep.run_job(lambda: task(config.read(composed, sections), folder), folder)
        options = config.read(composed, sections)
        if once:
            check_conditions(words, options.values)
        started = time.perf_counter()
        result = task(options, folder)
        write_json(folder / paths.TIMES / f"{stage}.json", round(time.perf_counter() - started, 1))
        return result

    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # exceptions reach us instead of Hydra's own many-line report
    try:
        check_folder()
        conf_files.check_files()
        if {"--help", "-h"} & set(sys.argv[1:]):
            print(manual(stage), end="")
            return
        check_options(stage)
        sweep.register(stage)
        main()
        if mistakes:
            raise mistakes[0]
    except (UserError, OSError, HydraException, OmegaConfBaseException) as error:
        fail(stage, error)
    except KeyboardInterrupt:
        sys.exit(130)
    except MemoryError as error:
        said = f" ({error})" if str(error) else ""
        fail(stage, UserError(f"not enough memory{said}; make batch_size, jobs or the data smaller"))
    except Exception as error:
        if composed_well:
            raise
        fail(stage, error)  # PyYAML has errors of many types for a file that is not YAML


def check_folder() -> None:
    """Refuse to start in a subfolder of the project: paths in conf/ are relative to the project's own folder.

    Raises:
        UserError: saying where to go.
    """
    here = Path.cwd().resolve()
    if here != paths.ROOT and here.is_relative_to(paths.ROOT) and not (here / "conf").is_dir():
        raise UserError(f"start it in the project's own folder: cd {shlex.quote(os.path.relpath(paths.ROOT))}")


def check_options(stage: str) -> None:
    """Refuse an option that Hydra does not know; Hydra itself prints its usage of 20 lines.

    Raises:
        UserError: naming the option.
    """
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            get_args_parser().parse_args()
    except SystemExit as stopped:
        if not stopped.code:  # it has printed its version
            raise
        raise UserError(f"{said.getvalue().strip().rpartition(' error: ')[2]}; see python -m pipeline.{stage} --help") from None


class Parser(argparse.ArgumentParser):
    """The parser of a command that is no stage: a mistake is one line, as all others are."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse."""
        fail(self.prog.split(".")[-1], UserError(f"{message}; see {self.prog} --help"))


def fail(name: str, error: Exception) -> NoReturn:
    """Print the error as one line and exit with status 1."""
    ours = isinstance(error, (UserError, OSError)) and not isinstance(error, HydraException)  # Hydra has some that are both
    said = " ".join(map(str.strip, str(error).splitlines())) if ours else in_words(error)
    print(f"{name}: {said}", file=sys.stderr)
    sys.exit(1)
