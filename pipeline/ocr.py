"""Stage `ocr`, `python -m pipeline.ocr`: page photos -> text.

For every page it writes the text, JSON, hOCR, ALTO, a searchable PDF and an annotated picture. It scores the page if a file
`<stem>.txt` with the truth is beside the photo. `ocr.pages=FOLDER_OR_FILE ocr.output=FOLDER` reads other photos; `form=NAME`
reads the fields of a form of conf/form/, whose truth is a `<stem>.csv`.
"""

import sys
from dataclasses import replace
from pathlib import Path

from pipeline import tracking
from pipeline.batch.options import BatchOptions
from pipeline.batch.report import Outcome, report
from pipeline.batch.run import run
from pipeline.batch.sources import find_sources
from pipeline.common import paths
from pipeline.common.errors import ConfigError, PageError
from pipeline.common.files import md5, replacing_folder, write_json
from pipeline.config.command import command
from pipeline.config.schema import Config, Sections, TrackingConfig
from pipeline.forms.options import FormOptions, form_file, load_form
from pipeline.forms.table import total_fields
from pipeline.output.score import in_words, total

SECTIONS: Sections = {"ocr": BatchOptions, "form": FormOptions, "tracking": TrackingConfig}


def ocr(config: Config, output: Path) -> None:
    """Read the rendered pages and the filled forms as the stage does, or the photos that `config.ocr.pages` names.

    Raises:
        PageError: after all pages, if one could not be read; the others are written.
    """
    options = replace(
        config.ocr, ink=config.ocr.ink or str(output / paths.INK), lattice=config.ocr.lattice or str(output / paths.LATTICE)
    )
    model = Path(options.model or output / paths.MODEL)
    outcomes = (
        read_named(options, model, config.form) if options.pages is not None else read_rendered(options, model, config, output)
    )
    failed = sum(outcome.failed for outcome in outcomes)
    if failed:
        raise PageError(f"{failed} of {sum(len(outcome.records) for outcome in outcomes)} pages could not be read")


def read_named(options: BatchOptions, model: Path, form: FormOptions | None) -> list[Outcome]:
    """Read the photos that `options.pages` names."""
    if form is not None:
        try:
            options.check_form()
        except ConfigError as error:
            raise ConfigError(f"ocr.{error}") from None
    sources = find_sources(options.pages, options.recursive, options.of_all)
    target = Path(options.output or "outputs/read")
    outcome = run(sources, options, model, target, form)
    for line in report(outcome, target):
        print(f"ocr: {line}", file=sys.stderr)
    return [outcome]


def read_rendered(options: BatchOptions, model: Path, config: Config, output: Path) -> list[Outcome]:
    """Read the pages of the stage `prepare` and the forms of the stage `fill`, and write their scores."""
    with replacing_folder(output / paths.READ_PAGES) as folder:
        pages = run(find_sources(output / paths.PAGES), options, model, folder, remember=False, show=False)
    forms = {}
    with replacing_folder(output / paths.READ_FORMS) as folder:
        for filled in sorted(path for path in (output / paths.FORMS).iterdir() if path.is_dir()):
            form = load_form(form_file(filled.name))
            form = replace(form, template=str(output / form.template))
            forms[filled.name] = run(find_sources(filled), options, model, folder / filled.name, form, remember=False, show=False)
    whole = in_words(total(list(pages.scores.values())))
    fields = {name: total_fields(list(outcome.fields.values())) for name, outcome in forms.items()}
    every = total_fields(list(fields.values())).in_words()
    metrics = {
        "pages": {name: in_words(part) for name, part in pages.scores.items()},
        "total": whole,
        "forms": {**{name: score.in_words() for name, score in fields.items()}, "total": every},
    }
    write_json(output / paths.OCR_METRICS, metrics)
    record(config, model, output / paths.READ_PAGES, {**whole, **{f"forms/{key}": value for key, value in every.items()}})
    for outcome in (pages, *forms.values()):
        print("ocr: " + "; ".join(report(outcome)))
    return [pages, *forms.values()]


def record(config: Config, model: Path, folder: Path, result: dict[str, float]) -> None:
    """Add the scores and the pages to the MLflow run of the model."""
    with tracking.Run(config.tracking, "ocr", {"stage": "ocr"}, weights=md5(model)) as run:
        run.params({"ocr": config.values["ocr"]})
        run.metrics({f"ocr/{key}": value for key, value in result.items()})
        run.artifact(folder)


if __name__ == "__main__":
    command("ocr", ocr)
