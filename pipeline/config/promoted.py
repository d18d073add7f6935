"""Promoted: the files conf/<group>/champion.yaml, which hold what was promoted; a command that chooses no file uses them.

Before a promotion each names the file that is used instead, its base. Afterwards it holds every value of the promoted run, so
that a choice on the command line replaces it as it would any other file. conf/champion.yaml says from which run the values
come, and what the bases held then: a later edit of a base has no effect, so it is an error.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from pipeline.common.errors import ConfigError
from pipeline.common.files import write_text
from pipeline.common.paths import ROOT

CHOICE = "champion"
NOT_PROMOTED = ("resume", "check_gradients")
"""Keys of `train` that change how a training runs, not what comes out."""
CONF = ROOT / "conf"


def load(file: Path) -> dict[str, Any]:
    """The values of a file of conf/, without its defaults list."""
    values = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return {key: value for key, value in values.items() if key != "defaults"}


def write(values: dict[str, Any], run: str, conf: Path) -> None:
    """Make the values of a run the default choice of each group in which they differ from it.

    Args:
        values: group -> key -> value, and `seed`.
        run: one line that says where the values come from.
        conf: the folder.
    """
    record = load(conf / "champion.yaml")
    instead = {}
    for group, base in record["bases"].items():
        usual = load(conf / group / f"{base}.yaml")
        kept = {key: usual[key] if key in NOT_PROMOTED else value for key, value in values[group].items()}
        file = conf / group / f"{CHOICE}.yaml"
        if kept == usual:
            _write(
                file, f"# What is used where nothing is chosen: {base}.yaml, for nothing else was promoted.", {"defaults": [base]}
            )
            continue
        changed = [f"{key} ({_line(usual.get(key))})" for key, value in kept.items() if value != usual.get(key)]
        _write(file, f"# Promoted: {run}.\n# Differs from {base}.yaml in: {', '.join(changed)}", kept)
        instead[group] = digest(usual)
    _set_seed(conf / "config.yaml", values["seed"])
    record |= {"run": run, "bases_were": instead}
    _write(conf / "champion.yaml", _heading(conf / "champion.yaml"), record)


def check_bases(choices: dict[str, str], conf: Path = CONF) -> None:
    """Refuse an edited base that a promoted file replaces: the edit has no effect.

    Args:
        choices: group -> file, as Hydra chose them.

    Raises:
        ConfigError: naming the file, and what to do.
    """
    record = load(conf / "champion.yaml")
    for group, were in record["bases_were"].items():
        base = record["bases"][group]
        if choices.get(group) == CHOICE and digest(load(conf / group / f"{base}.yaml")) != were:
            raise ConfigError(
                f"conf/{group}/{base}.yaml was edited, but has no effect: conf/{group}/{CHOICE}.yaml, promoted from "
                f"{record['run']}, is used instead. Edit that file, choose {group}={base}, or go back with"
                " `git checkout conf`"
            )


def digest(values: dict[str, Any]) -> str:
    """A short digest of the values of a file; comments do not count."""
    return hashlib.md5(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _heading(file: Path) -> str:
    return "\n".join(line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("#"))


def _write(file: Path, heading: str, values: dict[str, Any]) -> None:
    lines = [heading, *(f"{key}: {_line(value)}" for key, value in values.items())]
    write_text(file, "\n".join(lines) + "\n")


def _line(value: Any) -> str:
    """A value as YAML on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("\n").removesuffix("\n...")


def _set_seed(file: Path, seed: int) -> None:
    """Change the seed in config.yaml, keeping its comment and its place."""
    lines = file.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.startswith("seed:"):
            _, _, comment = line.partition("#")
            lines[number] = f"seed: {seed}".ljust(24) + (f"#{comment}" if comment else "")
    write_text(file, "\n".join(lines) + "\n")
