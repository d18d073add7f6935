"""Sheets of paper on something darker: one, two, cut by the picture; and what is none."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from scipy.spatial import ConvexHull

from pipeline.common.pixels import flatten
from pipeline.reading import read, straighten
from pipeline.reading.sheet import find_corners, find_regions, part_sheets
from pipeline.seeing.ink import binarize
from pipeline.seeing.outline import convex_hull, outline
from tests.reading.conftest import set_text


def covered(gray: np.ndarray) -> np.ndarray:
    (sheet,) = part_sheets(Image.fromarray(gray))
    return np.asarray(sheet.picture)


def write_on(gray: np.ndarray) -> np.ndarray:
    """The picture with a bar of ink in its middle."""
    written = gray.copy()
    written[290:310, 390:420] = 20
    return written


@pytest.mark.parametrize("work_pixels", [400_000, 100_000, 40_000])
def test_what_is_on_a_sheet_keeps_its_place_however_much_the_photo_is_reduced(work_pixels):
    gray = np.full((600, 800), 60, np.uint8)
    gray[100:500, 150:650] = 210
    gray[195:205, 295:305] = 20
    (view,) = straighten.prepare_sheets(gray, work_pixels)
    y, x = (axis.mean() + 0.5 for axis in np.nonzero(view.pixels < 120))
    x0, y0, x1, y1 = straighten.to_photo_box((x, y, x, y), view.to_photo, 800, 600)
    assert (x0 + x1) / 2 == pytest.approx(300, abs=3) and (y0 + y1) / 2 == pytest.approx(200, abs=3)


def test_regions_have_no_holes_and_an_outline():
    gray = np.full((300, 400), 60, np.uint8)
    gray[50:, 80:350] = 210
    gray[120:220, 150:250] = 60  # a photo on the sheet
    (region,) = find_regions(Image.fromarray(gray)).levels[4]
    assert np.array_equal(region, ndimage.binary_fill_holes(region)) and region[170, 200] and not region[:, 40].any()
    assert np.array_equal(outline(region), region & ~ndimage.binary_erosion(region))


@pytest.mark.parametrize("seed", range(8))
def test_the_hull_of_a_region_is_that_of_its_pixels(seed):
    rng = np.random.default_rng(seed)
    region = ndimage.gaussian_filter(rng.normal(size=(60, 80)), 6) > 0.02
    ours, pixels = convex_hull(region), np.argwhere(region)
    theirs = ConvexHull(pixels)
    assert {tuple(corner) for corner in ours} == {tuple(corner) for corner in pixels[theirs.vertices]}
    x, y = ours.T
    assert x @ np.roll(y, -1) - y @ np.roll(x, -1) == pytest.approx(2 * theirs.volume)  # in their order around it


def test_the_ground_around_a_sheet_is_covered_and_a_shadow_is_not():
    rng = np.random.default_rng(0)
    gray = rng.integers(20, 70, (600, 800)).astype(np.uint8)
    gray[100:500, 150:650] = 210
    assert np.mean(covered(write_on(gray)) < 150) < 0.002
    shaded = np.full((600, 800), 210, np.uint8)
    shaded[:, 400:] = 90  # a shadow over half a page is no desk
    assert np.array_equal(covered(shaded), shaded)


def test_the_ground_beside_a_sheet_that_the_picture_cuts_is_covered():
    rng = np.random.default_rng(0)
    gray = rng.integers(20, 70, (600, 800)).astype(np.uint8)
    rows, columns = np.mgrid[:600, :800]
    gray[(columns > 120 - 0.1 * rows) & (rows < 520 + 0.05 * columns)] = 200
    found = covered(write_on(gray))
    assert np.mean(found < 150) < 0.002 and binarize(flatten(found)).sum() < 1000
    wavy = np.where(columns > 400 + 30 * np.sin(rows / 40), 100, 200).astype(np.uint8)
    assert np.array_equal(covered(wavy), wavy)  # its edge is no sheet's


def test_a_sheet_is_not_joined_with_the_brighter_half_of_a_desk():
    gray = np.full((600, 800), 40, np.uint8)
    gray[:, :450] = 75
    gray[60:540, 80:720] = 210
    assert np.mean(covered(write_on(gray)) < 150) < 0.002


def test_what_is_written_in_a_deep_shadow_stays():
    gray = np.full((600, 800), 60, np.uint8)
    gray[100:500, 150:650] = 240
    gray[100:500, 420:650] = 100
    gray[200:220, 250:280] = gray[290:310, 550:580] = 20
    found = covered(gray)
    assert found[300, 565] < 50 and found[50, 100] > 200


def test_a_sheet_is_known_by_its_sides_when_its_corners_lie_beyond_the_picture():
    rows, columns = np.mgrid[:600, :800]
    along, across = columns + 0.5 * rows, rows - 0.5 * columns
    sheet = (along > 180) & (along < 950) & (across < 330) & (across > -260)
    assert (~sheet).mean() > 0.15 and (covered(write_on(np.where(sheet, 200, 50).astype(np.uint8))) < 120).mean() < 0.01


def test_a_sheet_is_cut_off_where_it_is_brightest_against_the_ground():
    """A gap in the light between sheet and ground must not join them: of all thresholds the one with the clearest edge counts."""
    gray = np.full((600, 800), 50, np.uint8)
    gray[:, :100] = 95  # the ground in the light
    gray[60:560, 130:700] = 200
    assert np.mean(covered(write_on(gray)) < 150) < 0.002


@pytest.mark.parametrize("size", [60, 400])
@pytest.mark.parametrize("letter", ["E", "L", "R"])
def test_the_paper_within_a_letter_that_fills_the_picture_is_no_sheet(letter, size):
    gray = set_text(letter, size=size, margin=0)[:, :, 0]
    rows, columns = np.flatnonzero((gray < 100).any(1)), np.flatnonzero((gray < 100).any(0))
    crop = gray[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert np.array_equal(covered(crop), crop)


@pytest.mark.parametrize("light", [0.0, 0.5])
def test_two_sheets_are_read_one_after_the_other(templates, options, light):
    """In the light of a lamp at one side, no threshold shows both."""
    first, second = "CALL SAM\nAT 357", "TAKE EGGS\nFOR 24"
    desk = np.full((500, 1500, 3), 50, np.uint8)
    for left, text in ((60, first), (800, second)):
        note = set_text(text, margin=70)
        desk[90 : 90 + note.shape[0], left : left + note.shape[1]] = note
    lit = (desk * (1 - light * np.linspace(0, 1, desk.shape[1]))[:, None]).astype(np.uint8)
    assert read(lit, templates, options).text == f"{first}\n{second}"


@pytest.mark.parametrize(
    "places, turns, order",
    [
        (((60, 90), (760, 90)), (0, 0), (0, 1)),
        (((760, 90), (60, 130)), (0, 0), (1, 0)),
        (((60, 90), (90, 520)), (0, 0), (0, 1)),
        (((60, 90), (760, 90)), (0, 2), (0, 1)),
        (((60, 90), (760, 90)), (0, 1), (0, 1)),
        (((60, 90), (760, 90)), (3, 3), (1, 0)),  # the right one lies above the other
    ],
)
def test_sheets_whose_lines_are_level_stay_apart_and_each_has_its_own_side_up(templates, options, places, turns, order):
    texts = "TENT\nROPES\nSTOVE", "357\n24\n6"
    desk = np.full((1000, 1400, 3), 50, np.uint8)
    for (left, top), text, turn in zip(places, texts, turns):
        note = np.full((360, 560, 3), 240, np.uint8)
        written = set_text(text, margin=60)[:360, :560]
        note[: written.shape[0], : written.shape[1]] = written
        note = np.rot90(note, turn)
        desk[top : top + note.shape[0], left : left + note.shape[1]] = note
    page = read(desk, templates, options)
    assert page.text == "\n".join(texts[number] for number in order)
    for line, number in zip(page.lines[::3], order):
        left, top = places[number]
        assert left < line.box[0] < left + 560 and top < line.box[1] < top + 560


def test_corners_are_those_of_the_sheets_that_have_four():
    gray = np.full((600, 800), 60, np.uint8)
    gray[100:500, 150:650] = 210
    (corners,) = find_corners(Image.fromarray(gray))
    assert np.abs(corners - [[150, 100], [650, 100], [650, 500], [150, 500]]).max() < 8
    assert not find_corners(Image.fromarray(np.full((600, 800), 210, np.uint8)))
