"""Rendered pages: the same from the same seed, the true text in ink, and every option does what it says."""

import dataclasses
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from pipeline.characters import CLASSES
from pipeline.common.errors import ConfigError, DataError
from pipeline.synthesis import handwriting, scene
from pipeline.synthesis.render import RenderOptions, load_texts, render_page, render_pages
from pipeline.synthesis.stroke_library import Glyph, StrokeLibrary

PAGES = Path(__file__).parents[2] / "data/pages"

CALM = RenderOptions(
    texts="",
    seed=0,
    width=900,
    height=600,
    pens=["marker"],
    papers=["white"],
    slant=0,
    slant_jitter=0,
    size_jitter=0,
    bend=0,
    baseline_jitter=0,
    letter_gap=0.4,
    word_gap=1.2,
    gap_jitter=0,
    join=0,
    line_slope=0,
    rotation=0,
    perspective=0,
    desk=0,
    gradient=0,
    shadow=0,
    vignette=0,
    warmth=0,
    blur=0,
    noise=0,
)
LIVELY = replace(
    CALM,
    slant=5,
    slant_jitter=2,
    size_jitter=0.05,
    bend=0.03,
    baseline_jitter=0.03,
    gap_jitter=0.2,
    line_slope=1,
    rotation=2,
    perspective=0.02,
    desk=0.5,
    gradient=0.3,
    shadow=0.4,
    vignette=0.2,
    warmth=0.15,
    blur=1,
    noise=4,
)


@pytest.fixture(scope="module")
def library() -> StrokeLibrary:
    """Three hands whose every character is a box; each hand's boxes have another width."""

    def box(hand: int) -> list[np.ndarray]:
        return [np.array([[0, 0], [0.5 + 0.1 * hand, 0], [0.5 + 0.1 * hand, 1], [0, 1], [0, 0.0]])]

    glyphs = [Glyph(hand, label, False, box(hand)) for hand in range(3) for label in CLASSES]
    glyphs += [Glyph(hand, ".", False, [np.array([[0.0, 0.97], [0.03, 1.0]])]) for hand in range(3)]
    return StrokeLibrary(["a", "b", "c"], ["train", "valid", "test"], ["OFL"] * 3, glyphs)


def page(library: StrokeLibrary, text: str, options: RenderOptions, pen="marker", paper="white", seed=0) -> np.ndarray:
    return render_page(library, 2, text, pen, paper, options, np.random.default_rng(seed))


def blobs(photo: np.ndarray) -> int:
    """Separate pieces of ink on a calm page."""
    grey = photo.mean(axis=2)
    labels, count = ndimage.label(grey < 0.7 * np.median(grey), np.ones((3, 3)))
    return int((np.bincount(labels.ravel())[1:] > 15).sum())


def test_same_seed_same_bytes_and_every_page_its_own_look(library):
    texts = {"one": "AB 12", "two": "AB 12"}
    first, again = (list(render_pages(library, texts, LIVELY)) for _ in range(2))
    for (name, photo, truth), (_, photo_again, _) in zip(first, again, strict=True):
        assert photo.shape == (600, 900, 3) and photo.dtype == np.uint8 and truth == texts[name]
        np.testing.assert_array_equal(photo, photo_again)
    assert not np.array_equal(first[0][1], first[1][1])
    other = next(render_pages(library, texts, replace(LIVELY, seed=1)))[1]
    assert not np.array_equal(first[0][1], other)


def test_only_test_hands_write(library, monkeypatch):
    used = []
    monkeypatch.setattr("pipeline.synthesis.render.render_page", lambda library, hand, *_: used.append(hand))
    list(render_pages(library, {str(i): "A" for i in range(5)}, CALM))
    assert set(used) == {2}


def test_a_hand_without_a_character_does_not_write_that_page(library):
    poor = StrokeLibrary(library.hands, library.splits, library.licences, [g for g in library.glyphs if g.character != "7"])
    with pytest.raises(DataError, match="page p: no test hand"):
        list(render_pages(poor, {"p": "A7"}, CALM))


def test_each_character_is_one_piece_of_ink(library):
    assert blobs(page(library, "AB CD 1\nEFG", CALM)) == 8
    assert blobs(page(library, "1. AB\n2. C", CALM)) == 7  # the full stops too


def test_join_makes_neighbours_touch_but_not_words(library):
    assert blobs(page(library, "ABCD EFG\nHIJ", replace(CALM, join=1.0))) == 3
    rng, habits = np.random.default_rng(0), replace_habits(join=1.0)
    apart = handwriting.write_line(library, 2, "AA", replace_habits(join=0.0), rng)
    touching = handwriting.write_line(library, 2, "AA", habits, rng)
    assert apart[1][:, 0].min() - apart[0][:, 0].max() == pytest.approx(0.4, abs=0.01)
    assert touching[1][:, 0].min() - touching[0][:, 0].max() == pytest.approx(-0.01, abs=0.005)


def replace_habits(**changes) -> handwriting.Habits:
    calm = {field.name: getattr(CALM, field.name) for field in dataclasses.fields(handwriting.Habits)}
    return handwriting.Habits(**(calm | changes))


def test_slant_leans_to_the_right_and_lines_rest_on_zero(library):
    stroke = handwriting.write_line(library, 2, "A", replace_habits(slant=20), np.random.default_rng(0))[0]
    top, bottom = stroke[stroke[:, 1] < -0.9], stroke[stroke[:, 1] > -0.1]
    assert top[:, 0].mean() - bottom[:, 0].mean() == pytest.approx(np.tan(np.radians(20)), abs=0.05)
    assert stroke[:, 1].max() == pytest.approx(0, abs=0.01) and stroke[:, 1].min() == pytest.approx(-1, abs=0.01)


def test_writing_is_never_twice_the_same(library):
    habits = replace_habits(bend=0.03, size_jitter=0.05)
    first, second = handwriting.write_line(library, 2, "AA", habits, np.random.default_rng(0))
    assert abs(np.ptp(first[:, 0]) - np.ptp(second[:, 0])) > 1e-3


@pytest.mark.parametrize("text", ["A", "REFRIGERATORS AND OTHER VERY COLD THINGS 0123456789", "\n".join("ABCDEFGHIJKL")])
def test_text_fits_on_the_page(library, text):
    options = replace(LIVELY, gradient=0, shadow=0, vignette=0, desk=0, noise=0)
    for seed in range(3):
        grey = page(library, text, options, seed=seed).mean(axis=2)
        dark = grey < 0.6 * np.median(grey)
        assert dark.any()
        assert not (dark[:4].any() or dark[-4:].any() or dark[:, :4].any() or dark[:, -4:].any())


@pytest.mark.parametrize("paper", scene.PAPERS)
@pytest.mark.parametrize("pen", scene.PENS)
def test_ink_is_darker_than_any_paper(library, pen, paper):
    calm = page(library, "ABC 123\nXYZ", replace(CALM, width=1400, height=900), pen, paper)
    grey = calm.mean(axis=2)
    assert 100 < np.median(grey) < 235
    assert np.percentile(grey, 0.5) < 0.75 * np.median(grey)


def test_pens_differ_in_width_and_colour():
    rng = np.random.default_rng(0)
    amounts = {}
    for pen in scene.PENS:
        sheet = np.ones((300, 300, 3), np.float32)
        scene.ink(sheet, [np.array([[50.0, 150], [250, 150]])], pen, 80, rng)
        amounts[pen] = (1 - sheet).sum()
    assert amounts["marker"] > 2 * amounts["ballpoint"] > amounts["pencil"]


@pytest.mark.parametrize("option, strong", [("gradient", 0.8), ("shadow", 0.8), ("vignette", 0.8)])
def test_light_falls_off_smoothly(library, option, strong):
    photos = [page(library, "A", replace(CALM, **{option: value})) for value in (0, strong)]
    off, on = (ndimage.gaussian_filter(photo.mean(axis=2), 8) for photo in photos)
    assert np.ptp(on[50:-50, 50:-50]) > np.ptp(off[300:-50, 300:-50]) + 15
    assert np.abs(np.diff(on[400])).max() < 6


def test_noise_warmth_and_desk(library):
    calm, noisy = page(library, "A", CALM), page(library, "A", replace(CALM, noise=20))
    assert np.std(noisy[-60:, -60:].astype(float)) > 2 * np.std(calm[-60:, -60:].astype(float))
    warm = page(library, "A", replace(CALM, warmth=0.4), seed=1)
    assert abs(float(np.median(warm[..., 0])) - float(np.median(warm[..., 2]))) > 10
    desk = page(library, "A", replace(CALM, desk=1.0, rotation=3))
    assert desk[2].mean() < 0.6 * np.median(desk)


def test_rotation_turns_by_what_it_says():
    camera = scene.make_camera(800, 600, 5.0, 0.0, False, np.random.default_rng(0))
    (x0, y0), (x1, y1) = camera(np.array([[100.0, 300], [700, 300]]))
    assert np.degrees(np.arctan2(y1 - y0, x1 - x0)) == pytest.approx(5.0)  # clockwise, as seen


def test_texts_are_loaded_in_order_and_checked(tmp_path):
    (tmp_path / "b.txt").write_text("B 2 \n\n")
    (tmp_path / "a.txt").write_text("1. A\nB\n")
    assert list(load_texts(tmp_path).items()) == [("a", "1. A\nB"), ("b", "B 2")]
    for content, message in [
        (b"A^B", r"cannot write '\^'"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "UTF-8"),
        ("É".encode(), "cannot write"),
    ]:
        (tmp_path / "c.txt").write_bytes(content)
        with pytest.raises(DataError, match=message) as error:
            load_texts(tmp_path)
        assert "c.txt" in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(DataError, match="no .txt files"):
        load_texts(tmp_path / "none")


def test_the_projects_own_texts_can_be_written():
    if not PAGES.is_dir():
        pytest.skip("no data/pages; fetch it with `dvc pull`")
    texts = load_texts(PAGES)
    assert len(texts) >= 6
    assert set("".join(texts.values())) >= set(CLASSES)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"pens": []}, "pens"),
        ({"papers": ["stone"]}, "papers"),
        ({"width": 10}, "width"),
        ({"join": 1.5}, "join"),
        ({"noise": -1}, "noise"),
        ({"blur": float("nan")}, "blur"),
        ({"perspective": 0.5}, "perspective"),
    ],
)
def test_options_out_of_range_are_named(change, message):
    with pytest.raises(ConfigError, match=f"^{message}: "):
        RenderOptions(**(asdict(CALM) | change))
    assert all(field.default is dataclasses.MISSING for field in dataclasses.fields(RenderOptions))
