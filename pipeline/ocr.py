"""Stage 5, `python -m pipeline.ocr`: page photos -> text.

For every page it writes the text, JSON, hOCR, ALTO, a searchable PDF and a picture of what was read where, and scores the
page where a `<stem>.txt` with the truth lies beside the photo. `ocr.pages=FOLDER_OR_FILE ocr.output=FOLDER` reads other photos.
"""

import sys
from dataclasses import replace
from pathlib import Path

from pipeline import tracking
from pipeline.batch.options import BatchOptions
from pipeline.batch.run import run, summarise
from pipeline.batch.sources import find_sources
from pipeline.common import paths
from pipeline.common.errors import PageError
from pipeline.common.files import md5, replacing_folder, write_json
from pipeline.config.command import command
from pipeline.config.schema import Config, Sections, TrackingConfig
from pipeline.output.score import Score, total

SECTIONS: Sections = {"ocr": BatchOptions, "tracking": TrackingConfig}


def ocr(config: Config, output: Path) -> None:
    """Read the rendered pages as the stage does, or the photos that `config.ocr.pages` names.

    Raises:
        PageError: at the end, if any page could not be read; the others are written all the same.
    """
    options = replace(config.ocr, ink=config.ocr.ink or str(output / paths.INK))
    model = Path(options.model or output / paths.MODEL)
    as_stage = options.pages is None
    sources = find_sources(output / paths.PAGES if as_stage else options.pages, options.recursive)
    target = output / paths.READ_PAGES if as_stage else Path(options.output or "outputs/read")
    if as_stage:
        with replacing_folder(target) as folder:
            outcome = run(sources, options, model, folder, remember=False, show=False)
    else:
        outcome = run(sources, options, model, target, remember=True, show=True)
    scores = outcome.scores
    whole = in_words(total(list(scores.values())))
    if as_stage:
        write_json(output / paths.OCR_METRICS, {"pages": {name: in_words(part) for name, part in scores.items()}, "total": whole})
        record(config, model, target, whole)
    if scores:
        print(
            f"ocr: {len(scores)} pages scored: " + ", ".join(f"{key} {value:.4f}" for key, value in whole.items()),
            file=sys.stdout if as_stage else sys.stderr,
        )
    if not as_stage and len(outcome.records) > 1:
        print(f"ocr: {summarise(outcome)}; {target / 'summary.csv'}", file=sys.stderr)
    if outcome.failed:
        raise PageError(f"{outcome.failed} of {len(outcome.records)} pages could not be read")


def in_words(part: Score) -> dict[str, float]:
    """A score under the names used everywhere: accuracy without spaces, CER with spaces, WER."""
    return {"character_accuracy": round(part.accuracy, 4), "cer": round(part.cer, 4), "wer": round(part.wer, 4)}


def record(config: Config, model: Path, folder: Path, result: dict[str, float]) -> None:
    """Add the scores and the pages to the MLflow run of the model."""
    with tracking.Run(config.tracking, "ocr", {"stage": "ocr"}, weights=md5(model)) as run:
        run.params({"ocr": config.values["ocr"]})
        run.metrics({f"ocr/{key}": value for key, value in result.items()})
        run.artifact(folder)


if __name__ == "__main__":
    command("ocr", ocr)
