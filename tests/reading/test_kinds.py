"""Kinds of pages that people bring, drawn here and read with the trained models."""

from dataclasses import replace

import numpy as np
import pytest
import yaml
from PIL import Image, ImageDraw

from pipeline.output.score import score
from pipeline.reading import read
from pipeline.reading.models import load_models
from pipeline.reading.photo import load_photo
from pipeline.synthesis.handwriting import Habits, write_characters
from pipeline.synthesis.render import RenderOptions, load_texts, render_pages
from pipeline.synthesis.stroke_library import load_library
from tests.reading.conftest import ROOT

SIZE, PEN = 44, 5  # pixels
TEXT = ["CALL THE BANK", "AT NINE", "ASK FOR 350"]


@pytest.fixture(scope="module")
def models():
    paths = [ROOT / "models" / name for name in ("model.npz", "lattice.npz", "ink.npz")]
    if not all(path.exists() for path in paths):
        pytest.skip("needs models/ (make repro)")
    return load_models(paths[0], paths[1], ROOT / "data/language.npz", paths[2])


@pytest.fixture
def reading(options):
    return replace(options, work_pixels=1_600_000, language_weight=1.0)


def write(draw, text, place, ink=(25, 30, 90), hand=0):
    """Write a line in a hand of the stroke library; returns the box of each word."""
    library = load_library(ROOT / "data/strokes.npz")
    hand = library.hands_of("valid")[hand]
    habits = Habits(4, 2, 0.03, 0.02, 0.02, 0.3, 1.2, 0.1, 0.0)
    boxes: list[list[np.ndarray]] = [[]]
    for character, strokes in zip(text, write_characters(library, hand, text, habits, np.random.default_rng(0))):
        if character == " ":
            boxes.append([])
        for stroke in strokes:
            points = stroke * SIZE + place
            draw.line([tuple(point) for point in points.tolist()], ink, PEN, "curve")
            boxes[-1].append(points)
    return [np.concatenate([np.concatenate(word).min(0), np.concatenate(word).max(0)]) for word in boxes]


def sheet(lines, width=1200, height=500, left=150):
    image = Image.new("RGB", (width, height), (244, 243, 240))
    draw = ImageDraw.Draw(image)
    return image, draw, [write(draw, line, (left, 60 + 120 * row)) for row, line in enumerate(lines)]


def test_what_is_plain_is_read(models, reading):
    assert read(np.asarray(sheet(TEXT)[0]), models, reading).text.split("\n") == TEXT


@pytest.mark.parametrize("strikes", [1, 2])
def test_a_word_that_is_crossed_out_is_left_out(models, reading, strikes):
    image, draw, boxes = sheet(["CALL THE SHOP BANK", *TEXT[1:]])
    left, top, right, bottom = boxes[0][2]
    for row in range(strikes):
        y = top + (bottom - top) * (row + 1) / (strikes + 1)
        draw.line([(left - 12, y + 2), (right + 12, y - 2)], (25, 30, 90), PEN)
    assert read(np.asarray(image), models, reading).text.split("\n") == TEXT


def test_a_word_under_a_scribble_is_left_out(models, reading):
    image, draw, boxes = sheet(["CALL THE SHOP BANK", *TEXT[1:]])
    left, top, right, bottom = boxes[0][2]
    xs = np.arange(left - 6, right + 6, 6)
    draw.line([(x, top if i % 2 else bottom) for i, x in enumerate(xs.tolist())], (25, 30, 90), PEN)
    assert read(np.asarray(image), models, reading).text.split("\n") == TEXT


def test_boxes_to_tick_are_left_out(models, reading):
    image, draw, _ = sheet(TEXT)
    for row, ticked in enumerate((True, False, True)):
        y = 62 + 120 * row
        draw.rectangle([70, y, 110, y + 40], outline=(60, 60, 60), width=3)
        if ticked:
            draw.line([(76, y + 18), (90, y + 34), (116, y - 8)], (25, 30, 90), PEN)
    assert read(np.asarray(image), models, reading).text.split("\n") == TEXT


def test_what_shines_through_from_the_back_is_left_out(models, reading):
    image, _, _ = sheet(TEXT)
    back = Image.new("RGB", image.size, (244, 243, 240))
    for row, line in enumerate(["WITH MORE WORDS", "THE OTHER SIDE"]):
        write(ImageDraw.Draw(back), line, (150, 120 + 120 * row), (175, 176, 180), 1)
    both = np.minimum(np.asarray(image), np.asarray(back)[:, ::-1])
    assert read(both, models, reading).text.split("\n") == TEXT


def test_rims_of_holes_and_a_staple_are_left_out(models, reading):
    image, draw, _ = sheet(TEXT)
    for y in (40, 230, 420):
        draw.ellipse([20, y, 64, y + 44], outline=(150, 150, 150), width=3)
    draw.line([(1050, 50), (1110, 22)], (150, 150, 150), 3)
    assert read(np.asarray(image), models, reading).text.split("\n") == TEXT


def test_squared_paper_is_no_form(models, reading):
    values = yaml.safe_load((ROOT / "conf/pages/rendered.yaml").read_text())
    look = RenderOptions(**{**values, "papers": ["squared"], "pens": ["pencil"]})
    pages = render_pages(load_library(ROOT / "data/strokes.npz"), load_texts(ROOT / "data/pages"), look)
    _, image, text = next(page for page in pages if page[0].startswith("8"))
    assert score(read(image, models, reading).text, text).accuracy > 0.9


def test_what_is_in_the_cells_shows_which_side_of_a_form_is_up(models, reading):
    """The small labels beside them read as well upside down."""
    path = ROOT / "prepared/forms/exam_cover/2.jpg"
    if not path.exists():
        pytest.skip("needs prepared/forms (make repro)")
    assert "OUTPUT" in read(load_photo(path), models, reading).text.split("\n")


@pytest.mark.parametrize("mode", ["page", "line", "word"])
@pytest.mark.parametrize("text", ["11", "111", "I", "LL"])
def test_stems_alone_are_no_rests_of_lines(models, reading, text, mode):
    """In four of these hands they came out empty."""
    for hand in range(6):
        image = Image.new("RGB", (120 + 60 * len(text), 130), (244, 243, 240))
        write(ImageDraw.Draw(image), text, (50, 85), hand=hand)
        assert read(np.asarray(image), models, replace(reading, mode=mode)).text
