"""`python -m pipeline.search`: a sweep whose values Optuna chooses by the results so far (optional extra `search`).

    python -m pipeline.search --trials 30 experiment=course_mlp 'train.lr=tag(log, interval(0.001, 0.1))' 'model.hidden=[32],[64]'

The space is written in Hydra's own sweep syntax: `interval(low, high)`, also of whole numbers, `tag(log, interval(...))`, and
lists of choices. Runs, parent run and promotion are those of any sweep: `python -m pipeline.promote` afterwards.
"""

import itertools
import math
import sys
import time
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override
from omegaconf import DictConfig

from pipeline import sweep
from pipeline.common.errors import UserError
from pipeline.config import schema as config
from pipeline.config.command import Parser, check_folder, fail
from pipeline.config.composition import compose_conf
from pipeline.config.effect import CONDITIONS, check_some_reads
from pipeline.train import SECTIONS, train


def search(trials: int, overrides: list[str], seed: int) -> int:
    """Run `trials` jobs; return how many failed."""
    try:
        import optuna
    except ImportError:
        raise UserError("optuna is not installed; install it with: pip install 'optuna>=4,<5'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    parsed = OverridesParser.create().parse_overrides(overrides)
    space = [override for override in parsed if override.is_sweep_override()]
    fixed = [str(override.input_line) for override in parsed if not override.is_sweep_override()]
    if not space:
        raise UserError("nothing to search: give at least one key several values, such as 'train.lr=interval(0.001, 0.1)'")
    check_effect(fixed, space)
    options = config.read(compose(fixed), {"tracking": config.TrackingConfig, "sweep": config.SweepConfig})
    folder = Path(f"outputs/sweeps/{time.strftime('%Y-%m-%d/%H-%M-%S')}-search")
    keys = [override.get_key_element() for override in space]
    command = f"python -m pipeline.search --trials {trials} {' '.join(overrides)}"
    main = sweep.Main(folder, options.tracking, options.sweep, trials, keys, command)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    for number in range(trials):
        trial = study.ask()
        chosen = [f"{key}={suggest(trial, override)}" for key, override in zip(keys, space)]
        accuracy = run_trial(compose(fixed + chosen), main.folder / str(number))
        failed = math.isnan(accuracy)
        study.tell(trial, None if failed else accuracy, optuna.trial.TrialState.FAIL if failed else None)
    return main.end("FINISHED")


def check_effect(fixed: list[str], space: list[Override]) -> None:
    """Refuse a word that no trial reads.

    Raises:
        ConfigError: naming the word, and what it needs.
    """
    deciding = {condition.other for condition in CONDITIONS}
    values = []
    for override in space:
        key, whole = override.get_key_element(), override.value()
        each = [whole.start] if isinstance(whole, IntervalSweep) else list(override.sweep_string_iterator())
        if "." in key and key not in deciding:  # whether another key is read does not hang on it
            each = each[:1]
        values.append([f"{key}={value}" for value in each])
    trials = [[*fixed, *chosen] for chosen in itertools.product(*values)]
    sections = {**SECTIONS, "sweep": config.SweepConfig}
    check_some_reads([(words, config.read(compose(words), sections).values) for words in trials])


def compose(words: list[str]) -> DictConfig:
    """The configuration of a trial."""
    return compose_conf(words, "search", [*SECTIONS, "sweep"])


def run_trial(composed: DictConfig, folder: Path) -> float:
    """Train with one choice of values, in a folder of its own; return the validation accuracy, NaN if the job failed."""
    HydraConfig.instance().set_config(composed)
    folder.mkdir(parents=True, exist_ok=True)
    return sweep.run_job(lambda: train(config.read(composed, SECTIONS), folder), folder)


def suggest(trial: Any, override: Override) -> Any:
    """The value Optuna proposes for one key."""
    key, values = override.get_key_element(), override.value()
    if isinstance(values, IntervalSweep):
        proposed = trial.suggest_int if isinstance(values.start, int) and isinstance(values.end, int) else trial.suggest_float
        return proposed(key, values.start, values.end, log="log" in values.tags)
    return trial.suggest_categorical(key, list(override.sweep_string_iterator()))


def main() -> None:
    parser = Parser(prog="python -m pipeline.search", description=__doc__.split("\n\n")[0])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of Optuna's choices")
    parser.add_argument("overrides", nargs="+", help="Hydra overrides; those with several values are the space")
    arguments = parser.parse_intermixed_args()
    try:
        check_folder()
        failed = search(arguments.trials, arguments.overrides, arguments.seed)
    except UserError as error:
        fail("search", error)
    sys.exit(min(failed, 100))


if __name__ == "__main__":
    main()
