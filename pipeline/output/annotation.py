"""Annotation: a picture that shows at a glance what was read, and where."""

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.reading.page import Character, Page, level, level_box

LONGER_SIDE = 1200  # pixels; of the photo in it
BAND = 48  # pixels; height of the words that explain the colours
LINE, WORD, TEXT, UNSURE = (40, 110, 220), (220, 120, 20), (20, 20, 20), (210, 0, 0)
SURE = 0.5  # characters less certain than this stand out


def annotate(page: Page, image: np.ndarray) -> Image.Image:
    """The photo, turned upright, with its lines and words framed; beside it each character as it was read, in its place.

    Args:
        image: (H, W, 3) uint8, the photo.
    """
    scale = min(1.0, LONGER_SIDE / max(page.width, page.height))
    small = Image.fromarray(image).resize(
        (max(1, round(page.width * scale)), max(1, round(page.height * scale))), Image.Resampling.BOX
    )
    photo = small.rotate(page.rotation, Image.Resampling.BILINEAR, expand=True, fillcolor="white")
    shift = np.array(photo.size) / 2 - level(page.rotation) @ np.array(small.size) / 2  # both turn about their centres
    picture = Image.new("RGB", (2 * photo.width, photo.height + BAND), "white")
    picture.paste(photo)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((photo.width, 0, picture.width - 1, photo.height - 1), outline=(200, 200, 200))

    def place(characters: Iterable[Character], margin: float = 0.0) -> tuple[float, ...]:
        """Box in the picture, with some air around it."""
        x0, y0, x1, y1 = scale * np.array(level_box(characters, page.rotation)) + (*shift, *shift)
        return x0 - margin, y0 - margin, x1 + margin, y1 + margin

    for line in page.lines:
        characters = line.characters
        draw.rectangle(place(characters, 5), outline=LINE, width=2)
        for word in line.words:
            draw.rectangle(place(word.characters, 2), outline=WORD, width=2)
        boxes = np.array([place([character]) for character in characters])  # (N, 4)
        font = ImageFont.load_default(_font_size(boxes))
        for character, (x0, _, x1, y1) in zip(characters, boxes):
            draw.text(
                (photo.width + (x0 + x1) / 2, y1),
                character.shown,
                anchor="ms",
                font=font,
                fill=UNSURE if character.rejected or character.confidence < SURE else TEXT,
            )
    _explain(draw, 0, photo.height, [("found:", TEXT), ("lines", LINE), ("words", WORD)])
    _explain(draw, photo.width, photo.height, [("read:", TEXT), (f"in red if less than {SURE:.0%} sure", UNSURE)])
    return picture


def _font_size(boxes: np.ndarray) -> float:
    """The size at which typed capitals are as high as the written ones, (N, 4), but do not overlap."""
    height = np.median(boxes[:, 3] - boxes[:, 1])
    pitch = np.median(np.append(np.diff(boxes[:, ::2].mean(axis=1)), height))
    return float(np.clip(min(height / 0.72, pitch / 0.7), 8, 200))  # the font's capitals are 0.72 high, about 0.65 wide


def _explain(draw: ImageDraw.ImageDraw, x: float, y: float, words: list[tuple[str, tuple[int, int, int]]]) -> None:
    """Write words in the colours that they explain."""
    font = ImageFont.load_default(28)
    for text, colour in words:
        draw.text((x + 14, y + BAND / 2), text, font=font, fill=colour, anchor="lm")
        x += font.getlength(text) + 12
