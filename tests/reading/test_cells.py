"""Cells: boxes, combs and tables that a page prints are kept together, whatever else stands on it."""

import csv
import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import maximum_filter

from pipeline.output.export import to_csv
from pipeline.reading import Page, read, reader
from pipeline.reading.cell_rows import CellRow, centred, find_cell_rows, slope_of
from pipeline.reading.layout import Components, find_components
from pipeline.reading.skew import skews
from pipeline.reading.straighten import View
from pipeline.seeing.cells import find_cells
from pipeline.seeing.ink import Ink

FONT = ImageFont.load_default(40)


class Sheet:
    """A page whose writing and whose lines are known: what the ink network would say of it."""

    def __init__(self, width: int = 1000, height: int = 600) -> None:
        self.ink, self.lines = Image.new("L", (width, height)), Image.new("L", (width, height))

    def write(self, x: float, y: float, text: str, pitch: float = 40) -> None:
        """Letters whose middles are `pitch` apart, from (x, y) on."""
        for number, character in enumerate(text):
            ImageDraw.Draw(self.ink).text((x + number * pitch, y), character, font=FONT, fill=255, anchor="mm")

    def boxes(self, x: int, y: int, count: int, width: int = 60, height: int = 64, gap: int = 0, lid: bool = True) -> None:
        """A row of boxes, from its top left corner on; without lids they are open above."""
        draw = ImageDraw.Draw(self.lines)
        for left in range(x, x + count * (width + gap), width + gap):
            corners = [(left, y), (left, y + height), (left + width, y + height), (left + width, y)]
            draw.line(corners + corners[: int(lid)], fill=255, width=3)

    def read(self, templates, options, monkeypatch, least: int = 0) -> Page:
        """The page that is read; lines are known where a row of pixels holds so much ink at `least`."""
        drawn = 255 - np.maximum(np.asarray(self.ink), np.asarray(self.lines) // 2)

        def find_ink(pixels: np.ndarray, *_: object) -> Ink:
            """What is known of the page, however it is turned: lines are half as dark as letters."""
            written = maximum_filter(pixels < 80, 7)
            if (pixels < 200).sum(1).max() < least:  # slanting lines look like writing to the network
                return Ink(np.where(pixels < 200, 255, 0).astype(np.uint8), np.zeros(pixels.shape, bool), None, pixels)
            ink = np.where(written, 255 - pixels, 0).astype(np.uint8)
            return Ink(ink, np.zeros(ink.shape, bool), find_cells((pixels < 200) & ~written), ink)

        monkeypatch.setattr(reader, "find_ink", find_ink)
        return read(np.stack([drawn] * 3, axis=-1), templates, options)

    def find(self) -> tuple[list[CellRow], Components]:
        """The rows of its cells, and the pieces of ink."""
        ink, lines = np.asarray(self.ink), np.asarray(self.lines) > 0
        found, cells = find_components(ink > 127), find_cells(lines & (ink < 80))
        return find_cell_rows(cells, found, View(ink, np.eye(3))), found


@pytest.mark.parametrize("gap, lid", [(0, True), (14, True), (0, False)])
def test_the_cells_of_a_comb_are_one_word_and_what_stands_beside_them_another(templates, options, monkeypatch, gap, lid):
    sheet, pitch = Sheet(), 60 + gap
    for y, label, text in ((100, "NAME", "SMITH JO"), (300, "NUMBER", "100483752")):
        sheet.write(60, y, label, 32)
        sheet.boxes(300, y - 32, len(text) - (len(text) == 9) + 1, gap=gap, lid=lid)
        sheet.write(330, y, text, pitch)
    page = sheet.read(templates, options, monkeypatch)
    assert page.text == "NAME SMITH JO\nNUMBER 100483752"
    assert to_csv(page, "") == "NAME,SMITH JO\nNUMBER,100483752\n"


def test_rows_of_a_table_are_rows_of_the_table_with_its_empty_cells(templates, options, monkeypatch):
    sheet = Sheet(1000, 700)
    rows = [("TENT", "12", "GREEN"), ("ROPE", "", "RED"), ("", "7", "BLUE"), ("STOVE", "130", "")]
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            sheet.boxes(60 + 290 * column, 60 + 90 * row, 1, 290, 90)
            sheet.write(100 + 290 * column, 105 + 90 * row, text, 34)
    page = sheet.read(templates, options, monkeypatch)
    assert [tuple(row) for row in csv.reader(io.StringIO(to_csv(page, "")))] == rows
    assert page.text.split("\n") == [" ".join(text for text in row if text) for row in rows]


@pytest.mark.parametrize("lower", [12, 25])
def test_boxes_on_one_level_are_read_across_also_where_they_stand_in_columns(templates, options, monkeypatch, lower):
    sheet = Sheet(1300, 900)
    rows = [("36", "92", "56"), ("60", "32", "77"), ("88", "37", "71"), ("10", "63", "73")]
    for row, numbers in enumerate(rows):
        for column, text in enumerate(numbers):
            x, y = 80 + 420 * column, 60 + 200 * row + lower * column  # seen at an angle
            sheet.boxes(x, y, 2, width=70, height=80)
            sheet.write(x + 35, y + 40, text, pitch=70)
    assert sheet.read(templates, options, monkeypatch).text == "\n".join(" ".join(numbers) for numbers in rows)


def test_a_cell_of_several_lines_is_one_cell_of_the_table(templates, options, monkeypatch):
    sheet = Sheet()
    for column, texts in enumerate((["ANNA", "SMITH"], ["ROOM", "101"])):
        sheet.boxes(60 + 400 * column, 60, 1, 400, 200)
        for line, text in enumerate(texts):
            sheet.write(110 + 400 * column, 110 + 90 * line, text, 36)
    assert to_csv(sheet.read(templates, options, monkeypatch), "") == "ANNA SMITH,ROOM 101\n"


def test_letters_that_do_not_mind_the_squares_are_no_comb(templates, options, monkeypatch):
    sheet = Sheet()
    for y in range(0, 600, 50):
        sheet.boxes(0, y, 20, 50, 50)
    sheet.write(100, 200, "MEET AT NINE", 36)
    assert sheet.read(templates, options, monkeypatch).text == "MEET AT NINE"


def test_a_comb_goes_on_where_the_lines_of_some_cells_are_not_seen():
    sheet = Sheet()
    sheet.boxes(100, 300, 5)
    sheet.boxes(520, 300, 3)
    sheet.write(130, 332, "W1K5R7G4ZM", 60)
    (row,), _ = sheet.find()
    assert row.comb and len(row.boxes) == 10 and [len(pieces) for pieces in row.pieces] == [1] * 10
    np.testing.assert_allclose(np.diff(row.boxes[:, 0]), 60, atol=3)


def test_two_combs_beside_each_other_stay_two():
    sheet = Sheet()
    sheet.boxes(100, 300, 4)
    sheet.boxes(480, 300, 4)
    sheet.write(130, 332, "W1K5", 60)
    sheet.write(370, 332, "TO", 36)  # a word between them, whose letters mind no cells
    sheet.write(510, 332, "R7G4", 60)
    assert [(row.comb, len(row.boxes)) for row in sheet.find()[0]] == [(True, 4), (True, 4)]


def test_a_comb_goes_on_where_other_cells_were_seen_instead_of_its_own():
    sheet = Sheet()
    sheet.boxes(100, 300, 4)
    sheet.boxes(340, 316, 1, 300, 32)  # of a row of boxes, the rest is seen as one, and lower
    sheet.write(130, 332, "W1K5R7G4", 60)
    assert [(row.comb, len(row.boxes)) for row in sheet.find()[0]] == [(True, 8)]


def test_a_single_box_beside_which_writing_goes_on_is_no_cell():
    sheet = Sheet()
    sheet.boxes(100, 300, 1)
    sheet.write(130, 332, "W1K5", 60)
    assert sheet.find()[0] == []


def test_a_label_close_to_a_comb_whose_letters_stand_about_as_far_apart_is_no_part_of_it():
    sheet = Sheet()
    sheet.boxes(400, 300, 6)
    sheet.write(430, 332, "739154", 60)
    sheet.write(108, 332, "NUMBER", 52)
    assert [(row.comb, len(row.boxes)) for row in sheet.find()[0]] == [(True, 6)]


def test_boxes_seen_as_one_are_parted_whatever_the_width_of_the_lines_between_them():
    sheet = Sheet()
    for x in (100, 170, 240, 310, 590):  # four boxes in the middle are seen as one
        sheet.boxes(x, 300, 1, 58)
    sheet.boxes(380, 300, 1, 198)
    sheet.write(129, 332, "W1K5R7G4", 70)
    (row,), _ = sheet.find()
    assert row.comb and len(row.boxes) == 8


def test_letters_in_the_middle_of_cells_were_written_into_them_others_just_stand_there():
    sheet = Sheet()
    sheet.boxes(100, 100, 8)
    sheet.boxes(100, 300, 8)
    sheet.write(130, 132, "W1K5R7G4", 60)
    for number, (x, y) in enumerate([(-14, 6), (12, -12), (15, 9), (-9, -13), (14, 14), (-15, 11), (13, -9), (-13, 12)]):
        sheet.write(130 + 60 * number + x, 332 + y, "W1K5R7G4"[number])
    (minded, loose), found = sheet.find()
    assert centred([minded], found) > 16 and centred([loose], found) < 0


def test_a_comb_is_found_however_the_photo_is_held(templates, options, monkeypatch):
    sheet = Sheet(900, 900)
    sheet.boxes(100, 300, 8)
    sheet.write(130, 332, "W1K5R7G4", 60)
    for name in ("ink", "lines"):
        setattr(sheet, name, getattr(sheet, name).rotate(94, Image.Resampling.BILINEAR))
    sheet.lines = sheet.lines.point(lambda value: 255 * (value > 100))
    assert sheet.read(templates, options, monkeypatch).text == "W1K5R7G4"


def test_a_slanting_form_is_looked_at_again_when_it_is_level(templates, options, monkeypatch):
    sheet = Sheet(900, 900)
    for y, text in ((300, "W1K5R7G4"), (420, "NEWBURGH")):
        sheet.boxes(100, y, 8)
        sheet.write(130, y + 32, text, 60)
    for name in ("ink", "lines"):
        setattr(sheet, name, getattr(sheet, name).rotate(-12, Image.Resampling.BILINEAR))
    assert sheet.read(templates, options, monkeypatch, least=300).text == "W1K5R7G4\nNEWBURGH"


def test_the_cells_of_a_form_tell_how_it_slants_where_few_letters_do_not():
    sheet = Sheet(900, 900)
    for column, text in enumerate(("W1", "K5", "R7")):
        sheet.boxes(120 + 250 * column, 400, 2)
        sheet.write(150 + 250 * column, 432, text, 60)
    ink, lines = (np.asarray(image.rotate(-8, Image.Resampling.BILINEAR)) > 100 for image in (sheet.ink, sheet.lines))
    written = View(np.uint8(255) * ink, np.eye(3))
    cells = find_cells(lines & ~ink)
    assert slope_of(cells) == pytest.approx(8, abs=2)
    assert len(skews(written.pixels)) == 2
    assert reader._skews(reader.Look(None, written, cells)) == [pytest.approx(8, abs=1)]
    assert reader._skews(reader.Look(None, written, None)) == skews(written.pixels)


def test_a_cell_is_closed_where_writing_crosses_its_line():
    lines = np.zeros((80, 200), bool)
    lines[10:13, 10:190] = lines[60:63, 10:190] = lines[10:63, 10:13] = lines[10:63, 100:103] = lines[10:63, 187:190] = True
    lines[60:63, 40:48] = lines[30:37, 100:103] = False
    cells = find_cells(lines)
    assert len(cells.corners) == 2
    assert sorted(np.bincount(cells.labels.ravel())[1:].tolist()) == [47 * 84, 47 * 87]


def test_a_page_without_lines_or_with_ruled_lines_only_has_no_cells():
    lines = np.zeros((200, 300), bool)
    assert find_cells(lines) is None
    lines[::40] = lines[1::40] = True
    lines[:, 100:102] = True
    assert find_cells(lines) is None
