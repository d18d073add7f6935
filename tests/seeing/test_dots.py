"""Dots of a dot grid and of dotted rules."""

import numpy as np

from pipeline.common.pixels import KINDS, PAPER, WRITTEN
from pipeline.seeing.dots import find_dots

HEIGHT = 30.0  # pixels of a letter


def page_with(middles: np.ndarray) -> np.ndarray:
    """(K, 400, 600) probabilities of a page with a dot of 3 x 3 pixels at each middle (row, column), and a tall stroke."""
    ink = np.zeros((400, 600), bool)
    for row, column in np.rint(middles).astype(int):
        ink[row - 1 : row + 2, column - 1 : column + 2] = True
    ink[180:210, 303:306] = True
    kinds = np.zeros((len(KINDS), *ink.shape), np.float32)
    kinds[WRITTEN], kinds[PAPER] = ink, ~ink
    return kinds


def grid(slope: float = 0.0) -> np.ndarray:
    rows, columns = np.mgrid[30:380:20, 30:580:20].reshape(2, -1).astype(float)
    return np.stack([rows + slope * columns, columns], axis=1)[(rows + slope * columns) < 395]


def test_a_dot_grid_is_found_whole_and_the_writing_stays():
    for slope in (0.0, 0.05):
        kinds = page_with(grid(slope))
        dots = find_dots(kinds, HEIGHT)
        assert np.array_equal(dots[:170], kinds[WRITTEN][:170] > 0)
        assert not dots[185:205, 303:306].any()  # the stroke, though a dot may touch it


def test_a_full_stop_between_the_dots_stays():
    stop = np.array([[157.0, 243.0]])
    dots = find_dots(page_with(np.concatenate([grid(), stop])), HEIGHT)
    assert not dots[155:160, 241:246].any() and dots.any()


def test_a_dotted_rule_is_found():
    rule = np.stack([np.full(60, 300.0), np.arange(60) * 9.0 + 20], axis=1)
    assert find_dots(page_with(rule), HEIGHT)[300, 20]


def test_specks_and_a_few_full_stops_are_no_pattern():
    rng = np.random.default_rng(0)
    assert not find_dots(page_with(rng.uniform(5, 395, (300, 2))), HEIGHT).any()
    few = np.stack([np.full(6, 300.0), np.arange(6) * 40.0 + 20], axis=1)
    assert not find_dots(page_with(few), HEIGHT).any()
