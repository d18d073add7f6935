"""Options of a form: the section `form` of `conf/`, and the file that `pipeline.read --form` takes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import yaml

from pipeline.characters.alphabet import CAPITALS, DIGITS, LOWER_CASE, SIGNS
from pipeline.common import paths
from pipeline.common.checks import check_each, is_number
from pipeline.common.errors import ConfigError
from pipeline.common.options import SHARE, OneOf, Options, Range
from pipeline.reading.constraint import Allowed, Constraint, possible
from pipeline.reading.pattern import Pattern

ALPHABETS = {
    "digits": DIGITS,
    "letters": CAPITALS + LOWER_CASE,
    "alphanumeric": DIGITS + CAPITALS + LOWER_CASE,
    "all": DIGITS + CAPITALS + LOWER_CASE + SIGNS,
}
"""Name -> the characters of a field, of those that the network reads."""
TICKED = "x"
"""The text of a ticked box."""
MOST_CELLS = 200
RESERVED = ("name", "file", "page", "status", "flagged")


@dataclass
class Field(Options):
    """A place on a form to write in, or to tick."""

    box: Annotated[list[float], "left, top, right, bottom, as shares of the width and height of the blank"]
    kind: Annotated[str, "what is written in it", OneOf(("text", "checkbox"))] = "text"
    cells: Annotated[
        int, "characters that have a cell each; 0: a line or a box for any number of characters", Range(0, MOST_CELLS)
    ] = 0
    rows: Annotated[int, "fields below one another within the box, each of its own, `name_1`, `name_2`, ...", Range(1, 200)] = 1
    alphabet: Annotated[str, "characters that are written there", OneOf(ALPHABETS)] = "all"
    pattern: Annotated[str, "regular expression that matches the whole text; empty: any text of the alphabet"] = ""
    label: Annotated[str, "printed beside the field, where the project draws the form"] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        box = self.box
        if not (isinstance(box, list) and len(box) == 4 and all(is_number(side) and side in SHARE for side in box)):
            raise ConfigError(f"box: must be left, top, right, bottom from 0 to 1, not {box!r}")
        for low, high, names in (box[0], box[2], "left and right"), (box[1], box[3], "top and bottom"):
            if low >= high:
                raise ConfigError(f"box: {names} are {low:g} and {high:g}, and the first must be less; exchange them")
        check_each(self, ("pattern", "label"), lambda value: isinstance(value, str), "must be text")
        if self.pattern and self.cells and not self.allows_some(ALPHABETS["all"] + self.pattern):  # it may name others
            raise ConfigError(f"pattern: {self.pattern!r} matches no text that fits into {self.cells} cells")
        _ = self.constraint

    @property
    def constraint(self) -> Constraint:
        """The texts that the field allows."""
        return Pattern(self.pattern) if self.pattern else Allowed(ALPHABETS[self.alphabet])

    def allows_some(self, characters: str) -> bool:
        """Whether a text of these characters and spaces, not longer than the cells, may be written in the field."""
        return possible(self.constraint, characters + " " if self.pattern else characters, self.cells or MOST_CELLS)


@dataclass
class FormOptions(Options):
    """A form."""

    template: Annotated[str, "the blank: a picture, or a PDF"]
    fields: Annotated[dict[str, Field], "in the order of the columns of forms.csv"]
    page: Annotated[int, "page of the PDF that is the blank, from 1", Range(1)] = 1
    title: Annotated[str, "printed on top, where the project draws the form"] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_each(self, ("template",), lambda value: isinstance(value, str) and value != "", "must name a picture or a PDF")
        if not self.fields:
            raise ConfigError("fields: names no field; give each a box")
        names = [name for name, _ in self._named()]
        taken = [name for name in names if name in RESERVED or name.endswith("_confidence") or names.count(name) > 1]
        if taken:
            raise ConfigError(f"fields.{taken[0]}: is the name of another column of forms.csv; choose another one")

    def each(self) -> dict[str, Field]:
        """All single fields by their names; a field with several rows is several fields."""
        return dict(self._named())

    def _named(self) -> Iterator[tuple[str, Field]]:
        for name, one in self.fields.items():
            if one.rows == 1:
                yield name, one
                continue
            left, top, right, bottom = one.box
            step = (bottom - top) / one.rows
            for row in range(one.rows):
                yield f"{name}_{row + 1}", replace(one, rows=1, box=[left, top + row * step, right, top + (row + 1) * step])


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which PyYAML takes the last."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        keys: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in keys:
                raise ConfigError(f"{key.value}: stands twice, again in line {key.start_mark.line + 1}; leave one out")
            keys.add(str(key.value))
        return node


def form_file(name: str) -> Path:
    """The file of a form of the project."""
    return paths.ROOT / "conf/form" / f"{name}.yaml"


def load_form(path: Path) -> FormOptions:
    """Read the file of a form.

    Raises:
        ConfigError: it is missing, not YAML, or holds a wrong key or value; the message names the file and the key.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except (yaml.YAMLError, ValueError) as error:  # a ValueError: 2024-99-99 looks like a date
        raise ConfigError(f"{path}: is no YAML ({' '.join(str(error).split())})") from None
    try:
        if not isinstance(values, dict) or not isinstance(values.get("fields"), dict):
            raise ConfigError("fields: must name the fields, each with a box")
        return _build(FormOptions, {**values, "fields": {str(k): _field(k, v) for k, v in values["fields"].items()}})
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _field(name: object, values: Any) -> Field:
    try:
        if not isinstance(values, dict):
            raise ConfigError("box: is missing")
        return _build(Field, values)
    except ConfigError as error:
        raise ConfigError(f"fields.{name}.{error}") from None


def _build(options: type, values: dict[Any, Any]) -> Any:
    """A dataclass from the keys and values of a file."""
    known = options.__dataclass_fields__  # type: ignore[attr-defined]
    strange = [key for key in values if key not in known]
    if strange:
        raise ConfigError(f"{strange[0]}: no such key; the keys are {', '.join(known)}")
    missing = [key for key in list(known)[: 2 if options is FormOptions else 1] if key not in values]
    if missing:
        raise ConfigError(f"{missing[0]}: is missing")
    return options(**values)
