"""The steps of page reading one by one."""

import numpy as np
import pytest
from PIL import Image

from pipeline.characters.alphabet import ALPHANUMERIC, Alphabet
from pipeline.common.errors import ConfigError
from pipeline.common.pixels import flatten
from pipeline.reading import OcrOptions, skew, straighten, words
from pipeline.reading.glyphs import classify_lines
from pipeline.reading.layout import find_components, find_lines
from pipeline.reading.seams import find_seams
from pipeline.reading.segment import Atom, Candidate
from pipeline.seeing.ink import binarize
from tests.reading.conftest import set_text


def test_flattening_takes_the_light_out():
    page = set_text("LIGHT")[:, :, 0]
    shaded = (page * np.linspace(1, 0.4, page.shape[1])).astype(np.uint8)
    ink = binarize(flatten(shaded))
    assert (ink == (page < 130)).mean() > 0.985
    assert not binarize(flatten(np.full((300, 400), 120, np.uint8))).any()


def test_faint_ink_survives_and_paper_noise_does_not():
    page = set_text("FAINT", ink=170, paper=210)[:, :, 0]
    noisy = np.clip(page + np.random.default_rng(0).normal(0, 4, page.shape), 0, 255).astype(np.uint8)
    ink = binarize(flatten(noisy))
    assert ink[page < 180].mean() > 0.9 and ink[page > 205].mean() < 0.02


def test_a_blot_says_nothing_of_the_pen():
    ink = binarize(flatten(set_text("SOME WORDS\nIN A ROW")[:, :, 0]))
    clean = find_components(ink)
    ink[-40:, :] = True
    blotted = find_components(ink)
    assert blotted.stroke == pytest.approx(clean.stroke, rel=0.05) and blotted.height == clean.height
    assert np.array_equal(blotted.labels > 0, clean.labels > 0)


def test_skew_is_measured_and_turned_back():
    image = Image.fromarray(set_text("SEVERAL LINES\nOF LEVEL TEXT\nIN A ROW")[:, :, 0]).rotate(-12, expand=True, fillcolor=225)
    ink = binarize(flatten(np.asarray(image)))
    assert skew.estimate_skew(ink, 45) == pytest.approx(12, abs=0.6)


@pytest.mark.parametrize("side", range(8))
def test_a_picture_with_another_side_up_knows_the_way_back(side):
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    view = straighten.orient(straighten.View(pixels, np.eye(3)), side)
    assert np.array_equal(straighten.turn_over(pixels[None], side)[0], view.pixels)
    for y, x in np.ndindex(view.pixels.shape):
        at = view.to_photo @ (x + 0.5, y + 0.5, 1)
        assert pixels[int(at[1]), int(at[0])] == view.pixels[y, x]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 13.0, -31.0])
def test_a_view_knows_the_way_back(degrees):
    pixels = np.zeros((120, 200), np.uint8)
    pixels[20:25, 150:155] = 255
    view = straighten.rotate(straighten.View(pixels, np.eye(3)), degrees)
    y, x = (axis.mean() for axis in np.nonzero(view.pixels > 120))
    x0, y0, x1, y1 = straighten.to_photo_box((x + 0.5, y + 0.5, x + 0.5, y + 0.5), view.to_photo, 200, 120)
    assert (x0 + x1) / 2 == pytest.approx(152.5, abs=0.8) and (y0 + y1) / 2 == pytest.approx(22.5, abs=0.8)


@pytest.mark.parametrize("factor", [1, 2])
def test_a_photo_is_made_small_band_by_band_as_if_at_once(factor):
    photo = np.random.default_rng(0).integers(0, 256, (203, 151, 3)).astype(np.uint8)
    small = straighten.prepare(photo, photo[..., 0].size // factor**2 - (factor - 1)).pixels
    at_once = Image.fromarray(photo).convert("L").reduce(factor)
    assert np.array_equal(small, at_once.resize(small.shape[::-1], Image.BOX))


def test_wavy_lines_of_different_size_are_followed():
    ink = np.zeros((600, 1200), bool)
    for top, size in ((80, 30), (200, 60), (380, 40)):
        for i in range(15):
            y = top + int(0.4 * size * np.sin(i / 2))
            ink[y : y + size, 40 + i * 75 : 45 + i * 75] = ink[y : y + 5, 40 + i * 75 : 70 + i * 75] = True
    lines = find_lines(find_components(ink))
    assert [len(line.pieces) for line in lines] == [15, 15, 15]
    assert [line.height for line in lines] == pytest.approx([30, 60, 40], abs=2)


def test_word_gaps_are_found_from_the_gaps_themselves():
    def parted(*gaps):
        (groups,) = words.fit_lines([np.array(gaps)])
        return list(words.log_odds(np.array(gaps), groups) > 0)

    assert parted(0.1, 0.1, 0.8, 0.15, 0.1, 0.9) == [False, False, True, False, False, True]
    assert parted(0.6, 0.5, 0.7, 1.6, 0.6, 0.5, 1.7, 0.6) == [False, False, False, True, False, False, True, False]
    assert all(parted(1.0, 1.1, 0.9, 1.2, 0.8, 1.0)) and not any(parted(0.3, 0.2, 0.4, 0.3))
    spaced = [0.9, 1.0, 0.8, 2.3, 0.9, 0.85, 2.2, 1.0, 0.9] * 4
    assert parted(*spaced) == [gap > 2 for gap in spaced]
    assert len(words.fit_lines([np.empty(0)])) == 1


def test_a_seam_goes_through_the_thinnest_ink():
    ink = np.zeros((40, 60), bool)
    ink[5:35, 5:25] = ink[5:35, 35:55] = True
    ink[20:23, 25:35] = True
    (crossed, path), *_ = find_seams(ink[:, 5:55], 4.0, 40.0)
    assert crossed == pytest.approx(0.75, abs=0.1) and ((path >= 19) & (path <= 30)).all()


def test_seams_are_spread_along_a_word_written_without_lifting_the_pen():
    ink = np.zeros((60, 360), bool)
    ink[54:] = True
    for x in range(0, 360, 60):
        ink[:, x : x + 6] = True
    middles = np.array([path[30] for _, path in find_seams(ink, 6.0, 60.0)])
    assert all(((middles > x + 6) & (middles < x + 60)).any() for x in range(0, 300, 60))
    assert np.diff(middles).min() >= 0.13 * 60


def test_what_was_classified_before_is_not_classified_again():
    class Counting:
        alphabet = Alphabet(ALPHANUMERIC, nothing=False)
        seen = 0

        def predict(self, x):
            self.seen += len(x)
            return np.full((len(x), 36), 1 / 36, np.float32)

    found = find_components(binarize(flatten(set_text("HAT", size=80)[:, :, 0])))
    atoms = [Atom((int(i) + 1,), tuple(int(v) for v in found.boxes[i])) for i in np.flatnonzero(found.areas)]
    singles = [Candidate(i, i + 1, atom.box) for i, atom in enumerate(atoms)]
    model, before = Counting(), np.zeros(36)
    (rows,) = classify_lines(found, [atoms], [singles], model, [{(1, 2): before}])
    assert rows.shape == (3, 36) and model.seen == 2 and not rows[1].any()


@pytest.mark.parametrize(
    "key, value", [("work_pixels", 10), ("printed", "some"), ("language_weight", -1.0), ("beam", 0), ("reject_below", 1.5)]
)
def test_options_out_of_range_are_refused_by_name(key, value):
    good = dict(work_pixels=10**6, straighten=True, printed="keep", language_weight=1.0, beam=8, reject_below=0.0)
    with pytest.raises(ConfigError, match=f"^{key}: "):
        OcrOptions(**{**good, key: value})
