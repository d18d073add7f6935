"""The files of conf/: safe to compose, and all of them tracked by DVC."""

from pathlib import Path

import yaml

from pipeline.common.errors import ConfigError
from pipeline.common.paths import ROOT
from pipeline.config.schema import Sections

MAX_BYTES, MAX_DEPTH, MAX_VALUE = 100_000, 20, 4_000


def check_file(file: Path) -> None:
    """Refuse a file of conf/ that Hydra should not compose: no YAML, or YAML that creates objects or grows without end.

    Raises:
        ConfigError: one line naming the file, and where in it.
    """
    if file.stat().st_size > MAX_BYTES:
        raise ConfigError(f"{file}: larger than {MAX_BYTES:,} bytes, which no configuration is")
    depth = 0
    try:
        for event in yaml.parse(file.read_bytes(), Loader=yaml.SafeLoader):
            line = f"line {event.start_mark.line + 1}" if event.start_mark else "it"
            if len(getattr(event, "value", "")) > MAX_VALUE:
                raise ConfigError(f"{file}: {line}: a value longer than {MAX_VALUE:,} characters")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if getattr(event, "tag", None) or getattr(event, "anchor", None) or depth > MAX_DEPTH:
                raise ConfigError(
                    f"{file}: {line}: tags, anchors and values nested more than "
                    f"{MAX_DEPTH} deep are not allowed; write the plain value"
                )
    except (yaml.YAMLError, ValueError) as error:  # ValueError: of bytes that are no text
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        raise ConfigError(f"{file}:{f' line {mark.line + 1}:' if mark else ''} {reason}; write it as YAML") from None


def check_files(folder: Path = ROOT / "conf") -> None:
    """`check_file` for all of conf/.

    Raises:
        ConfigError: also where there is none, beside a package that was installed without its project.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; the commands need a clone of the project, with `pip install -e .`")
    for file in sorted(folder.rglob("*.yaml")):
        check_file(file)


def composed_files(section: str, choice: str) -> list[str]:
    """The files of conf/, as `dvc.yaml` names them, that a choice of a group is composed from: its own and its defaults."""
    file = ROOT / "conf" / section / f"{choice}.yaml"
    defaults = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("defaults", []) if file.exists() else []
    names = [f"conf/{section}/{choice}.yaml"]
    for base in defaults:
        if base != "_self_":
            names += composed_files(section, base)
    return names


def check_tracked(stage: str, sections: Sections, choices: dict[str, str | None], dvc_file: Path = ROOT / "dvc.yaml") -> None:
    """Make sure that `dvc.yaml` tracks each file of conf/ this stage is composed from: an edit must never go unseen.

    Args:
        sections: that the stage reads. `tracking` is an address, which changes no output.
        choices: group -> file, as Hydra chose them.

    Raises:
        ConfigError: naming the file that `dvc.yaml` does not list among the stage's params.
    """
    tracked: set[str] = set()
    for entry in yaml.safe_load(dvc_file.read_text(encoding="utf-8"))["stages"][stage]["params"]:
        tracked.update(entry if isinstance(entry, dict) else [entry])
    for section in sections:
        if section == "tracking" or choices.get(section, "") is None:  # None: a group of which no file is chosen
            continue
        for file in composed_files(section, str(choices[section])) if section in choices else ["conf/config.yaml"]:
            if file not in tracked:
                raise ConfigError(f"dvc.yaml: stage {stage} reads {file} but does not track it; add it to the stage's params")
