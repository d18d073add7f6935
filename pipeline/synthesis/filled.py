"""Filled forms: a hand writes into the fields of a blank, and a camera takes a photo of it.

People do not keep to the cells exactly: letters are beside the middle, some cross a line, ticks start outside of their box.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from PIL import Image
from skimage.transform import estimate_transform

from pipeline.common.options import SHARE, OneOf, Options, Range
from pipeline.synthesis import scene
from pipeline.synthesis.handwriting import Habits, vary, write_characters
from pipeline.synthesis.stroke_library import StrokeLibrary

Box = tuple[float, float, float, float]

TICKS = {  # strokes in sides of the box, y down
    "tick": [np.array([(0.15, 0.5), (0.4, 0.85), (1.05, -0.1)])],
    "cross": [np.array([(0.1, 0.1), (0.9, 0.9)]), np.array([(0.9, 0.1), (0.1, 0.9)])],
    "stroke": [np.array([(0.05, 1.0), (0.95, 0.0)])],
    "scribble": [np.array([(0.1, 0.2), (0.9, 0.3), (0.15, 0.45), (0.85, 0.6), (0.1, 0.75), (0.9, 0.85)])],
}


@dataclass
class FillOptions(Habits, Options):
    """How forms are filled in and photographed; `Habits` are those of the hand. Strengths are the most that a copy gets.

    Beside `rotation`, a quarter of the copies lie on a side or upside down.
    """

    copies: Annotated[int, "of each form", Range(1)]
    seed: Annotated[int, "of everything random", Range(0)]
    width: Annotated[int, "of the photos, in pixels", Range(400, 8000)]
    height: Annotated[int, "of the photos, in pixels", Range(400, 8000)]
    pens: Annotated[list[str], "pens that copies take in turn", OneOf(scene.PENS)]
    fill: Annotated[float, "height of a character, as a share of the height of its cell", SHARE]
    size: Annotated[float, "standard deviation of the logarithm of that height", SHARE]
    miss: Annotated[float, "standard deviation of the place of a character, as a share of its cell", SHARE]
    empty: Annotated[float, "share of fields that are left empty", SHARE]
    rotation: Annotated[float, "largest rotation of the sheet, in degrees", Range(0, 45)]
    perspective: Annotated[float, "largest shift of a corner of the sheet, as a share of the sides", Range(0, 0.15)]
    desk: Annotated[float, "share of copies that lie on a dark desk", SHARE]
    gradient: Annotated[float, "share of the light lost at the darker side", SHARE]
    shadow: Annotated[float, "share of the light lost in a shadow", SHARE]
    blur: Annotated[float, "standard deviation of the blur, in pixels", Range(0, 50)]
    noise: Annotated[float, "standard deviation of the noise, in grey levels", Range(0, 50)]


def fill_in(
    blank: np.ndarray,
    written: Iterable[tuple[str, Box]],
    ticked: Iterable[Box],
    library: StrokeLibrary,
    options: FillOptions,
    number: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """The photo, (H, W, 3) uint8, of the blank with something written in it.

    Args:
        blank: (h, w) uint8.
        written: texts, and the box in pixels of the blank that each is written in, a character or a line of them.
        ticked: boxes with a tick.
        number: of the copy, which settles whose hand and which pen it is.
    """
    hands = library.hands_of("test")
    hand, pen = int(hands[number % len(hands)]), options.pens[number % len(options.pens)]
    paper = np.array(scene.PAPERS["white"], np.float32)
    sheet = paper * (blank[..., None] / np.float32(255)) * (1 + 0.006 * scene.smooth_noise(blank.shape, 2, rng))[..., None]
    strokes: list[np.ndarray] = []
    heights: list[float] = []
    for text, box in written:
        height = options.fill * (box[3] - box[1]) * np.exp(rng.normal(0, options.size))
        strokes += _write(library, hand, text, box, height, options, rng)
        heights.append(height)
    for box in ticked:
        strokes += _tick(box, options, rng)
    capital = float(np.median(heights)) if heights else 0.03 * len(blank)
    scene.ink(sheet, strokes, pen, capital, rng)
    return _photograph(sheet, options, rng)


def _write(
    library: StrokeLibrary, hand: int, text: str, box: Box, height: float, options: FillOptions, rng: np.random.Generator
) -> list[np.ndarray]:
    """Strokes of a text: a single character is in the middle of the box, a longer text starts at its left."""
    glyphs = write_characters(library, hand, text, options, rng)
    strokes = [stroke * height for glyph in glyphs for stroke in glyph]
    low, high = (np.array([edge(stroke[:, 0]) for stroke in strokes]) for edge in (np.min, np.max))
    width, (x0, y0, x1, y1) = high.max() - low.min(), box
    x = (x0 + x1 - width) / 2 if len(text) == 1 else x0 + 0.4 * height
    x, y = np.array([x - low.min(), (y0 + y1 + height) / 2]) + rng.normal(0, options.miss, 2) * (y1 - y0)
    return [stroke + (x, y) for stroke in strokes]


def _tick(box: Box, options: FillOptions, rng: np.random.Generator) -> list[np.ndarray]:
    """Strokes of a tick, a cross or another mark; it may reach a little out of the box."""
    side = np.array([box[2] - box[0], box[3] - box[1]])
    start = np.array(box[:2]) + rng.normal(0, options.miss, 2) * side
    shape: list[np.ndarray] = TICKS[str(rng.choice(list(TICKS)))]
    size = side * np.exp(rng.normal(0, options.size))
    return [stroke * size + start for stroke in vary(shape, options, rng)]


def _photograph(sheet: np.ndarray, options: FillOptions, rng: np.random.Generator) -> np.ndarray:
    """A photo of the sheet, which may lie on a side or upside down, in uneven light."""
    shape = height, width = options.height, options.width
    if rng.random() < 0.25:
        sheet = np.rot90(sheet, int(rng.integers(1, 4)))
    rows, columns = sheet.shape[:2]
    fit = min(width / columns, height / rows) * rng.uniform(0.85, 0.97)
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], float)
    turn = np.radians(rng.uniform(-1, 1) * options.rotation)
    matrix = fit * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    seen = (corners - (columns / 2, rows / 2)) @ matrix + (width / 2, height / 2)
    seen += rng.uniform(-options.perspective, options.perspective, (4, 2)) * (width, height)
    to_sheet = estimate_transform("projective", seen, corners).params
    picture = Image.fromarray(np.clip(np.rint(sheet * 255), 0, 255).astype(np.uint8))
    mask = Image.new("L", picture.size, 255)
    coefficients = tuple((to_sheet / to_sheet[2, 2]).ravel()[:8])
    warped, on_sheet = (
        np.asarray(
            image.transform((width, height), Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC), np.float32
        )
        / 255
        for image in (picture, mask)
    )
    wood, table = (0.34, 0.25, 0.19), (0.8, 0.8, 0.79)
    colour = np.array(wood if rng.random() < options.desk else table, np.float32)
    ground = colour * (1 + 0.04 * scene.smooth_noise(shape, 20, rng))[..., None]
    radiance = warped * on_sheet[..., None] + ground * (1 - on_sheet[..., None])
    radiance *= scene.light(shape, options.gradient * rng.random(), options.shadow * rng.random(), 0.2, 0.0, rng)[..., None]
    return scene.expose(
        radiance, rng.uniform(0.6, 0.85), rng.normal(0, 0.04), options.blur * rng.random(), options.noise * rng.random(), rng
    )
