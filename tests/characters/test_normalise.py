"""The normal form: the same for a character whatever its size, place, pen, slant and light."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.characters import SIZE
from pipeline.characters.normalise import BOX, normalise, normalise_all

LETTER_T = ((0.1, 0.0, 0.9, 0.0), (0.5, 0.0, 0.5, 1.0))


def drawn(lines, height: int, pen: float, place=(10, 10), shear: float = 0.0, canvas: int | None = None) -> np.ndarray:
    """Lines (x0, y0, x1, y1) in heights of a capital, inked with round ends four times too large, then averaged."""
    side = canvas or height + 4 * int(pen + 10)
    image = Image.new("L", (4 * side, 4 * side))
    pencil = ImageDraw.Draw(image)
    for x0, y0, x1, y1 in lines:
        ends = [
            (4 * (place[0] + pen + height * (x + shear * (0.5 - y))), 4 * (place[1] + pen + height * y))
            for x, y in ((x0, y0), (x1, y1))
        ]
        pencil.line(ends, 255, max(1, round(4 * pen)))
        for x, y in ends:
            pencil.ellipse((x - 2 * pen, y - 2 * pen, x + 2 * pen, y + 2 * pen), 255)
    return np.asarray(image.reduce(4))


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean difference as a share of the ink."""
    return np.abs(a.astype(float) - b).sum() / a.sum()


def test_ink_fills_the_box_in_the_middle():
    result = normalise(drawn(LETTER_T, 100, 8))
    rows, columns = np.nonzero(result > 100)
    assert result.shape == (SIZE, SIZE) and result.dtype == np.uint8 and result.max() == 255
    assert abs(rows.min() + rows.max() - (SIZE - 1)) <= 1 and abs(columns.min() + columns.max() - (SIZE - 1)) <= 1
    assert BOX - 2 <= rows.max() - rows.min() + 1 <= BOX + 2


@pytest.mark.parametrize(
    "change",
    [
        dict(height=24, pen=2.4),
        dict(height=300, pen=30),
        dict(height=100, pen=10, place=(70, 3), canvas=400),
        dict(height=100, pen=10, shear=0.3),
        dict(height=100, pen=4),
        dict(height=100, pen=17),
        dict(height=300, pen=3),
    ],
)
def test_size_place_slant_and_pen_leave_the_form_alone(change):
    reference = normalise(drawn(LETTER_T, 100, 10))
    assert difference(reference, normalise(drawn(LETTER_T, **change))) < 0.5
    other = normalise(drawn(((0.1, 1.0, 0.9, 1.0), (0.5, 0.0, 0.5, 1.0)), 100, 10))  # the same upside down
    assert difference(reference, other) > 0.6


def test_faint_ink_is_as_bright_as_strong_ink():
    strong = drawn(LETTER_T, 60, 6)
    assert difference(normalise(strong), normalise((strong * 0.25).astype(np.uint8))) < 0.05


def test_faint_noise_and_specks_do_not_move_the_box():
    clean = drawn(LETTER_T, 60, 6, place=(20, 20))
    dirty = clean.copy()
    dirty[2, 2] = dirty[-3, -3] = 255
    dirty = np.maximum(dirty, np.random.default_rng(0).integers(0, 30, dirty.shape)).astype(np.uint8)
    assert difference(normalise(clean), normalise(dirty)) < 0.1


def test_a_bare_stroke_stays_narrow():
    result = normalise(drawn(((0.5, 0.0, 0.5, 1.0),), 60, 5))
    columns = np.flatnonzero(result.max(axis=0) > 100)
    assert columns[-1] - columns[0] < BOX / 2


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (300, 5), (28, 28)])
def test_no_ink_gives_zeros_and_all_ink_is_no_error(shape):
    assert not normalise(np.zeros(shape, np.uint8)).any()
    assert normalise(np.full(shape, 200, np.uint8)).max() > 200


def test_many_at_once_are_the_same_as_one_by_one():
    images = np.stack([drawn(LETTER_T, 30, pen, canvas=64) for pen in (1, 3, 6)] + [np.zeros((64, 64), np.uint8)])
    together = normalise_all(images)
    assert together.shape == (4, SIZE, SIZE) and not together[3].any()
    np.testing.assert_array_equal(together, [normalise(image) for image in images])
    np.testing.assert_array_equal(together, normalise_all(list(images)))
    assert normalise_all(images[:0]).shape == (0, SIZE, SIZE)
