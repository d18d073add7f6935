"""What the tests of page reading share: text set in a font, and a classifier that knows that font."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pipeline.characters import CLASSES
from pipeline.characters.normalise import normalise_all
from pipeline.nn.network import to_input
from pipeline.reading import OcrOptions


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
def templates() -> Templates:
    return Templates()


@pytest.fixture
def options() -> OcrOptions:
    return OcrOptions(work_pixels=1_000_000, straighten=True, printed="keep", language_weight=0.0, beam=8, reject_below=0.0)
