"""Boxes to tick, beside lines of writing."""

import tracemalloc

import numpy as np

from pipeline.seeing.cells import Cells
from pipeline.seeing.tick_boxes import alone, find_marks, find_tick_boxes


def cell(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], float)


def test_a_small_box_that_stands_alone_is_one_to_tick_with_the_mark_that_reaches_out_of_it():
    cells = np.stack([cell(12, 12, 38, 38), cell(12, 112, 38, 138)])
    pieces = np.array([(10, 10, 40, 40), (10, 98, 52, 140), (200, 10, 230, 40)])
    assert find_tick_boxes(cells, pieces, 30.0).tolist() == [True, True, False]


def cells_of(corners: np.ndarray, shape: tuple[int, int]) -> Cells:
    labels = np.zeros(shape, np.int32)
    for number, box in enumerate(corners.astype(int), 1):
        (x0, y0), (x1, y1) = box.min(0), box.max(0)
        labels[y0 : y1 + 1, x0 : x1 + 1] = number
    return Cells(labels, corners, np.eye(3))


def test_a_cross_that_stands_free_in_a_box_is_a_mark_and_a_letter_in_a_larger_one_or_in_a_comb_is_none():
    ink = np.zeros((60, 300), bool)
    ink[15:35, 15:34] = ink[15:35, 215:234] = True
    box = cells_of(cell(12, 12, 38, 38)[None], ink.shape)
    assert np.array_equal(find_marks(ink, box, 30.0), ink & (np.arange(300) < 100))
    assert not find_marks(ink, box, 20.0).any()
    comb = cells_of(np.stack([cell(12 + 30 * i, 12, 38 + 30 * i, 38) for i in range(4)]), ink.shape)
    assert not find_marks(ink, comb, 30.0).any()
    assert not find_marks(np.zeros_like(ink), box, 30.0).any()


def test_the_boxes_of_a_comb_are_none_nor_is_one_for_a_word():
    comb = np.stack([cell(12 + 50 * i, 12, 38 + 50 * i, 38) for i in range(4)])
    pieces = np.array([(10 + 50 * i, 10, 40 + 50 * i, 40) for i in range(4)])
    assert not find_tick_boxes(comb, pieces, 30.0).any()
    assert not find_tick_boxes(cell(12, 12, 300, 38)[None], np.array([(10, 10, 302, 40)]), 30.0).any()


def test_a_letter_does_not_enclose_a_cell_of_its_size():
    assert not find_tick_boxes(cell(20, 12, 28, 20)[None], np.array([(10, 10, 40, 40)]), 30.0).any()


def test_an_e_on_a_rule_is_no_box():
    assert not find_tick_boxes(cell(13, 12, 33, 51)[None], np.array([(10, 10, 39, 54)]), 41.0).any()


def test_boxes_below_each_other_stand_alone_and_those_side_by_side_do_not():
    below = np.array([(0, 0, 20, 20), (0, 50, 20, 70)], float)
    beside = np.array([(0, 0, 20, 20), (40, 2, 60, 22), (300, 0, 320, 20)], float)
    assert alone(below, below).tolist() == [True, True] and alone(beside, beside).tolist() == [False, False, True]


def test_many_cells_and_specks_take_little_memory():
    rows, columns = np.mgrid[0:600:12, 0:1200:12].reshape(2, -1)
    squares = np.array([cell(x, y, x + 10, y + 10) for x, y in zip(columns.tolist(), rows.tolist())])
    specks = np.random.default_rng(0).integers(0, 1200, (50_000, 2))
    tracemalloc.start()
    assert not find_tick_boxes(squares, np.concatenate([specks, specks + 3], axis=1), 30.0).any()
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_marks_are_sought_on_squared_paper_with_little_memory():
    rows, columns = np.mgrid[0:600:12, 0:1200:12].reshape(2, -1)
    squares = np.array([cell(x, y, x + 10, y + 10) for x, y in zip(columns.tolist(), rows.tolist())])
    ink = np.zeros((600, 1200), bool)
    ink[100:130, 100:104] = ink[205:208, 507:510] = True  # a letter, and a dot in a square
    cells = cells_of(squares, ink.shape)
    tracemalloc.start()
    assert not find_marks(ink, cells, 30.0).any()
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
