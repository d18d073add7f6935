"""Table: the forms of a folder as rows, and the accuracy of their fields."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.common.errors import DataError
from pipeline.forms.options import FormOptions
from pipeline.forms.reading import Reading
from pipeline.output.score import edit_distance

COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.5)


def columns(form: FormOptions) -> list[str]:
    """The columns of `forms.csv`, in the order of the file of the form."""
    return ["name", "file", "page", "status", *(key for name in form.each() for key in (name, f"{name}_confidence")), "flagged"]


def row(form: FormOptions, fields: Mapping[str, Reading], reject_below: float) -> dict[str, Any]:
    """The row of a form: the texts of its fields, empty for empty fields.

    Characters less certain than `reject_below` are `?`; `flagged` names the fields whose text their pattern or alphabet forbids.
    """
    cells: dict[str, Any] = {}
    for name in form.each():
        reading = fields.get(name)
        cells[name] = reading.shown(reject_below) if reading else ""
        cells[f"{name}_confidence"] = round(reading.confidence, 4) if reading else ""
    return {**cells, "flagged": " ".join(name for name, reading in fields.items() if not reading.allowed)}


class FieldScore(NamedTuple):
    """The comparison of fields with the truth.

    Attributes:
        answers: (confidence, whether it is right) of each field.
        edits, characters: of the texts, without check boxes.
    """

    answers: list[tuple[float, bool]]
    edits: int
    characters: int

    def in_words(self) -> dict[str, float]:
        """Accuracy of the characters, of the fields, and of the most certain fields."""
        return {
            "fields": len(self.answers),
            "character_accuracy": round(1 - self.edits / max(self.characters, 1), 4),
            "field_accuracy": self.accuracy(1.0),
            "field_accuracy_at_90": self.accuracy(0.9),
        }

    def accuracy(self, coverage: float) -> float:
        """Accuracy of this share of the fields, the most certain ones."""
        surest = sorted(self.answers, key=lambda answer: -answer[0])[: round(coverage * len(self.answers))]
        return round(sum(right for _, right in surest) / max(len(surest), 1), 4)

    def curve(self) -> list[dict[str, float]]:
        """Accuracy against coverage, and the confidence from which on that share of the fields is."""
        confidences = sorted((confidence for confidence, _ in self.answers), reverse=True)
        return [
            {
                "coverage": coverage,
                "accuracy": self.accuracy(coverage),
                "reject_below": round(confidences[max(0, round(coverage * len(confidences)) - 1)], 4),
            }
            for coverage in COVERAGES
            if confidences
        ]


def score_fields(fields: Mapping[str, Reading], truth: Path, form: FormOptions) -> FieldScore:
    """Compare with a CSV file of one row, whose columns are named like fields; case and the width of spaces do not count.

    Raises:
        DataError: the file is no such table.
    """
    try:
        with open(truth, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{truth}: cannot be read as a table ({getattr(error, 'strerror', None) or error})") from None
    known = form.each()
    strange = [name for name in (rows[0] if rows else []) if name not in known]
    if len(rows) != 1 or strange or None in rows[0].values():
        reason = (
            f"{strange[0]} is no field of the form" if any(strange) else "it must hold the names of fields and one row of texts"
        )
        raise DataError(f"{truth}: {reason}")
    answers, edits, characters = [], 0, 0
    for name, text in rows[0].items():
        reading = fields.get(name, Reading("", 0.0, []))  # nothing was read on an empty page
        wanted, got = (" ".join(value.upper().split()) for value in (text, reading.text))
        answers.append((reading.confidence, wanted == got))
        if known[name].kind == "text":
            edits += edit_distance(got, wanted)
            characters += len(wanted)
    return FieldScore(answers, edits, characters)


def total_fields(scores: Sequence[FieldScore]) -> FieldScore:
    """The score of all forms together."""
    return FieldScore(
        [answer for score in scores for answer in score.answers],
        sum(score.edits for score in scores),
        sum(score.characters for score in scores),
    )
