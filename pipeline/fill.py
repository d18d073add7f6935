"""Stage `fill`, `python -m pipeline.fill`: draw the blanks of the project's forms, and filled-in copies.

Writes prepared/forms/<form>.png, and for each copy <form>/<number>.jpg with <number>.csv, the truth of its fields.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from PIL import Image

from pipeline.common import paths
from pipeline.common.errors import ConfigError
from pipeline.common.files import replacing_folder
from pipeline.config.command import command
from pipeline.config.schema import Config, Sections
from pipeline.forms.options import ALPHABETS, TICKED, Field, FormOptions, form_file, load_form
from pipeline.reading.constraint import Constraint
from pipeline.synthesis.blank import Entry, draw_blank
from pipeline.synthesis.filled import FillOptions, fill_in
from pipeline.synthesis.stroke_library import StrokeLibrary, load_library
from pipeline.synthesis.tokens import frequent_words

LIBRARY = Path("data/strokes.npz")


@dataclass
class FillConfig(FillOptions):
    """`FillOptions`, and the forms that are filled in."""

    forms: Annotated[list[str], "names of files of conf/form/"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.forms:
            raise ConfigError("forms: must name one or more files of conf/form/")


SECTIONS: Sections = {"fill": FillConfig}


def fill(config: Config, output: Path) -> None:
    """Draw every form and fill in its copies."""
    options: FillConfig = config.fill
    library = load_library(LIBRARY)
    with replacing_folder(output / paths.FORMS) as folder:
        for name in options.forms:
            form = load_form(form_file(name))
            blank = draw_blank(form.title, entries(form))
            Image.fromarray(blank).save(folder / f"{name}.png", dpi=(150, 150))
            (folder / name).mkdir()
            for number in range(options.copies):
                rng = np.random.default_rng([options.seed, number, *name.encode()])
                truth = make_answers(form, options.empty, rng)
                photo = fill_copy(blank, form, truth, library, options, number, rng)
                Image.fromarray(photo).save(folder / name / f"{number + 1}.jpg", quality=90)
                with open(folder / name / f"{number + 1}.csv", "w", newline="", encoding="utf-8") as file:
                    csv.writer(file, lineterminator="\n").writerows([list(truth), list(truth.values())])
    print(f"fill: {len(options.forms)} forms, {options.copies} copies of each")


def entries(form: FormOptions) -> list[Entry]:
    """The fields of the form as they are printed."""
    return [
        Entry(field.label, (left, top, right, bottom), field.cells, field.rows, field.kind == "checkbox")
        for field in form.fields.values()
        for left, top, right, bottom in [field.box]
    ]


def make_answers(form: FormOptions, empty: float, rng: np.random.Generator) -> dict[str, str]:
    """A random text for each field; some fields and half of the check boxes are empty."""
    answers = {}
    for name, field in form.each().items():
        if field.kind == "checkbox":
            answers[name] = TICKED if rng.random() < 0.5 else ""
        else:
            answers[name] = "" if rng.random() < empty else _answer(field, rng)
    return answers


def _answer(field: Field, rng: np.random.Generator) -> str:
    """A random text that the field allows and has room for."""
    most = field.cells or 12
    if field.pattern:
        return _walk(field.constraint, ALPHABETS[field.alphabet], most, rng)
    words = [word for word in frequent_words() if 1 < len(word) <= most]
    text = str(rng.choice(words))
    if rng.random() < 0.3 and len(longer := f"{text} {rng.choice(words)}") <= most:
        return longer
    return text


def _walk(constraint: Constraint, alphabet: str, most: int, rng: np.random.Generator) -> str:
    """A random text that the constraint accepts, of digits and capitals."""
    while True:
        state, text = constraint.start(), ""
        while len(text) <= most:
            steps = [(c, after) for c in alphabet if c.upper() == c and (after := constraint.step(state, c)) is not None]
            if constraint.accepts(state) and (not steps or rng.random() < 0.3):
                return text
            if not steps:
                break
            character, state = steps[rng.integers(len(steps))]
            text += character


def fill_copy(
    blank: np.ndarray,
    form: FormOptions,
    answers: dict[str, str],
    library: StrokeLibrary,
    options: FillOptions,
    number: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """The photo, (H, W, 3) uint8, of the form with the answers written in it."""
    size = blank.shape[::-1] * 2
    written, ticked = [], []
    for name, field in form.each().items():
        x0, y0, x1, y1 = (float(share) * side for share, side in zip(field.box, size))
        if field.kind == "checkbox":
            ticked += [(x0, y0, x1, y1)] if answers[name] else []
        elif field.cells:
            edges = np.linspace(x0, x1, field.cells + 1)
            written += [
                (character, (float(edges[i]), y0, float(edges[i + 1]), y1))
                for i, character in enumerate(answers[name])
                if character != " "
            ]
        elif answers[name]:
            written.append((answers[name], (x0, y0, x1, y1)))
    return fill_in(blank, written, ticked, library, options, number, rng)


if __name__ == "__main__":
    command("fill", fill)
