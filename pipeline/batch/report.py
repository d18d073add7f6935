"""Report: what became of the pages, and how much of them is right."""

import sys
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.batch.record import Record
from pipeline.batch.sources import Source
from pipeline.common.counted import counted
from pipeline.common.errors import DataError
from pipeline.forms import table
from pipeline.forms.options import FormOptions
from pipeline.forms.table import FieldScore
from pipeline.output.score import Score, in_words, score, total

SUMMARY = ["name", "file", "page", "status", "characters", "confidence", "doubtful", "reason"]
"""Columns of `summary.csv`."""


class Outcome(NamedTuple):
    """Records of the pages, in their order, and scores, of texts or of fields, of those with a file of the truth."""

    records: list[Record]
    scores: dict[str, Score]
    fields: dict[str, FieldScore]

    @property
    def failed(self) -> int:
        return sum(record.status == "failed" for record in self.records)


def add_score(source: Source, record: Record, form: FormOptions | None, outcome: Outcome) -> None:
    """Compare with the file of the truth, if there is one; a page whose truth cannot be read has no score, and a line says so."""
    if source.count > 1 or source.content is not None:
        return
    truth = source.path.with_suffix(".txt" if form is None else ".csv")
    try:
        if not truth.exists():
            return
        if form is None:
            outcome.scores[source.name] = score(record.text, truth.read_text(encoding="utf-8", errors="replace"))
        else:
            outcome.fields[source.name] = table.score_fields(record.fields, truth, form)
    except (DataError, OSError) as error:
        reason = f"{truth}: cannot be read ({error.strerror})" if isinstance(error, OSError) else error
        print(f"{reason}; {source.path.name} is not scored", file=sys.stderr)


def in_lines(record: Record, reject_below: float) -> str:
    """A form as text: one line for each field that is not empty."""
    flags = {True: "", False: "   (not as the form wants it)"}
    return "\n".join(
        f"{name}: {reading.shown(reject_below)}{flags[reading.allowed]}"
        for name, reading in record.fields.items()
        if reading.text
    )


def row(record: Record) -> dict[str, Any]:
    """A row of `summary.csv`."""
    return {key: getattr(record, key) for key in SUMMARY} | {"name": record.name.encode("utf-8", "replace").decode()}


def report(outcome: Outcome, folder: Path | None = None) -> list[str]:
    """Lines for the user: the number of pages by status, and the scores.

    Args:
        folder: of the results, if it holds a `summary.csv`.
    """
    lines = []
    counts = {status: sum(record.status == status for record in outcome.records) for status in ("read", "empty", "failed")}
    counts["doubtful"] = sum(record.doubtful for record in outcome.records)
    if len(outcome.records) > 1:
        said = f"{len(outcome.records)} pages: " + ", ".join(f"{count} {status}" for status, count in counts.items())
        lines.append(said + (f"; {folder / 'summary.csv'}" if folder else ""))
    if outcome.scores:
        scored = in_words(total(list(outcome.scores.values())))
        lines.append(f"{counted(len(outcome.scores), 'page')} scored: {_listed(scored)}")
    if outcome.fields:
        scored = table.total_fields(list(outcome.fields.values())).in_words()
        lines.append(f"{counted(len(outcome.fields), 'form')} scored: {_listed(scored)}")
    return lines


def _listed(scores: dict[str, float]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in scores.items())
