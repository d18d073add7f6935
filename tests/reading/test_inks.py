"""What shines through from the back of a sheet."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pipeline.reading.inks import drop_other_inks, part_inks
from pipeline.reading.layout import find_components
from pipeline.seeing.cells import Cells
from tests.reading.conftest import set_text


def not_asked(ink: np.ndarray, side: int) -> float:
    raise AssertionError("the letters decide")


def leaf(front: str, back: str, strength: float, turn=lambda text: text[:, ::-1]) -> tuple[np.ndarray, np.ndarray]:
    """The ink found on a sheet and its photo; `back` stands between the lines of `front`, as `turn` shows it."""
    pages = [255 - set_text(text, tracking=0.35)[:, :, 0].astype(float) for text in (front, back)]
    height, width = np.max([page.shape for page in pages], axis=0) + (60, 0)
    dark = np.full((height, width), 30.0)
    for page, top, share in ((pages[0], 0, 1.0), (turn(pages[1]), 54, strength)):
        place = dark[top : top + page.shape[0], : page.shape[1]]
        np.maximum(place, 30 + share * (page - 30), out=place)
    return np.where(dark > 60, 255, 0).astype(np.uint8), (255 - dark).astype(np.uint8)


@pytest.mark.parametrize("turn", [lambda text: text[:, ::-1], lambda text: text[::-1]], ids=["side", "top"])
def test_the_back_of_a_leaf_is_left_out(templates, turn):
    ink, gray = leaf("REGARDS FROM\nPAGE BEFORE", "LEFT RIGHTS\nFOR PEELING", 0.4, turn)
    front = leaf("REGARDS FROM\nPAGE BEFORE", " ", 0.4)[0]
    kept = drop_other_inks(ink, gray, None, templates.characters, not_asked)
    before, after = (int((np.resize(front, ink.shape) != page)[: len(front)].sum()) for page in (ink, kept))
    assert after < 0.2 * before  # also where the letters of both sides touch


def test_a_second_pen_stays(templates):
    ink, gray = leaf("REGARDS FROM\nPAGE BEFORE", "LEFT RIGHTS\nFOR PEELING", 0.4, lambda text: text)
    assert np.array_equal(drop_other_inks(ink, gray, None, templates.characters, not_asked), ink)


@pytest.mark.parametrize("gain, goes", [(30.0, True), (2.0, False), (-30.0, False)])
def test_faint_letters_that_look_the_same_from_behind_are_read(templates, gain, goes):
    ink, gray = leaf("REGARDS FROM\nPAGE BEFORE", "TOMATO HAY\nAT WHIT MAY", 0.4)
    asked = []

    def reading(part: np.ndarray, side: int) -> float:
        asked.append(part)
        return gain if side >= 4 else 0.0

    kept = drop_other_inks(ink, gray, None, templates.characters, reading)
    assert (kept > 0).sum() == pytest.approx((ink > 0).sum() * (0.6 if goes else 1), rel=0.1)
    faint = (gray > 100) & (ink > 0)
    assert len(asked) == 1 + (gain > 0) and (asked[0][faint] > 0).mean() > 0.7 and (asked[0][gray < 50] > 0).mean() < 0.2


@pytest.mark.parametrize("shift, stays", [(0, True), (20, False)])
def test_faint_letters_in_the_middle_of_cells_are_no_back(templates, shift, stays):
    ink, gray = leaf("REGARDS FROM\nPAGE BEFORE", "TOMATO HAY\nAT WHIT MAY", 0.4)
    found = find_components((gray > 100) & (ink > 0))
    boxes = found.boxes[found.large] + (shift - 8, -8, shift + 8, 8)
    labels = np.zeros(ink.shape, np.int32)
    for number, (x0, y0, x1, y1) in enumerate(boxes, 1):
        labels[max(y0, 0) : y1, max(x0, 0) : x1] = number
    corners = np.stack([boxes[:, [x, y]] for x, y in ((0, 1), (2, 1), (2, 3), (0, 3))], axis=1).astype(float)
    cells = Cells(labels, corners, np.eye(3))
    kept = drop_other_inks(ink, gray, cells, templates.characters, lambda part, side: 15.0 if side >= 4 else 0.0)
    assert np.array_equal(kept, ink) == stays


def test_a_single_faint_mark_goes_and_faint_letters_that_follow_each_other_stay(templates):
    ink, gray = leaf("REGARDS FROM\nPAGE BEFORE", " ", 0.4)
    ring, word = (Image.new("L", ink.shape[::-1]) for _ in range(2))
    ImageDraw.Draw(ring).ellipse([4, 20, 40, 62], outline=255, width=4)
    ImageDraw.Draw(word).text((420, 330), "OK", font=ImageFont.load_default(60), fill=255)
    marks = [np.asarray(mark) > 127 for mark in (ring, word)]
    faint = [np.where(mark, 160, gray).astype(np.uint8) for mark in marks]
    kept = [
        drop_other_inks(np.where(mark, 255, ink).astype(np.uint8), page, None, templates.characters, not_asked)
        for mark, page in zip(marks, faint)
    ]
    assert not kept[0][marks[0]].any() and (kept[0][ink > 0] > 0).all() and (kept[1][marks[1]] > 0).all()


def test_letters_far_apart_are_no_marks(templates):
    gray = np.full((700, 1200), 230, np.uint8)
    rng = np.random.default_rng(0)
    for row in range(4):
        for column in range(6):
            letter = set_text("EGRSKB"[column], 50, margin=20)[:, :, 0]
            place = gray[150 * row : 150 * row + len(letter), 190 * column : 190 * column + letter.shape[1]]
            np.minimum(place, np.where(letter < 130, 130 if rng.random() < 0.4 else 40, 230).astype(np.uint8), out=place)
    ink = np.where(gray < 200, 255, 0).astype(np.uint8)
    assert np.array_equal(drop_other_inks(ink, gray, None, templates.characters, not_asked), ink)


def test_dark_things_beside_the_writing_do_not_make_it_faint(templates):
    gray = set_text("EVERY LETTER\nOF ONE PENCIL", ink=140)[:, :, 0][:, ::-1].copy()
    gray[:, :12] = gray[-30:-20, 100:190] = gray[5:40, 300:306] = 20
    ink = np.where(gray < 200, 255, 0).astype(np.uint8)
    assert np.array_equal(drop_other_inks(ink, gray, None, templates.characters, not_asked), ink)


def test_two_inks_are_told_from_one_that_is_uneven():
    rng = np.random.default_rng(0)
    assert part_inks(np.log(rng.normal(180, 12, 60))) is None
    assert part_inks(np.log(np.linspace(90, 190, 40))) is None
    both = np.concatenate([rng.normal(180, 9, 40), rng.normal(65, 8, 20)])
    assert 80 < np.exp(part_inks(np.log(both))) < 150
