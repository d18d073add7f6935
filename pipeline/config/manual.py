"""Manual: the text of `python -m pipeline.STAGE --help`: what the stage does, and the values in conf/ that it reads."""

import importlib

import yaml

from pipeline.common.paths import ROOT
from pipeline.config.effect import set_by
from pipeline.config.promoted import CONF, load
from pipeline.config.schema import Sections


def manual(stage: str) -> str:
    """The help of a stage: its docstring, the files of conf/ to choose from, and the chosen ones with their comments."""
    module, config = importlib.import_module(f"pipeline.{stage}"), load(CONF / "config.yaml")
    groups = [name for name in module.SECTIONS if (CONF / name).is_dir()]
    width = max(map(len, [*groups, "experiment"]))
    lines = [
        f"handprint. {module.__doc__}".strip(),
        "",
        f"usage: python -m pipeline.{stage} [GROUP=FILE ...] [GROUP.KEY=VALUE ...]",
        "",
        "Files of conf/ to choose from; * is used where nothing is chosen:",
        *(f"  {group.ljust(width)}  {_files(group)}" for group in groups),
        f"  {'experiment'.ljust(width)}  {', '.join(_experiments(module.SECTIONS))}",
        *(["", f"seed: {config['seed']}, of all that is drawn at random"] if "seed" in module.SECTIONS else []),
    ]
    for group in groups:
        file = chosen(group)
        if file:
            text = (CONF / group / f"{file}.yaml").read_text(encoding="utf-8").rstrip()
            lines += ["", f"{group} (conf/{group}/{file}.yaml)", *(f"  {line}" for line in text.splitlines())]
    sweep = ["Several values are a sweep: -m train.lr=0.01,0.02 hydra/launcher=joblib"] if stage == "train" else []
    lines += [
        "",
        *sweep,
        f"The values of a command without running it: python -m pipeline.{stage} --cfg job; more of Hydra: --hydra-help",
    ]
    return "\n".join(lines) + "\n"


def chosen(group: str) -> str | None:
    """The file of a group that is used if none is chosen; None if there is no such file."""
    defaults = yaml.safe_load((ROOT / "conf/config.yaml").read_text(encoding="utf-8"))["defaults"]
    file = next(entry[group] for entry in defaults if isinstance(entry, dict) and group in entry)
    while file and not load(CONF / group / f"{file}.yaml"):  # a file that only names another one
        file = yaml.safe_load((CONF / group / f"{file}.yaml").read_text(encoding="utf-8"))["defaults"][0]
    return file


def _files(group: str) -> str:
    names = [path.stem for path in sorted((CONF / group).glob("*.yaml"))]
    return ", ".join(f"{name}*" if name == chosen(group) else name for name in names)


def _experiments(sections: Sections) -> list[str]:
    """Those that change what is read, or where a stage writes."""
    names = [path.stem for path in sorted((CONF / "experiment").glob("*.yaml"))]
    return [name for name in names if set_by(name) & {"hydra.run", *sections}]
