"""Filled forms, read as pages without their description: how many of the words in their fields are read exactly."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import yaml

from pipeline.fill import FillConfig, entries, fill_copy, make_answers
from pipeline.forms.options import TICKED, form_file, load_form
from pipeline.synthesis.blank import draw_blank
from pipeline.synthesis.stroke_library import load_library

ROOT = Path(__file__).parents[1]


def fill_forms(name: str, copies: int) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Photos, (H, W, 3) uint8, of filled-in copies of a form of the project, and the words in their fields."""
    options = FillConfig(**yaml.safe_load((ROOT / "conf/fill/rendered.yaml").read_text()))
    library, form = load_library(ROOT / "data/strokes.npz"), load_form(form_file(name))
    blank = draw_blank(form.title, entries(form))
    for number in range(copies):
        rng = np.random.default_rng([options.seed, number, *name.encode()])
        answers = make_answers(form, options.empty, rng)
        photo = fill_copy(blank, form, answers, library, options, number, rng)
        yield photo, [word for text in answers.values() if text != TICKED for word in text.upper().split()]


def words_read(pages: Iterator[tuple[np.ndarray, list[str]]], read: Callable[[np.ndarray], str]) -> float:
    """The share of the words that are among those that are read."""
    right = total = 0
    for photo, words in pages:
        right += sum((Counter(words) & Counter(read(photo).upper().split())).values())
        total += len(words)
    return right / max(total, 1)
