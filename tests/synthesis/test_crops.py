"""Rendered crops and their masks."""

import itertools

import numpy as np
import pytest

from pipeline.common.pixels import KINDS, LINE, PAPER, PRINTED, WRITTEN
from pipeline.synthesis.canvas import Canvas
from pipeline.synthesis.clutter import show_through
from pipeline.synthesis.contents import CONTENTS
from pipeline.synthesis.crops import cut_borders, cut_tightly, make_crop
from pipeline.synthesis.diagrams import chord
from pipeline.synthesis.notes import cross_out
from pipeline.synthesis.sheet import make_sheet
from pipeline.synthesis.stroke_library import SPLITS, load_library
from pipeline.synthesis.typefaces import SKELETONS, TYPEFACES, load_typeface


@pytest.fixture(scope="module")
def library():
    return load_library("data/strokes.npz")


def test_same_seed_same_crop_and_other_seed_another(library):
    first, again, other = (make_crop(library, "train", 128, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, again))
    assert (first[0] != other[0]).any()


def test_crops_show_every_kind_and_its_ink_is_darker_than_its_paper(library):
    crops = [make_crop(library, "valid", 128, np.random.default_rng(seed)) for seed in range(60)]
    contrast, kinds = (np.stack(part) for part in zip(*crops))
    assert contrast.dtype == kinds.dtype == np.uint8 and contrast.shape == kinds.shape == (60, 128, 128)
    assert set(np.unique(kinds)) == set(range(len(KINDS)))
    assert contrast[kinds == WRITTEN].mean() > contrast[kinds == 0].mean() + 40


@pytest.mark.parametrize("fill", CONTENTS, ids=lambda fill: fill.__name__)
def test_every_scene_fills_a_sheet(library, fill):
    found = 0
    for seed in range(6):
        sheet = make_sheet(library, "train", 128, 20.0, 2.0, np.random.default_rng(seed))
        fill(sheet)
        found += bool(sheet.written or sheet.printed or sheet.rules or sheet.drawn)
    assert found >= 5


def test_writing_lies_over_lines_and_print(library):
    from skimage.transform import ProjectiveTransform

    rng = np.random.default_rng(0)
    canvas = Canvas(64, ProjectiveTransform(np.eye(3)), 0.9)
    canvas.draw([np.array([(0.0, 32.0), (64.0, 32.0)])], 4.0, LINE, 0.5, 0.0, 0.0, rng)
    canvas.print([("H", 4.0, 60.0, 20, "DejaVuSans", 1.0)], PRINTED, 0.9)
    canvas.draw([np.array([(32.0, 0.0), (32.0, 64.0)])], 4.0, WRITTEN, 0.9, 0.0, 0.0, rng)
    assert canvas.kinds[32, 32] == WRITTEN and canvas.kinds[32, 10] == LINE
    assert (canvas.kinds[40:60, 4:24] == PRINTED).sum() > 30
    assert canvas.picture[32, 32] < canvas.picture[32, 10] < 0.9


def test_what_shows_through_is_fainter_than_the_writing():
    from skimage.transform import ProjectiveTransform

    canvas = Canvas(64, ProjectiveTransform(np.eye(3)), 1.0)
    for seed in range(8):
        show_through(canvas, [np.array([(0.0, 32.0), (64.0, 32.0)])], 4.0, 0.2, np.random.default_rng(seed))
    assert 0.88 < canvas.picture.min() < 1


@pytest.mark.parametrize("name", sorted({name for split in TYPEFACES.values() for name in split}))
def test_typefaces_print_letters(name):
    top = load_typeface(name, 40).getbbox("H", anchor="ls")[1]
    assert -43 <= top <= -37


def test_no_typeface_is_printed_or_written_in_two_splits(library):
    families = {split: {name.split(":")[0] for name in (*TYPEFACES[split], *SKELETONS[split])} for split in SPLITS}
    assert not set.intersection(*families.values())
    assert all(not families[a] & families[b] for a, b in itertools.combinations(SPLITS, 2))
    for split in SPLITS:
        sheets = [make_sheet(library, split, 128, 20.0, 2.0, np.random.default_rng(seed)) for seed in range(20)]
        assert {name.split(":")[0] for sheet in sheets for name in (sheet.typeface, sheet.hand.typeface)} <= families[split]


def test_a_word_that_is_crossed_out_is_no_writing(library):
    for seed in range(12):  # meets every way to cross out
        sheet = make_sheet(library, "train", 128, 20.0, 2.0, np.random.default_rng(seed))
        sheet.write("KEPT", 4, 40)
        kept = len(sheet.written)
        end = sheet.write("GONE", 4, 100)
        letters = sheet.written[kept:]
        cross_out(sheet, kept, 4, end, 100)
        assert len(sheet.written) == kept and sheet.crossed[: len(letters)] == letters
        across = np.concatenate(sheet.crossed[len(letters) :])
        assert np.ptp(across[:, 0]) > 0.8 * (end - 4) and 60 < across[:, 1].min() and across[:, 1].max() < 120


def test_hatching_ends_at_its_outline():
    slanting = np.array([0.6, 0.8])
    enter, leave = chord(slanting, np.array([0.0, 0.0]), 30, 30, True)
    assert (enter, leave) == pytest.approx((-30, 30))
    enter, leave = chord(slanting, np.array([0.0, 0.0]), 30, 16, False)
    assert (enter, leave) == pytest.approx((-20, 20))  # at the height of 16
    assert chord(slanting, np.array([40.0, 0.0]), 30, 16, False) == pytest.approx((-20, -50 / 3))
    assert chord(slanting, np.array([80.0, 0.0]), 30, 16, False) is None
    assert chord(slanting, np.array([80.0, 0.0]), 30, 16, True) is None


def test_beyond_the_end_of_a_picture_is_nothing():
    gray, kinds = np.full((64, 64), 120, np.uint8), np.full((64, 64), PAPER, np.uint8)
    gray[20:40, 20:40] = 20
    kinds[20:40, 20:40] = WRITTEN
    top, bottom, left, right = cut_tightly(kinds, 20.0, np.random.default_rng(0))
    assert 10 <= top <= 20 and 40 <= bottom <= 50 and 10 <= left <= 20 and 40 <= right <= 50
    contrast = cut_borders(gray, kinds, (16, 64, 24, 40), np.random.default_rng(0))
    beyond = np.ones((64, 64), bool)
    beyond[16:64, 24:40] = False
    assert not contrast[beyond].any() and (kinds[beyond] == PAPER).all()
    assert (kinds == WRITTEN).sum() == 20 * 16 and cut_tightly(np.zeros_like(kinds), 20.0, np.random.default_rng(0)) is None
