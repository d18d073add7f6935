"""Annotation: a picture of the text that was read, at its places."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.reading.page import Character, Page, level, level_box

Words = Sequence[tuple[str, tuple[int, int, int]]]  # words and their colours

LONGER_SIDE = 1200  # pixels; of the photo in it
ENLARGED = 3.0  # largest factor by which a small photo is enlarged, so that the text over it is legible
BAND = 48  # pixels; height of the legend
LINE, WORD, TEXT, UNSURE = (40, 110, 220), (220, 120, 20), (20, 20, 20), (210, 0, 0)
SURE = 0.5  # characters with a lower posterior are red
FOUND = [("found:", TEXT), ("lines", LINE), ("words", WORD)]
READ = [("read:", TEXT), (f"in red if less than {SURE:.0%} sure", UNSURE)]
"""The legends of the two halves of the picture."""
LETTERS = ImageFont.load_default(24)


def annotate(page: Page, image: np.ndarray) -> Image.Image:
    """The upright photo with frames around lines and words; beside it each character that was read, at its place.

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
        """Box in the picture, with a margin."""
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
    """The font size at which capitals are as high as the written ones in their boxes, (N, 4), but do not overlap."""
    height = np.median(boxes[:, 3] - boxes[:, 1])
    pitch = np.median(np.append(np.diff(boxes[:, ::2].mean(axis=1)), height))
    return float(np.clip(min(height / 0.72, pitch / 0.7), 8, 200))  # the font's capitals are 0.72 high, about 0.65 wide


def explain(draw: ImageDraw.ImageDraw, x: float, y: float, words: Words) -> None:
    """Write a legend, each word in its colour, in a band of `BAND` pixels below y."""
    for (text, colour), start in zip(words, _starts(words)):
        draw.text((x + start, y + BAND / 2), text, font=LETTERS, fill=colour, anchor="lm")


def explanation_width(words: Words) -> float:
    """Pixels that `explain` needs."""
    return _starts(words)[-1]


def _starts(words: Words) -> list[float]:
    """The x in pixels at which each word of a legend begins, and at which the last one ends."""
    return list(accumulate((LETTERS.getlength(text) + 12 for text, _ in words), initial=14.0))
