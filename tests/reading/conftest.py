"""What the tests of page reading share: text set in a font, and a classifier that knows that font."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pipeline.characters import CLASSES
from pipeline.characters.alphabet import Alphabet
from pipeline.characters.normalise import normalise_all
from pipeline.lattice import measure, write_samples
from pipeline.nn.network import build_network, to_input
from pipeline.nn.options import ModelOptions
from pipeline.reading import OcrOptions
from pipeline.reading.kinds import fit_kinds
from pipeline.reading.language import LanguageModel, load_language
from pipeline.reading.line_model import LineModel, Weights, line_characters
from pipeline.reading.models import Models
from pipeline.seeing.windows import SHAPE
from pipeline.seeing.word_kinds import FEATURES, NAMES, WordModel
from pipeline.synthesis.stroke_library import load_library
from pipeline.synthesis.texts import random_page

ROOT = Path(__file__).parents[2]
CHARACTERS = line_characters(CLASSES)
SMALL = ModelOptions("cnn", [2], "relu", 0.0, "he", 0.0, [2], 3)
ALL_WRITING = WordModel(build_network(SMALL, SHAPE, len(NAMES), np.random.default_rng(0)), np.zeros((2, len(FEATURES) + 1)))
"""Takes all words for writing, whatever its network says."""


def set_text(text: str, size: int = 60, tracking: float = 0.25, margin: int = 60, ink: int = 40, paper: int = 225) -> np.ndarray:
    """(H, W, 3) uint8 page with the lines of `text`; `tracking` letter heights between letters."""
    font = ImageFont.load_default(size)
    widths = [sum(font.getlength(c) + tracking * size for c in line) for line in text.split("\n")]
    image = Image.new("L", (int(max(widths)) + 2 * margin, int(1.8 * size * len(widths)) + 2 * margin), paper)
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(text.split("\n")):
        x = margin
        for character in line:
            draw.text((x, margin + 1.8 * size * row), character, font=font, fill=ink)
            x += font.getlength(character) + tracking * size * (0.4 if character == "." else 1)
    return np.asarray(image.convert("RGB"))


class Templates:
    """Compares with each class's pictures in a few pen widths; the nearest are the most probable."""

    alphabet = Alphabet(CLASSES, nothing=False)

    def __init__(self) -> None:
        pictures, self.labels = [], []
        for label, character in enumerate(CLASSES):
            for size in (40, 60, 90):
                for stroke in (0, 1, 2):
                    image = Image.new("L", (128, 128))
                    ImageDraw.Draw(image).text(
                        (64, 64), character, font=ImageFont.load_default(size), fill=255, anchor="mm", stroke_width=stroke
                    )
                    pictures.append(np.asarray(image))
                    self.labels.append(label)
        self.inputs = to_input(normalise_all(np.stack(pictures)))

    def predict(self, x: np.ndarray) -> np.ndarray:
        distances = (x**2).sum(1)[:, None] - 2 * x @ self.inputs.T + (self.inputs**2).sum(1)
        nearest = np.stack([distances[:, np.array(self.labels) == label].min(1) for label in range(len(CLASSES))], axis=1)
        scores = np.exp(-0.08 * (nearest - nearest.min(1, keepdims=True)))
        return (scores / scores.sum(1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="session")
def templates() -> Models:
    """Models with a classifier that knows the font of `set_text`, and the weights that suit the project's network."""
    library = load_library(ROOT / "data/strokes.npz")
    kinds = fit_kinds([random_page(np.random.default_rng([0, i]), CHARACTERS) for i in range(400)])
    geometry = measure(write_samples(library, CHARACTERS, 12, 0), CHARACTERS)
    language = LanguageModel(load_language(ROOT / "data/language.npz"), kinds)
    return Models(Templates(), LineModel(CHARACTERS, Weights(), geometry, kinds, ALL_WRITING), language, None)


@pytest.fixture(scope="session")
def line_model(templates) -> LineModel:
    return templates.lines


@pytest.fixture(scope="session")
def language(templates) -> LanguageModel:
    return templates.language


@pytest.fixture
def options() -> OcrOptions:
    return OcrOptions(work_pixels=1_000_000, straighten=True, printed="keep", language_weight=0.0, beam=8, reject_below=0.0)
