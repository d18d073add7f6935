"""Crossed-out words and printed labels on pages drawn here, which are read with the models of `make repro`."""

from collections.abc import Callable

import numpy as np
import pytest
import yaml
from skimage.transform import ProjectiveTransform

from pipeline.common.pixels import CLUTTER, PRINTED, WRITTEN
from pipeline.output.score import score
from pipeline.reading import OcrOptions, read
from pipeline.reading.models import load_models
from pipeline.synthesis.canvas import Canvas
from pipeline.synthesis.handwriting import Habits
from pipeline.synthesis.lettering import Hand
from pipeline.synthesis.notes import cross_out
from pipeline.synthesis.sheet import Sheet
from pipeline.synthesis.stroke_library import load_library
from tests.conftest import ROOT
from tests.test_quality import MADE

pytestmark = pytest.mark.skipif(not all(path.exists() for path in MADE), reason="`make repro` has not made the models yet")
NEAT = Habits(
    slant=3,
    slant_jitter=1,
    size_jitter=0.03,
    bend=0.02,
    baseline_jitter=0.01,
    letter_gap=0.3,
    word_gap=1.1,
    gap_jitter=0.1,
    join=0.0,
)
SIZE, CAPITAL = 800, 42.0
LINES = "CALL THE BANK", "AT NINE TOMORROW", "AND ASK FOR HELP"
PAGES = 8
Extra = Callable[[Sheet, float, float], float]
"""Adds something to a sheet at (x, y), and says where the writing goes on."""


@pytest.fixture(scope="module")
def reading() -> Callable[[np.ndarray], str]:
    folder = ROOT / "models"
    models = load_models(folder / "model.npz", folder / "lattice.npz", ROOT / "data/language.npz", folder / "ink.npz")
    values = yaml.safe_load((ROOT / "conf/ocr/pages.yaml").read_text())
    options = OcrOptions(**{name: values[name] for name in OcrOptions.__dataclass_fields__})
    return lambda photo: read(photo, models, options).text


def draw_page(number: int, extra: Extra | None) -> np.ndarray:
    """(H, W) uint8: `LINES` by a hand of the test split, with something before the last word of the first line."""
    library, rng = load_library(ROOT / "data/strokes.npz"), np.random.default_rng([7, number])
    hands = library.hands_of("test")
    hand = Hand(int(hands[number % len(hands)]), NEAT, "upper", "DejaVuSans", 0.0)
    sheet = Sheet(library, SIZE, CAPITAL, 4.0, hand, rng, "DejaVuSans", 1.0)
    for row, line in enumerate(LINES):
        x, y = 60.0, 150.0 + 110 * row
        for word in line.split():
            if extra and word == "BANK":
                x = extra(sheet, x, y)
            x = sheet.write(word, x, y) + NEAT.word_gap * CAPITAL
    canvas = Canvas(SIZE, ProjectiveTransform(), 0.9)
    canvas.print(sheet.printed, PRINTED, 0.8)
    canvas.draw(sheet.crossed, 4.0, CLUTTER, 0.8, 0.1, 0.1, rng)
    canvas.draw(sheet.written, 4.0, WRITTEN, 0.8, 0.1, 0.1, rng)
    return np.clip(255 * canvas.picture + rng.normal(0, 3, canvas.picture.shape), 0, 255).astype(np.uint8)


def crossed(sheet: Sheet, x: float, y: float) -> float:
    before = len(sheet.written)
    end = sheet.write("SHOP", x, y)
    cross_out(sheet, before, x, end, y)
    return end + NEAT.word_gap * CAPITAL


def label(sheet: Sheet, x: float, y: float) -> float:
    sheet.print("PLEASE PRINT: Answer in capitals", 60, 70, 22, "DejaVuSerif")
    return x


def edits(reading: Callable[[np.ndarray], str], extra: Extra | None) -> int:
    """Characters that are wrong, of `PAGES` pages."""
    return sum(score(reading(draw_page(number, extra)), "\n".join(LINES)).edits for number in range(PAGES))


@pytest.mark.parametrize("extra", [crossed, label])
def test_what_is_no_writing_changes_nothing_of_the_text(reading, extra):
    without, with_it = edits(reading, None), edits(reading, extra)
    assert without <= 4 and with_it <= without + 2 * PAGES, (without, with_it)
