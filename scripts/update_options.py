"""Writes what each option means into the comments of conf/ and into docs/options.md: `python -m scripts.update_options`.

Meanings and ranges are said once, in the annotations of the dataclasses (`pipeline/common/options.py`).
"""

import re
from pathlib import Path
from typing import Any, get_args

import yaml

import pipeline
from pipeline import evaluate, fill, ink, lattice, ocr, prepare, train, visualize, words
from pipeline.common.options import OneOf, Option, options_of
from pipeline.config.schema import SweepConfig
from pipeline.forms.options import Field

ROOT = Path(pipeline.__file__).resolve().parent.parent
STAGES = (prepare, train, ink, words, lattice, evaluate, visualize, fill, ocr)
SECTIONS: dict[str, type] = {
    name: options for stage in STAGES for name, options in {**stage.SECTIONS, "sweep": SweepConfig}.items() if name != "seed"
}
TABLE = ROOT / "docs/options.md"
COLUMN = 24  # where comments begin
KEY = re.compile(r"""^(?P<key>"?(?P<name>\w+)"?): (?P<value>"(?:\\.|[^"\\])*"|[^#"][^#]*?)\s*(?:#.*)?$""")
HEAD = """# Options

The values are in `conf/`, one file for each choice of a section. `python -m scripts.update_options` makes this page from the
code. A list holds one or more values; `null` stands for none.
"""


def conf_files() -> dict[Path, type]:
    """The files of conf/ that hold the values of a section, with its dataclass; not what `promote` writes, nor forms."""
    files = sorted(path for name in SECTIONS if name != "form" for path in (ROOT / "conf" / name).glob("*.yaml"))
    return {path: SECTIONS[path.parent.name] for path in files if path.name != "champion.yaml"}


def comment(option: Option) -> str:
    """What an option means, in one line."""
    return option.meaning + (f": {' | '.join(option.limits)}" if isinstance(option.limits, OneOf) else "")


def commented(text: str, options: type) -> str:
    """The text of a file of conf/, with the meaning of each option beside its value."""
    known, lines = options_of(options), []
    for line in text.splitlines():
        found = KEY.match(line)
        if found and found["name"] in known:
            line = f"{found['key']}: {found['value']}".ljust(COLUMN - 2) + f"  # {comment(known[found['name']])}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def table(name: str, options: type) -> str:
    """A section of the page, as Markdown."""
    title = (options.__doc__ or "").split("\n")[0]
    lines = [f"## {name}", "", title, "", "| option | type | meaning | values |", "|---|---|---|---|"]
    for key, option in options_of(options).items():
        one_of = isinstance(option.limits, OneOf)
        values = ", ".join(f"`{value}`" for value in option.limits) if one_of else str(option.limits or "")
        lines.append(f"| `{key}` | {_kind(option.kind)} | {option.meaning} | {values} |")
    return "\n".join(lines) + "\n"


def _kind(kind: Any) -> str:
    """A type in words."""
    if none := type(None) in get_args(kind):
        kind = next(part for part in get_args(kind) if part is not type(None))
    words = {int: "whole number", float: "number", str: "text", bool: "true, false", list[str]: "list of texts"}
    words |= {list[int]: "list of whole numbers", list[float]: "list of numbers", Any: "text or list of texts"}
    return words.get(kind, "fields") + (", null" if none else "")


def page() -> str:
    """All of docs/options.md."""
    return "\n".join([HEAD, *(table(name, options) for name, options in {**SECTIONS, "form.fields": Field}.items())])


def main() -> None:
    for path, options in conf_files().items():
        before = path.read_text(encoding="utf-8")
        after = commented(before, options)
        assert yaml.safe_load(after) == yaml.safe_load(before), path
        path.write_text(after, encoding="utf-8")
    TABLE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
