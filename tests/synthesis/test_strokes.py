"""The stroke library and the generator on top of it."""

from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.characters import CLASSES, SIZE
from pipeline.characters.alphabet import SIGNS, Alphabet
from pipeline.common.errors import ConfigError, DataError
from pipeline.common.paths import ROOT
from pipeline.synthesis.bend import bend, skip
from pipeline.synthesis.options import StrokesOptions
from pipeline.synthesis.pen import draw
from pipeline.synthesis.skeleton import strokes_from_mask
from pipeline.synthesis.skeletons import SPACING, make_skeletons
from pipeline.synthesis.stroke_library import SPLITS, Glyph, StrokeLibrary, load_library, save_library
from pipeline.synthesis.strokes import choose_glyphs, generate

OPTIONS = StrokesOptions(
    lower_case=0.25,
    signs=0.5,
    nothing=0.2,
    variants=0.4,
    bend=0.05,
    shift=0.02,
    turn=3.0,
    corner_break=0.3,
    lean=0.12,
    slant=0.18,
    rotation=5.0,
    widen=0.18,
    stretch=0.15,
    tremor=0.004,
    gap=0.05,
    pen_min=0.05,
    pen_max=0.2,
    pressure=0.12,
    faint=0.5,
    pixels_min=20,
    pixels_max=60,
    blur=1.0,
    noise=10.0,
)
ZEROS = {field.name: 0.0 for field in fields(OPTIONS)}
ALPHABET = Alphabet(CLASSES, nothing=False)
STILL = StrokesOptions(**ZEROS | dict(signs=1.0, pen_min=0.1, pen_max=0.1, pixels_min=40, pixels_max=40))


@pytest.fixture(scope="module")
def library() -> StrokeLibrary:
    path = ROOT / "data" / "strokes.npz"
    if not path.exists():
        pytest.skip("data/strokes.npz is not here; `dvc pull` fetches it")
    return load_library(path)


def test_library_holds_every_character_by_many_hands(library):
    assert len(library.hands) >= 40 and len(set(library.hands)) == len(library.hands)
    assert set(library.licences) <= {"OFL-1.1", "Apache-2.0", "MIT"}
    for label in CLASSES:
        for split, least in zip(SPLITS, (50, 8, 8)):
            assert sum(bool(library.find(hand, label)) for hand in library.hands_of(split)) >= least


def test_notice_names_every_family(library):
    named = [line.split()[0] for line in (ROOT / "NOTICE").read_text().splitlines() if line.startswith("hand-")]
    assert named == library.hands[:-1]  # all but the project's own variants


def test_glyphs_have_the_size_of_a_capital(library):
    for glyph in library.glyphs:
        points = np.concatenate(glyph.strokes)
        assert (0.2 if glyph.character in CLASSES else -1) < np.ptp(points[:, 1]) < 2.5 and np.ptp(points[:, 0]) < 3


def test_generated_splits_are_balanced_and_in_normal_form(library):
    splits = generate(library, ALPHABET, OPTIONS, 4, 2, 1, seed=5, workers=1)
    for part, per_class in zip((splits.train, splits.valid, splits.test), (4, 2, 1)):
        assert part.images.shape == (36 * per_class, SIZE, SIZE) and part.images.dtype == np.uint8
        assert np.bincount(part.labels, minlength=36).tolist() == [per_class] * 36
        assert part.images.max(axis=(1, 2)).min() > 150
    assert not (np.diff(splits.train.labels) == 0).mean() > 0.2  # shuffled


def test_the_seed_decides_and_the_workers_do_not(library):
    alone = generate(library, ALPHABET, OPTIONS, 16, 2, 1, seed=5, workers=1)  # two tasks to train
    shared = generate(library, ALPHABET, OPTIONS, 16, 2, 1, seed=5, workers=2)
    other = generate(library, ALPHABET, OPTIONS, 16, 2, 1, seed=6, workers=1)
    for a, b in zip(vars(alone).values(), vars(shared).values()):
        np.testing.assert_array_equal(a.images, b.images)
        np.testing.assert_array_equal(a.labels, b.labels)
    assert (alone.train.images != other.train.images).mean() > 0.05


def test_signs_and_what_is_no_character(library):
    """Every hand's split writes every sign; what is no character has its share, and is not blank."""
    alphabet = Alphabet(CLASSES + SIGNS, nothing=True)
    large = replace(OPTIONS, pixels_min=60)  # neighbours are wider than the paper's grain otherwise
    splits = generate(library, alphabet, large, 4, 2, 2, seed=5, workers=1)
    counts = np.bincount(splits.train.labels, minlength=alphabet.classes)
    assert (counts[:36] == 4).all() and (counts[36:-1] == 2).all() and counts[-1] == round(0.25 * counts[:-1].sum())
    for part in (splits.train, splits.test):
        nothing = part.images[part.labels == len(alphabet)]
        assert (nothing.max(axis=(1, 2)) > 150).all() and (nothing > 100).mean(axis=(1, 2)).max() < 0.9
        dots = part.images[part.labels == alphabet.index(".")]
        assert ((dots > 100).sum(axis=(1, 2)) > 30).all()  # ink, not the paper's noise


def test_a_character_that_no_hand_writes_is_an_error(library):
    with pytest.raises(DataError, match="'Ж'"):
        generate(library, Alphabet("AЖ", nothing=False), OPTIONS, 1, 1, 1, seed=0, workers=1)


def glyph_of(library, character: str) -> np.ndarray:
    return np.array(library.find(library.hands_of("train")[0], character)[:1])


def test_all_strengths_at_zero_give_the_model_itself(library):
    chosen = glyph_of(library, "K")
    drawn = bend(library.skeletons, chosen, np.random.default_rng(0), STILL)
    own = library.glyphs[chosen[0]].strokes
    assert [len(own)] == [len(drawn.pieces) - 1] and drawn.characters.tolist() == [0, len(drawn.points)]
    for model, first, last in zip(own, drawn.pieces[:-1], drawn.pieces[1:] - 1):
        np.testing.assert_allclose(drawn.points[[first, last]], model[[0, -1]], atol=1e-6)
    steps = np.hypot(*np.diff(drawn.points, axis=0).T)
    assert np.delete(steps, drawn.pieces[1:-1] - 1).max() < 1.5 * SPACING  # without gaps


def test_a_corner_is_where_the_pen_may_be_lifted():
    corner = [np.array([[0.0, 0.0], [0.0, 1.0], [0.5, 1.0]]), np.array([[0.0, 0.2], [0.3, 0.25], [0.6, 0.3]])]
    skeletons, still = make_skeletons([corner, corner[1:]]), np.random.default_rng(0)
    assert len(bend(skeletons, np.array([0, 1]), still, STILL).pieces) - 1 == 3
    assert len(bend(skeletons, np.array([0, 1]), still, replace(STILL, corner_break=1.0)).pieces) - 1 == 4


@pytest.mark.parametrize("key", ["bend", "shift", "turn", "lean", "slant", "rotation", "widen", "stretch", "tremor"])
def test_every_strength_moves_the_strokes_a_little(library, key):
    chosen = np.repeat(glyph_of(library, "R"), 5)
    model = bend(library.skeletons, chosen, np.random.default_rng(0), STILL)
    moved = bend(library.skeletons, chosen, np.random.default_rng(0), replace(STILL, **{key: getattr(OPTIONS, key)}))
    distance = np.hypot(*(model.points - moved.points).T)
    assert 0.001 < distance.max() < 0.6


def test_a_gap_lies_within_a_piece(library):
    strokes = bend(library.skeletons, np.repeat(glyph_of(library, "R"), 50), np.random.default_rng(0), STILL)
    lost = np.flatnonzero(~skip(strokes, np.random.default_rng(0), 1.0))
    assert 50 < len(lost) < 0.2 * len(strokes.points)
    assert not set(lost) & set(strokes.pieces) and not set(lost) & set(strokes.pieces[1:] - 1)
    assert skip(strokes, np.random.default_rng(0), 0.0).all()


def test_rarer_shapes_come_in_the_training_split_only(library):
    always = replace(STILL, variants=1.0)
    for split in SPLITS:
        labels = np.full(20, CLASSES.index("7"))
        chosen = choose_glyphs(library, split, ALPHABET, labels, np.random.default_rng(0), always)
        assert {library.glyphs[n].hand == library.variants for n in chosen} == {split == "train"}
        assert {library.glyphs[n].character for n in chosen} == {"7"}
    assert library.variants not in [hand for split in SPLITS for hand in library.hands_of(split)]


def test_the_pen_covers_what_its_discs_cover():
    points = np.stack([np.full(201, 12.3), np.linspace(10, 40, 201)], 1).astype(np.float32)
    pictures = draw(points, np.full(201, 3.0, np.float32), np.ones(201, int), (2, 50, 25))
    assert pictures.dtype == np.float32 and not pictures[0].any() and pictures.max() == 1
    np.testing.assert_allclose(pictures[1, 15:35].sum(axis=1), 6, atol=0.05)  # the pen's width
    assert pictures[1].sum() == pytest.approx(6 * 30 + np.pi * 9, rel=0.01)
    disc = draw(np.array([[8.0, 8.0]], np.float32), np.array([5.0], np.float32), np.zeros(1, int), (1, 16, 16))[0]
    assert disc.sum() == pytest.approx(np.pi * 25, rel=0.01)
    np.testing.assert_array_equal(disc, disc[::-1])


def test_skeletons_of_simple_shapes():
    canvas = np.zeros((90, 90), bool)
    canvas[10:18, 10:80] = canvas[10:80, 41:49] = True
    bars = sorted(strokes_from_mask(canvas), key=lambda s: np.ptp(s[:, 1]))
    assert len(bars) == 2 and np.ptp(bars[0][:, 0]) > 60 and np.ptp(bars[1][:, 1]) > 60  # a T is a bar and a stem
    rows, columns = np.mgrid[:90, :90]
    ring = strokes_from_mask(np.abs(np.hypot(rows - 45, columns - 45) - 30) < 4)
    assert len(ring) == 1 and np.allclose(ring[0][0], ring[0][-1])
    cross = strokes_from_mask((np.abs(rows - columns) < 6) | (np.abs(rows + columns - 89) < 6))
    assert len(cross) == 2


def test_same_library_same_bytes(tmp_path):
    glyphs = [Glyph(0, label, False, [np.array([[0.0, 0.0], [0.5, 1.0]])]) for label in CLASSES]
    for name in ("a.npz", "b.npz"):
        save_library(tmp_path / name, ["one", "two", "three"], list(SPLITS), ["OFL-1.1"] * 3, glyphs)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert load_library(tmp_path / "a.npz").hands_of("valid") == [1]


def test_missing_and_wrong_libraries_are_refused_in_one_line(tmp_path):
    with pytest.raises(DataError, match="no stroke library"):
        load_library(tmp_path / "strokes.npz")
    (tmp_path / "text.npz").write_text("no archive")
    glyphs = [Glyph(7, "0", False, [np.zeros((2, 2))])]  # hand 7 of 3
    save_library(tmp_path / "wrong.npz", ["one", "two", "three"], list(SPLITS), ["OFL-1.1"] * 3, glyphs)
    for name in ("text.npz", "wrong.npz"):
        with pytest.raises(DataError) as caught:
            load_library(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("key, value", [("bend", -0.1), ("gap", 1.5), ("pen_min", 0.3), ("pixels_min", 4), ("lean", 3.0)])
def test_options_out_of_range_are_named(key, value):
    with pytest.raises(ConfigError, match=f"^{key}: "):
        replace(OPTIONS, **{key: value})


def test_contact_sheet_has_a_row_a_class(library):
    sheet = generate(library, ALPHABET, OPTIONS, 2, 1, 1, seed=1, workers=1).train.sheet(36, columns=3)
    assert sheet.shape == (36 * SIZE, 3 * SIZE) and sheet[:, : 2 * SIZE].any() and not sheet[:, 2 * SIZE :].any()
