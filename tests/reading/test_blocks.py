"""Blocks: columns, tables, notes in the margin, and pages of a few characters."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.reading import read
from pipeline.reading.blocks import find_rows, letter_gap
from pipeline.reading.layout import Components
from tests.reading.conftest import set_text

LANGUAGE = Path(__file__).parents[2] / "data/language.npz"


def beside(*parts: np.ndarray, gap: int) -> np.ndarray:
    """Pictures side by side, top to top, `gap` pixels of paper between them."""
    height = max(part.shape[0] for part in parts)
    padded = [np.pad(part, ((0, height - part.shape[0]), (0, gap), (0, 0)), constant_values=225) for part in parts]
    return np.concatenate(padded, axis=1)


def test_columns_of_running_text_are_read_one_after_the_other(templates, options):
    left, right = "DEAR SAM WE\nWILL BE HERE\nAT NOON SHARP", "PACK THE RED\nTENT AND FIVE\nROPES FOR US"
    page = beside(set_text(left, margin=40), set_text(right, margin=40), gap=200)
    assert read(page, templates, options).text == f"{left}\n{right}"


def test_columns_of_which_half_of_the_lines_hold_several_words_are_text(templates, options):
    left, right = "DEAR SAM WE\nHOPE\nTO BE THERE\nTOMORROW", "PACK\nTHE RED TENT\nAND ROPES\nPLEASE"
    page = beside(set_text(left, margin=40), set_text(right, margin=40), gap=200)
    assert read(page, templates, options).text == f"{left}\n{right}"


def test_a_table_is_read_row_by_row_and_amounts_far_right_stay(templates, options):
    page = beside(set_text("BREAD\nMELK\nFEESH\nHAM", margin=40), set_text("25\n7\n348\n92", margin=40), gap=500)
    assert read(page, templates, options).text == "BREAD 25\nMELK 7\nFEESH 348\nHAM 92"


def test_lines_whose_letters_stand_far_apart_are_not_cut_into_columns():
    """Letters are as far apart as they are high, and the gap between the two words of all four lines is one white river."""
    columns = [*range(0, 200, 40), *range(235, 435, 40)]
    boxes = np.array([(x, y, x + 20, y + 20) for y in range(0, 200, 50) for x in columns])
    found = Components(np.zeros((200, 500), np.int32), boxes, np.full(len(boxes), 100), 3.0, 20.0)
    assert [len(row.pieces) for row in find_rows(found)] == [len(columns)] * 4


def test_a_page_of_specks_takes_little_memory():
    """The gaps of 8,000 specks to each other, all at once, would take 1.5 GB."""
    boxes = np.array([(x, y, x + 6, y + 6) for y in range(0, 960, 12) for x in range(0, 1200, 12)])
    found = Components(np.zeros((960, 1200), np.int32), boxes, np.full(len(boxes), 30), 2.0, 6.0)
    tracemalloc.start()
    gap = letter_gap(found)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert gap == 6 and peak < 300e6


@pytest.mark.parametrize("turns", [1, 3])
def test_a_note_in_the_margin_is_read_the_way_it_is_written(templates, options, turns):
    text = "MEET ME AT THE STATION\nBRING ALL OF YOUR BAGS\nWE LEAVE EARLY TODAY"
    note = np.rot90(set_text("URGENT NOTE", size=40, margin=5), turns)
    page = beside(note, set_text(text, margin=40), gap=20)
    page = np.pad(page, ((40, 40), (60, 60), (0, 0)), constant_values=225)
    read_as = read(page, templates, replace(options, language_weight=1.0)).text
    assert read_as == f"{text}\nURGENT NOTE"


def test_a_few_numbers_are_not_turned_for_a_slant_that_chance_gave_them(templates, options):
    """Digits under one another, each line a little further to the right, lie on slanting lines too."""
    image = Image.new("RGB", (700, 700), (225, 225, 225))
    for row, text in enumerate(("123", "384", "425")):
        picture = Image.fromarray(set_text(text, margin=20))
        image.paste(picture, (150 + 35 * row, 100 + 130 * row))
    page = read(np.asarray(image), templates, options)
    assert page.text == "123\n384\n425" and abs(page.rotation) < 3


@pytest.mark.parametrize("chalk", [False, True])
@pytest.mark.parametrize("margin", [2, 6, 30])
@pytest.mark.parametrize("text", ["507", "HELLO", "R", "MEM"])
def test_a_cut_out_word_is_read_whatever_its_margin(templates, options, text, margin, chalk):
    image = set_text(text, size=60, margin=0)
    rows, columns = np.flatnonzero((image[..., 0] < 100).any(1)), np.flatnonzero((image[..., 0] < 100).any(0))
    word = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    cut = np.pad(word, ((margin,) * 2, (margin,) * 2, (0, 0)), constant_values=225)
    assert read(255 - cut if chalk else cut, templates, options).text == text


def test_lines_on_a_curled_sheet_are_followed(templates, options):
    text = "BREADS AND HAM WE BAKED\nARE READY AT THE KERB"
    image = set_text(text)
    width = image.shape[1]
    image = np.pad(image, ((0, 200), (0, 0), (0, 0)), constant_values=225)
    drop = (180 * (np.arange(width) / width) ** 2).astype(int)  # the right end hangs three letters low
    curled = np.stack([np.roll(image[:, x], drop[x], axis=0) for x in range(width)], axis=1)
    assert read(curled, templates, options).text == text


@pytest.mark.parametrize("degrees", [-35, 20, 50])
def test_a_label_that_slants_is_read_along_its_own_lines(templates, options, degrees):
    """A drawing's labels run along what they name; a label above the other text comes before it."""
    label = Image.fromarray(set_text("FILL WITH\nGREEN INK", size=45, margin=10)).rotate(
        degrees, expand=True, fillcolor=(225,) * 3
    )
    text = set_text("MEET ME AT THE STATION\nBRING ALL OF YOUR BAGS", margin=40)
    page = np.full((label.height + text.shape[0] + 200, text.shape[1] + 200, 3), 225, np.uint8)
    page[40 : 40 + label.height, 300 : 300 + label.width] = np.asarray(label)
    page[-60 - text.shape[0] : -60, 60 : 60 + text.shape[1]] = text
    read_as = read(page, templates, replace(options, language_weight=1.0)).text
    assert read_as == "FILL WITH\nGREEN INK\nMEET ME AT THE STATION\nBRING ALL OF YOUR BAGS"
