"""Polarity: chalk, negatives, dark bands with bright writing; and shadows, in which writing stays dark."""

import numpy as np

from pipeline.reading import read
from pipeline.seeing.polarity import darken_ink
from tests.reading.conftest import set_text


def test_a_page_of_dark_writing_is_left_alone_in_the_light_and_in_a_shadow():
    page = set_text("SOME WORDS\nIN A ROW")[:, :, 0].copy()
    assert darken_ink(page) is page
    page[:, : page.shape[1] // 2] //= 3
    assert darken_ink(page) is page


def test_a_board_is_inverted():
    board = set_text("SOME WORDS\nIN A ROW", ink=230, paper=50)[:, :, 0]
    assert np.array_equal(darken_ink(board), 255 - board)


def test_bright_writing_on_a_dark_band_is_read_with_the_dark_writing_below(templates, options):
    band, page = set_text("MEET ME\nAT NINE", ink=235, paper=60), set_text("BRING 34\nBOXES", margin=60)
    width = max(band.shape[1], page.shape[1])
    band = np.pad(band, ((0, 0), (0, width - band.shape[1]), (0, 0)), constant_values=60)
    page = np.pad(page, ((0, 0), (0, width - page.shape[1]), (0, 0)), constant_values=225)
    assert read(np.concatenate([band, page]), templates, options).text == "MEET ME\nAT NINE\nBRING 34\nBOXES"
