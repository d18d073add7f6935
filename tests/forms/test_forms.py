"""Forms: found on photos whatever their turn, read field by field, and what becomes a table of them."""

import contextlib

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage.transform import ProjectiveTransform, estimate_transform

from pipeline.batch.work import load_blank
from pipeline.characters.alphabet import ALPHANUMERIC
from pipeline.common.errors import ConfigError, DataError, PageError
from pipeline.common.pixels import PAPER, WRITTEN
from pipeline.fill import entries
from pipeline.forms import table
from pipeline.forms.ink import field_ink, find_dark
from pipeline.forms.options import Field, FormOptions, form_file, load_form
from pipeline.forms.read import FormReader, check_characters, read_checkbox
from pipeline.forms.reading import Reading
from pipeline.forms.register import Blank, register
from pipeline.nn.unet import UNetOptions, build_unet
from pipeline.reading import OcrOptions
from pipeline.reading.cell_ink import split_cells
from pipeline.reading.constraint import Allowed
from pipeline.reading.decode import decode_cells
from pipeline.reading.pattern import Pattern
from pipeline.synthesis.blank import Entry, draw_blank

FORMS = ("exam_cover", "order_sheet")


def drawn(name: str) -> tuple[FormOptions, np.ndarray]:
    form = load_form(form_file(name))
    return form, draw_blank(form.title, entries(form))


def photograph(sheet: np.ndarray, turn: float, scale: float, tilt: float) -> tuple[np.ndarray, ProjectiveTransform]:
    """A photo (H, W) uint8 of the sheet on a dark table, and the map from the sheet's pixels to it."""
    height, width = sheet.shape
    side = round(1.25 * scale * height)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    matrix = scale * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    seen = (corners - (width / 2, height / 2)) @ matrix + side / 2
    seen += tilt * side * np.array([[1, 0.5], [-0.5, 1], [-1, -0.3], [0.4, -1]])
    to_photo = estimate_transform("projective", corners, seen)
    back = np.linalg.inv(to_photo.params)
    picture = Image.fromarray(sheet).transform(
        (side, side), Image.Transform.PERSPECTIVE, tuple((back / back[2, 2]).ravel()[:8]), Image.Resampling.BILINEAR, fillcolor=70
    )
    return np.asarray(picture), to_photo


@pytest.mark.parametrize(
    "name, turn, scale, tilt", [("exam_cover", 5, 1.2, 0.03), ("exam_cover", 93, 0.8, 0.0), ("order_sheet", 170, 1.0, 0.02)]
)
def test_a_form_is_found_whatever_its_turn_scale_and_perspective(name, turn, scale, tilt):
    _, blank = drawn(name)
    photo, to_photo = photograph(blank, np.radians(turn), scale, tilt)
    found = ProjectiveTransform(register(photo, Blank(blank)))
    points = np.array([(x, y) for x in (100, 620, 1140) for y in (140, 700, 1100)], float)
    assert np.linalg.norm(found(points) - to_photo(points), axis=1).max() < 2 * scale


def test_a_form_is_found_though_its_cells_are_full_of_thick_writing():
    form, blank = drawn("order_sheet")
    sheet = Image.fromarray(blank)
    pencil = ImageDraw.Draw(sheet)
    for field in form.each().values():
        x0, y0, x1, y1 = np.array(field.box) * (blank.shape[::-1] * 2)
        for x in np.linspace(x0, x1, field.cells + 1)[:-1]:
            pencil.line((x + 6, y0 + 2, x + 20, y1 - 4, x + 34, y0 + 4), fill=30, width=7)
    photo, to_photo = photograph(np.asarray(sheet), 0.1, 1.0, 0.03)
    points = np.array([(200, 200), (800, 1000.0)])
    found = ProjectiveTransform(register(photo, Blank(blank)))
    assert np.linalg.norm(found(points) - to_photo(points), axis=1).max() < 2


def test_frame_lines_are_enough():
    boxes = [Entry("", (0.1, 0.1 * i, 0.1 + 0.12 * i, 0.1 * i + 0.04), cells=2 * i) for i in range(1, 7)]
    blank = draw_blank("", boxes)
    photo, to_photo = photograph(blank, np.radians(4), 1.0, 0.01)
    points = np.array([(200, 200), (800, 1000.0)])
    found = ProjectiveTransform(register(photo, Blank(blank)))
    assert np.linalg.norm(found(points) - to_photo(points), axis=1).max() < 2


def test_another_form_is_reported_and_not_guessed():
    photo, _ = photograph(drawn("order_sheet")[1], 0.05, 1.0, 0.0)
    with pytest.raises(PageError, match="not found on this page"):
        register(photo, Blank(drawn("exam_cover")[1]))


def test_a_blank_without_print_is_refused():
    with pytest.raises(PageError, match="too little print"):
        Blank(np.full((800, 600), 255, np.uint8))


def test_a_filled_form_is_read_field_by_field(templates):
    form, blank = drawn("exam_cover")
    written = {"last_name": "SMITH JONES", "number": "0123456789", "seat": "7", "course": "ABC1234"}
    sheet = Image.fromarray(blank)
    pencil, fields = ImageDraw.Draw(sheet), form.each()
    for name, text in written.items():
        x0, y0, x1, y1 = np.array(fields[name].box) * (blank.shape[::-1] * 2)
        edges = np.linspace(x0, x1, fields[name].cells + 1)
        for number, character in enumerate(text):
            middle = (edges[number] + edges[number + 1]) / 2, (y0 + y1) / 2 + 4  # its foot reaches towards the line
            pencil.text(middle, character, font=ImageFont.load_default(40), fill=60, anchor="mm")
    x0, y0, x1, y1 = np.array(fields["agreed"].box) * (blank.shape[::-1] * 2)
    pencil.line((x0 + 4, y0 + 12, x0 + 14, y1 - 4, x1 + 6, y0 - 8), fill=60, width=4)
    photo, to_photo = photograph(np.asarray(sheet), np.radians(-6), 1.1, 0.02)
    options = OcrOptions(work_pixels=1_600_000, straighten=True, printed="drop", language_weight=0.0, beam=8, reject_below=0.0)
    page, read = FormReader(form, blank, templates, options)(np.stack([photo] * 3, axis=-1))
    texts = {name: reading.text for name, reading in read.items()}
    assert list(texts) == list(fields)
    assert {name: text for name, text in texts.items() if text} == {**written, "agreed": "x"}
    assert [name for name, reading in read.items() if not reading.allowed] == ["seat"]  # a letter is missing
    assert page.text == "\n".join(written.values())
    box = page.lines[1].box
    x0, y0, x1, y1 = np.array(fields["number"].box) * (blank.shape[::-1] * 2)
    assert np.allclose(box, [*to_photo([x0, y0])[0], *to_photo([x1, y1])[0]], atol=60)


def test_a_piece_belongs_to_the_cell_it_is_mostly_in_and_touching_ones_are_cut():
    ink = np.zeros((60, 120), bool)
    box = np.array([10, 20, 110, 40])  # five cells of 20
    ink[22:38, 14:33] = True  # of the first, a little of the second
    ink[18:46, 60:62] = True  # of the third, reaching below
    ink[22:38, 74:76] = ink[30, 74:98] = ink[22:38, 96:98] = True  # of the fourth and fifth, joined
    ink[2:12, 40:60] = True  # of the field above
    ink[28, 41] = True  # a speck
    cells = split_cells(*field_ink(ink, box), np.arange(30, 110, 20), 20)
    assert [cell and cell.box for cell in cells] == [(14, 22, 33, 38), None, (60, 18, 62, 46), (74, 22, 90, 38), (90, 22, 98, 38)]


def test_a_stroke_in_faint_pencil_is_ink_although_each_pixel_is_rather_paper(monkeypatch):
    kinds = np.zeros((5, 20, 20), np.float32)
    kinds[PAPER], kinds[WRITTEN] = 0.9, 0.1
    kinds[PAPER, 9:11], kinds[WRITTEN, 9:11] = 0.6, 0.4
    monkeypatch.setattr("pipeline.forms.ink.look_closely", lambda gray, network: kinds)
    dark = find_dark(np.zeros((20, 20), np.uint8), build_unet(UNetOptions([4], 5), np.random.default_rng(0)))
    assert dark[9:11].all() and dark.sum() == 40


def test_a_faint_tick_is_one_and_a_dot_is_none():
    ink, box = np.zeros((40, 40), bool), np.array([10, 10, 32, 32])
    assert read_checkbox(ink, box, 3).text == ""
    ink[20:23, 20:23] = True
    assert read_checkbox(ink, box, 3).text == ""
    ink[20:23, 20:27] = True  # what is left of a stroke in pencil
    assert read_checkbox(ink, box, 3).text == "x"


def rows(*cells: dict[str, float] | None) -> list[np.ndarray | None]:
    """Cells with the given probabilities, the rest shared by all other characters."""
    made = []
    for given in cells:
        if given is None:
            made.append(None)
            continue
        row = np.full(36, (1 - sum(given.values())) / (36 - len(given)))
        for character, p in given.items():
            row[ALPHANUMERIC.index(character)] = p
        made.append(row)
    return made


def test_what_a_field_does_not_allow_is_not_considered():
    cells = rows({"O": 0.7, "0": 0.29}, {"I": 0.9, "1": 0.09}, {"S": 0.5, "5": 0.45})
    assert decode_cells(cells, ALPHANUMERIC, Allowed(ALPHANUMERIC)).text == "OIS"
    read = decode_cells(cells, ALPHANUMERIC, Pattern("[0-9]{3}"))
    assert read.text == "015" and read.allowed
    assert decode_cells(cells, ALPHANUMERIC, Pattern("[A-Z][0-9]+")).text == "O15"


def test_the_confidence_is_the_posterior_of_the_text():
    read = decode_cells(rows({"0": 0.6, "8": 0.3}, {"1": 0.5, "7": 0.5}), ALPHANUMERIC, Pattern("01|87"))
    assert read.text == "01"
    assert read.confidence == pytest.approx(0.6 / 0.9, abs=0.01)
    assert read.characters == pytest.approx([0.6 / 0.9] * 2, abs=0.01)


def test_a_text_that_breaks_the_pattern_is_read_as_it_is_and_flagged():
    for pattern in ("[0-9]{3}", "[0-9]{4}"):
        read = decode_cells(rows({"A": 0.99}, {"B": 0.99}, {"C": 0.99}), ALPHANUMERIC, Pattern(pattern))
        assert (read.text, read.allowed) == ("ABC", False)
    assert decode_cells(rows({"A": 0.9}, None, {"B": 0.9}), ALPHANUMERIC, Allowed(ALPHANUMERIC)).text == "A B"


def make_form(**changes: object) -> FormOptions:
    fields = {"name": Field(box=[0.1, 0.1, 0.5, 0.2]), "age": Field(box=[0.1, 0.3, 0.5, 0.5], rows=2, pattern="[0-9]+")}
    return FormOptions(template="blank.png", fields={"surname": fields["name"], "age": fields["age"]}, **changes)


def test_a_row_of_the_table(tmp_path):
    form = make_form()
    read = {"surname": Reading("AB C", 0.5, [0.9, 0.3, 1.0, 0.9]), "age_1": Reading("4Z", 0.8, [0.9, 0.9], False)}
    read["age_2"] = Reading("", 1.0, [])
    row = table.row(form, read, reject_below=0.6)
    assert (row["surname"], row["age_1"], row["age_2"], row["flagged"]) == ("A? C", "4Z", "", "age_1")
    assert [name for name in table.columns(form) if name in row and not name.endswith("_confidence")] == [*form.each(), "flagged"]
    (tmp_path / "truth.csv").write_text("surname,age_1,age_2\nab  c,42,\n")
    score = table.score_fields(read, tmp_path / "truth.csv", form)
    assert score.in_words()["field_accuracy"] == pytest.approx(2 / 3, abs=1e-3)
    assert score.in_words()["character_accuracy"] == pytest.approx(1 - 1 / 6, abs=1e-3)
    assert score.accuracy(1 / 3) == 1.0  # the surest one is right
    (tmp_path / "truth.csv").write_text("town\nX\n")
    with pytest.raises(DataError, match="town is no field"):
        table.score_fields(read, tmp_path / "truth.csv", form)


@pytest.mark.parametrize(
    "field, allowed",
    [
        ({"pattern": "[a-z]*"}, False),
        ({"pattern": "[a-z]* ?[0-9]"}, True),
        ({"pattern": "[A-Z]{12}"}, True),
        ({"pattern": "(.|A)*A(A|B){60}", "cells": 61}, True),  # a deterministic automaton would have 2 ** 60 states
        ({"alphabet": "letters"}, True),
        ({"kind": "checkbox", "pattern": "x"}, True),
    ],
)
def test_a_field_of_which_the_model_can_read_nothing_is_refused(field, allowed):
    with contextlib.nullcontext() if allowed else pytest.raises(ConfigError, match="form.fields.a.pattern: '.*' allows no text"):
        check_characters({"a": Field(box=[0, 0, 1, 1], **field)}, ALPHANUMERIC)


def test_a_page_that_the_blank_does_not_have_is_named(tmp_path):
    Image.new("L", (60, 40)).save(tmp_path / "blank.png")
    form = FormOptions(template=str(tmp_path / "blank.png"), fields={"a": Field(box=[0, 0, 1, 1])}, page=3)
    with pytest.raises(ConfigError, match="form.page: 3, and .*blank.png has 1 page$"):
        load_blank(form)


@pytest.mark.parametrize(
    "text, said",
    [
        ("template: a.png", "fields"),
        ("template: a.png\nfields: {a: {box: [0, 0, 1, 2]}}", "fields.a.box: must be left, top, right, bottom"),
        ("template: a.png\nfields: {a: {box: [0, 0, 1, 1], kind: star}}", "fields.a.kind"),
        ("template: a.png\nfields: {a: {box: [0, 0, 1, 1], cels: 3}}", "fields.a.cels: no such key"),
        ("template: a.png\nfields: {a: {box: [0, 0, 1, 1], pattern: '[0-9'}}", "fields.a.pattern: '[0-9' ends too early"),
        ("template: a.png\nfields: {page: {box: [0, 0, 1, 1]}}", "fields.page: is the name of another column"),
        ("fields: {a: {box: [0, 0, 1, 1]}}", "template: is missing"),
        ("a: [", "is no YAML"),
        ("template: 2024-99-99", "is no YAML"),
        ("template:\nfields: {a: {box: [0, 0, 1, 1]}}", "template: must name a picture or a PDF, not None"),
        ("template: 7\nfields: {a: {box: [0, 0, 1, 1]}}", "template: must name a picture or a PDF, not 7"),
        ("template: a.png\nfields:\n  a: {box: [0, 0, 1, 1]}\n  a: {box: [0, 0, 1, 1]}", "a: stands twice, again in line 4"),
        ("template: a.png\nfields: {a: {rows: 2, box: [0, 0, 1, 1]}, a_1: {box: [0, 0, 1, 1]}}", "fields.a_1: is the name of an"),
        ("template: a.png\nfields: {a: {box: [0.9, 0, 0.2, 1]}}", "fields.a.box: left and right are 0.9 and 0.2, and the first"),
        ("template: a.png\nfields: {a: {box: [0, 1, 1, 0.5]}}", "fields.a.box: top and bottom are 1 and 0.5, and the first"),
        (
            "template: a.png\nfields: {a: {box: [0, 0, 1, 1], cells: 10, pattern: '(A|B)*[0-9]{12}'}}",
            "fields.a.pattern: '(A|B)*[0-9]{12}' matches no text that fits into 10 cells",
        ),
    ],
)
def test_what_is_no_form_is_refused_in_one_line(tmp_path, text, said):
    (tmp_path / "form.yaml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_form(tmp_path / "form.yaml")
    assert said in str(raised.value) and "form.yaml" in str(raised.value) and "\n" not in str(raised.value)
