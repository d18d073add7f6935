"""Rendered pages: texts written by hands of the stroke library, photographed as if with a phone."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import numpy as np

from pipeline.characters.alphabet import ALPHANUMERIC, LOWER_CASE, SIGNS
from pipeline.common.errors import DataError
from pipeline.common.options import SHARE, OneOf, Options, Range
from pipeline.synthesis import scene
from pipeline.synthesis.handwriting import Habits, write_line
from pipeline.synthesis.stroke_library import StrokeLibrary

CHARACTERS = ALPHANUMERIC + LOWER_CASE + SIGNS + " "
"""The characters that a page may hold."""
MARGIN = 0.07
"""Free border of the sheet, as a share of its sides."""


@dataclass
class RenderOptions(Habits, Options):
    """How pages are written and photographed. Strengths are the most that a page gets; each gets a third of it or more.

    The look of a page depends on `seed` and on the name of the page. A whiteboard is written on with a marker.
    """

    slant: Annotated[float, "standard deviation of the lean of the hand over pages, in degrees", Range(0, 30)]
    texts: Annotated[str, "folder of text files, one for each page"]
    seed: Annotated[int, "of everything random", Range(0, 2**32 - 1)]
    width: Annotated[int, "of the photos, in pixels", Range(200, 8000)]
    height: Annotated[int, "of the photos, in pixels", Range(200, 8000)]
    pens: Annotated[list[str], "pens that pages take in turn", OneOf(scene.PENS)]
    papers: Annotated[list[str], "papers that pages take in turn", OneOf(scene.PAPERS)]
    line_slope: Annotated[float, "standard deviation of the slope of a line, in degrees", Range(0, 10)]
    rotation: Annotated[float, "largest rotation of the sheet, in degrees", Range(0, 15)]
    perspective: Annotated[float, "largest shift of a corner of the sheet, as a share of the sides", Range(0, 0.15)]
    desk: Annotated[float, "share of pages that lie on a dark desk, their edges in the picture", SHARE]
    gradient: Annotated[float, "share of the light lost at the darker side", Range(0, 0.9)]
    shadow: Annotated[float, "share of the light lost in a shadow", Range(0, 0.9)]
    vignette: Annotated[float, "share of the light lost in the corners", Range(0, 0.9)]
    warmth: Annotated[float, "largest cast of colour, as a share", Range(0, 0.5)]
    blur: Annotated[float, "standard deviation of the blur, in pixels", Range(0, 10)]
    noise: Annotated[float, "standard deviation of the noise, in grey levels", Range(0, 50)]


def load_texts(folder: Path) -> dict[str, str]:
    """Return name -> text of every `<name>.txt` in `folder`, in the order of their names.

    Raises:
        DataError: there are no texts, one is empty, or one has a character that cannot be written.
    """
    texts = {}
    for path in sorted(Path(folder).glob("*.txt")):
        try:
            lines = [line.rstrip() for line in path.read_text(encoding="utf-8").strip("\n").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: cannot be read as UTF-8 text ({error})") from None
        strange = sorted(set("".join(lines)) - set(CHARACTERS))
        if strange:
            raise DataError(f"{path}: cannot write {strange[0]!r}; use letters, digits, the signs {SIGNS}, space and line break")
        if not any(line.strip() for line in lines):
            raise DataError(f"{path}: is empty; write at least one line or remove it")
        texts[path.stem] = "\n".join(lines)
    if not texts:
        raise DataError(f"{folder}: holds no .txt files; put one there for each page")
    return texts


def render_pages(library: StrokeLibrary, texts: dict[str, str], options: RenderOptions) -> Iterator[tuple[str, np.ndarray, str]]:
    """Yield `(name, photo (H, W, 3) uint8, true text)` for every text.

    The hands are those of the test split, so that no network has learnt from them; each page has another one.
    """
    hands = np.random.default_rng(options.seed).permutation(library.hands_of("test"))
    for number, (name, text) in enumerate(texts.items()):
        able = [hand for hand in np.roll(hands, -number) if _can_write(library, hand, text)]
        if not able:
            raise DataError(f"page {name}: no test hand of the stroke library has all of its characters")
        pen, paper = options.pens[number % len(options.pens)], options.papers[number % len(options.papers)]
        rng = np.random.default_rng([options.seed, *name.encode()])
        yield name, render_page(library, able[0], text, pen, paper, options, rng), text


def _can_write(library: StrokeLibrary, hand: int, text: str) -> bool:
    return all(library.find(hand, character) for character in set(text) - set(" \n"))


def render_page(
    library: StrokeLibrary, hand: int, text: str, pen: str, paper: str, options: RenderOptions, rng: np.random.Generator
) -> np.ndarray:
    """Return the photo, (H, W, 3) uint8, of `text` written by `hand`; everything random comes from `rng`."""
    shape = (options.height, options.width)
    board = paper == "whiteboard"
    desk = not board and rng.random() < options.desk
    strokes, capital, pitch, first = _lay_out(library, hand, text, options, rng)
    camera = scene.make_camera(
        options.width,
        options.height,
        rng.uniform(-1, 1) * options.rotation,
        options.perspective * rng.uniform(1 / 3, 1),
        desk,
        rng,
    )
    sheet = scene.paint_sheet(paper, shape, camera, pitch / (1 if paper == "ruled" else 2), first + 0.1 * capital, desk, rng)
    scene.ink(sheet, [camera(stroke) for stroke in strokes], "marker" if board else pen, capital, rng)
    some = rng.uniform(1 / 3, 1, 6)
    glow = scene.light(
        shape, options.gradient * some[0], options.shadow * some[1], options.vignette * some[2], 0.3 if board else 0.0, rng
    )
    sheet *= glow[..., None]
    warmth = options.warmth * some[3] * (1 if rng.random() < 0.75 else -0.5)  # lamps are warm, the sky is blue
    return scene.expose(sheet, rng.uniform(0.55, 0.85), warmth, options.blur * some[4], options.noise * some[5], rng)


def _lay_out(
    library: StrokeLibrary, hand: int, text: str, options: RenderOptions, rng: np.random.Generator
) -> tuple[list[np.ndarray], float, float, float]:
    """Strokes in pixels of the sheet, height of a capital, distance of the lines, and y of the first base line."""
    usual = {field.name: getattr(options, field.name) for field in fields(Habits)}
    habits = Habits(
        **usual
        | {
            "slant": rng.normal(0, options.slant),
            "letter_gap": options.letter_gap * np.exp(rng.normal(0, options.gap_jitter)),
            "word_gap": options.word_gap * np.exp(rng.normal(0, options.gap_jitter)),
        }
    )
    lines = [write_line(library, hand, line, habits, rng) for line in text.split("\n")]
    widest = max(max(stroke[:, 0].max() for stroke in line) for line in lines if line)
    width, height = options.width * (1 - 2 * MARGIN), options.height * (1 - 2 * MARGIN)
    capital = min(rng.uniform(0.85, 0.97) * width / (widest + 0.8), height / (1.6 * len(lines) + 0.4), height / 5)
    pitch = min(height / len(lines), capital * rng.uniform(1.7, 3.4))
    first = options.height * MARGIN + 1.3 * capital + rng.uniform(0, 1) * max(0, height - pitch * len(lines))
    placed = []
    for number, line in enumerate(lines):
        slope = np.tan(np.radians(np.clip(rng.normal(0, options.line_slope), -2 * options.line_slope, 2 * options.line_slope)))
        start = options.width * MARGIN + rng.uniform(0, 0.8) * capital, first + number * pitch
        for stroke in line:
            x, y = stroke.T * capital
            placed.append(np.column_stack([start[0] + x, start[1] + y + slope * (x - width / 2)]))
    return placed, capital, pitch, first
