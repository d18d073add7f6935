"""Annotation: a picture that shows at a glance what was read, and where."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.reading.page import Character, Page, level, level_box

Words = Sequence[tuple[str, tuple[int, int, int]]]  # words and their colours

LONGER_SIDE = 1200  # pixels; of the photo in it
ENLARGED = 3.0  # times; most that a small photo is enlarged, so that what is written over it can be read
BAND = 48  # pixels; height of the words that explain the colours
LINE, WORD, TEXT, UNSURE = (40, 110, 220), (220, 120, 20), (20, 20, 20), (210, 0, 0)
SURE = 0.5  # characters less certain than this stand out
FOUND = [("found:", TEXT), ("lines", LINE), ("words", WORD)]
READ = [("read:", TEXT), (f"in red if less than {SURE:.0%} sure", UNSURE)]
"""What the two halves of the picture show, in the colours that it explains."""
LETTERS = ImageFont.load_default(24)


def annotate(page: Page, image: np.ndarray) -> Image.Image:
    """The photo, turned upright, with its lines and words framed; beside it each character as it was read, in its place.

    Args:
        image: (H, W, 3) uint8, the photo.
    """
    scale = min(ENLARGED, LONGER_SIDE / max(page.width, page.height))
    size = max(1, round(page.width * scale)), max(1, round(page.height * scale))
    sized = Image.fromarray(image).resize(size, Image.Resampling.BOX if scale <= 1 else Image.Resampling.BILINEAR)
    photo = sized.rotate(page.rotation, Image.Resampling.BILINEAR, expand=True, fillcolor="white")
    shift = np.array(photo.size) / 2 - level(page.rotation) @ np.array(sized.size) / 2  # both turn about their centres
    half = max(photo.width, *(round(explanation_width(words)) for words in (FOUND, READ)))
    picture = Image.new("RGB", (2 * half, photo.height + BAND), "white")
    picture.paste(photo)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((half, 0, picture.width - 1, photo.height - 1), outline=(200, 200, 200))

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
                (half + (x0 + x1) / 2, y1),
                character.shown,
                anchor="ms",
                font=font,
                fill=UNSURE if character.rejected or character.confidence < SURE else TEXT,
            )
    for x, words in ((0, FOUND), (half, READ)):
        explain(draw, x, photo.height, words)
    return picture


def _font_size(boxes: np.ndarray) -> float:
    """The size at which typed capitals are as high as the written ones, (N, 4), but do not overlap."""
    height = np.median(boxes[:, 3] - boxes[:, 1])
    pitch = np.median(np.append(np.diff(boxes[:, ::2].mean(axis=1)), height))
    return float(np.clip(min(height / 0.72, pitch / 0.7), 8, 200))  # the font's capitals are 0.72 high, about 0.65 wide


def explain(draw: ImageDraw.ImageDraw, x: float, y: float, words: Words) -> None:
    """Write words in the colours that they explain, in a band of `BAND` pixels below y."""
    for (text, colour), start in zip(words, _starts(words)):
        draw.text((x + start, y + BAND / 2), text, font=LETTERS, fill=colour, anchor="lm")


def explanation_width(words: Words) -> float:
    """Pixels that `explain` needs."""
    return _starts(words)[-1]


def _starts(words: Words) -> list[float]:
    """Pixels from the left where each word of an explanation begins, and where the last one ends."""
    return list(accumulate((LETTERS.getlength(text) + 12 for text, _ in words), initial=14.0))
