"""`python -m pipeline.read FILE...`: photos, scans and PDFs -> text. Plain file names, folders, and `-` for standard input.

The options are those of conf/ocr/pages.yaml; what is not given here is as it stands there.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NoReturn

import yaml

from pipeline.batch.options import BatchOptions
from pipeline.batch.report import report
from pipeline.batch.run import run
from pipeline.batch.sources import find_sources
from pipeline.common import paths
from pipeline.common.errors import ConfigError, UserError
from pipeline.common.options import OneOf, options_of
from pipeline.forms.options import FormOptions, form_file, load_form
from pipeline.output.export import SUFFIXES

OPTIONS = {"mode": "", "characters": "CHARACTERS", "pattern": "PATTERN", "words": "FILE", "jobs": "N", "seconds": "S"}
OPTIONS |= {"reject_below": "P", "model": "FILE", "ink": "FILE", "recursive": "", "again": "", "debug": "FOLDER", "pdf": ""}
"""Options of conf/ocr/ that the command line takes -> what its help calls their values."""


def main(arguments: list[str] | None = None) -> int:
    """Read what the command line names; return the exit status: 0 all read, 1 a mistake or a page that could not be read."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        with _as_typed():
            options = _options({key: value for key, value in vars(given).items() if value is not None})
            form = find_form(given.form) if given.form is not None else None
            sources = find_sources(options.pages, options.recursive, options.of_all)
            model = Path(options.model or paths.ROOT / paths.MODEL)
            folder = Path(options.output or "outputs/read")
            outcome = run(sources, options, model, folder, form)
    except (UserError, OSError) as error:
        print(f"read: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    for line in report(outcome, folder):
        print(f"read: {line}", file=sys.stderr)
    return 1 if outcome.failed else 0


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        from difflib import get_close_matches  # not above: only who mistypes needs it

        unknown = message.removeprefix("unrecognized arguments: ").split()[0] if "unrecognized" in message else None
        near = get_close_matches(unknown or "", self._option_string_actions, 1)
        said = f"{unknown}: no such option{f'; did you mean {near[0]}?' if near else ''}" if unknown else message
        self.exit(2, f"read: {said.removeprefix('argument ')}; --help lists the options\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m pipeline.read", description=__doc__, allow_abbrev=False)
    parser.add_argument("pages", nargs="+", metavar="FILE", help="photos, scans, PDFs, folders of them; - for standard input")
    parser.add_argument("--out", dest="output", metavar="FOLDER", help="for the results (default: outputs/read)")
    parser.add_argument("--formats", type=_formats, help=f"any of {','.join(SUFFIXES)}, or all (default: txt)", default=["txt"])
    parser.add_argument("--form", metavar="FORM", help="read fields: a name of conf/form/, or a file like those")
    for key, metavar in OPTIONS.items():
        option = options_of(BatchOptions)[key]
        name, meaning = f"--{key.replace('_', '-')}", option.meaning.replace("; null:", "; default:")
        if option.kind is bool:
            parser.add_argument(name, action="store_true", default=None, help=meaning)
        elif isinstance(option.limits, OneOf):
            parser.add_argument(name, choices=option.limits, help=meaning)
        else:
            kind = option.kind if option.kind in (int, float) else str
            parser.add_argument(name, type=kind, metavar=metavar, help=meaning)
    return parser


def find_form(name: str) -> FormOptions:
    """The form of that file, or of that name in conf/form/.

    Raises:
        ConfigError: there is none, or it is no form.
    """
    file = Path(name) if Path(name).is_file() else form_file(name)
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in file.parent.glob("*.yaml")))
        raise ConfigError(f"--form: {name or 'an empty name'} is no file, and no form of conf/form/, which holds {known}")
    form = load_form(file)
    beside = (file.parent if file == Path(name) else paths.ROOT) / form.template
    return form if Path(form.template).exists() else replace(form, template=str(beside))


def _formats(text: str) -> list[str]:
    return list(SUFFIXES) if text == "all" else [part.strip() for part in text.split(",") if part.strip()]


def _options(given: dict[str, Any]) -> BatchOptions:
    """conf/ocr/pages.yaml with what was given on the command line.

    Raises:
        ConfigError: a value out of its range, or one that has no effect on a form.
    """
    if not (paths.ROOT / "conf").is_dir():
        from pipeline.config.conf_files import check_files  # not above: it imports much, and says what is missing

        check_files()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # 1 ms for 20
    values = yaml.load((paths.ROOT / "conf/ocr/pages.yaml").read_text(encoding="utf-8"), loader)
    values["language"] = str(paths.ROOT / values["language"])
    values["ink"] = values["ink"] or str(paths.ROOT / paths.INK)
    values["lattice"] = values["lattice"] or str(paths.ROOT / paths.LATTICE)
    known = {field.name for field in fields(BatchOptions)}
    options = BatchOptions(**{key: value for key, value in {**values, **given}.items() if key in known})
    if "form" in given:
        options.check_form()
    return options


@contextmanager
def _as_typed() -> Iterator[None]:
    """Name an option in an error as it stands on the command line."""
    try:
        yield
    except ConfigError as error:
        key, _, reason = str(error).partition(":")
        if key not in {field.name for field in fields(BatchOptions)}:
            raise
        raise ConfigError(f"--{'out' if key == 'output' else key.replace('_', '-')}:{reason}") from None


if __name__ == "__main__":
    sys.exit(main())
