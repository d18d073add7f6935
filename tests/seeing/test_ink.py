"""What is ink: letters that look like lines, printed words, and the network's own weights on pages drawn here."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.common.pixels import PRINTED, WRITTEN
from pipeline.nn.unet import UNetOptions, build_unet, load_unet
from pipeline.reading import Character, Line, Word, printed
from pipeline.seeing import ink, looks, pen, squares
from pipeline.seeing.word_kinds import FEATURES, WordModel
from tests.reading.conftest import ALL_WRITING, set_text

WEIGHTS = Path(__file__).parents[2] / "models" / "ink.npz"


@pytest.fixture(scope="module")
def network():
    if not WEIGHTS.exists():
        pytest.skip("models/ink.npz is not here; get it with `dvc pull`")
    return load_unet(WEIGHTS)[0]


def letters_beside(extra: list[tuple[slice, slice]]) -> tuple[np.ndarray, np.ndarray]:
    """Ink of eight crosses, 30 pixels tall, and what is drawn: the crosses and `extra`."""
    found = np.zeros((100, 400), bool)
    for x in range(20, 340, 40):
        found[30:60, x + 13 : x + 17] = found[43:47, x : x + 30] = True
    drawn = found.copy()
    for part in extra:
        drawn[part] = True
    return found, drawn


def test_a_stem_that_looks_like_a_line_is_given_back_to_its_letter():
    found, drawn = letters_beside([np.s_[30:60, 20:24]])  # touches the first cross
    assert ink.find_letters(found, drawn, ink.letter_height(found))[0][35, 21]


def test_the_dark_edge_of_a_desk_does_not_hide_that_the_pen_is_thin():
    page = np.zeros((400, 400), bool)
    for y in range(80, 320, 30):
        for x in range(20, 380, 16):
            page[y : y + 12, x : x + 2] = True
    page[:60], page[340:] = True, True  # more ink than all of the writing
    assert pen.pen_width(page) < 3


def test_pieces_of_a_rule_that_letters_cut_stay_lines():
    found, drawn = letters_beside([np.s_[64:66, 20:44], np.s_[64:66, 66:92]])  # as long as letters
    assert not ink.find_letters(found, drawn, ink.letter_height(found))[0][64:66].any()


def test_a_rule_longer_than_a_letter_stays_a_line():
    found, drawn = letters_beside([np.s_[80:83, 10:390]])
    assert not ink.find_letters(found, drawn, ink.letter_height(found))[0][81].any()


def test_faint_lines_around_a_cell_are_seen_and_stems_are_letters():
    kinds = np.zeros((5, 60, 60), np.float32)
    kinds[3, 10:50, (10, 11, 48, 49)] = kinds[3, (10, 11, 48, 49), 10:50] = 0.3
    kinds[1, 20:40, 28:31], kinds[3, 20:40, 28:31] = 0.6, 0.4
    lines = ink.drawn_lines(kinds)
    assert lines[10:50, 10].all() and not lines[20:40, 28].any()


class PrintedLooks:
    """Takes for print what looks like print, pixel by pixel."""

    def logits(self, windows: np.ndarray) -> np.ndarray:
        looks_printed = windows[:, 2].max(axis=(1, 2)) > 127
        return np.column_stack([~looks_printed, looks_printed, np.zeros(len(windows))])


@pytest.mark.parametrize("choice, kept, marked", [("drop", False, True), ("mark", True, True), ("keep", True, True)])
def test_print_is_dropped_marked_or_kept(monkeypatch, choice, kept, marked):
    found, _ = letters_beside([])
    word = np.zeros((100, 400), bool)
    for x in (20, 32, 44):
        word[75:90, x : x + 8] = True
    kinds = np.zeros((5, 100, 400), np.float32)
    kinds[0], kinds[WRITTEN], kinds[PRINTED] = ~found & ~word, found, word
    monkeypatch.setattr(ink, "look_closely", lambda *_: kinds)
    seen = ink.find_ink(
        np.full((200, 800), 255, np.uint8), object(), choice, WordModel(PrintedLooks(), np.eye(2, len(FEATURES) + 1))
    )
    inside = np.asarray(Image.fromarray(word).resize((800, 200), Image.Resampling.NEAREST))
    assert (seen.pixels[inside] > ink.INK).mean() == pytest.approx(float(kept), abs=0.1)
    assert (seen.printed == (inside & marked)).all()


def test_words_of_a_page_are_marked_by_their_ink():
    drawn, print_ = np.zeros((50, 100), bool), np.zeros((50, 100), bool)
    drawn[10:20, 10:30] = drawn[10:20, 60:80] = print_[10:20, 60:80] = True
    boxes = (20, 20, 60, 40), (120, 20, 160, 40), (170, 60, 190, 80)  # of a photo twice as large; the last shows nothing
    lines = [Line([Word([Character("A", box, 0.9)]) for box in boxes])]
    (marked,) = printed.mark_print(lines, drawn, print_, np.diag([0.5, 0.5, 1.0]))
    assert [word.printed for word in marked.words] == [False, True, False]


def test_strips_of_a_large_picture_are_seen_like_the_whole(monkeypatch):
    network = build_unet(UNetOptions([4, 4], 5), np.random.default_rng(0))
    contrast = np.random.default_rng(1).integers(0, 256, (300, 64)).astype(np.uint8)
    whole = looks.look(contrast, network)
    monkeypatch.setattr(looks, "STRIP", 64 * 64)
    np.testing.assert_allclose(looks.look(contrast, network), whole, atol=1e-5)


def test_looks_of_two_sizes_are_weighed_alike():
    coarse, fine = np.full((2, 2, 3), 0.5, np.float32), np.full((2, 4, 6), 0.1, np.float32)
    coarse[0], coarse[1], fine[1] = 0.9, 0.1, 0.9
    mean = looks.mean_look([coarse, fine])
    assert mean.shape == fine.shape and abs(mean - 0.5).max() < 0.01


def squared_paper(skew: float) -> tuple[np.ndarray, np.ndarray]:
    """What looks like a line: slanting squares, 40 pixels wide, with gaps, and stems, 30 pixels high; and the stems alone."""
    rows, columns = np.mgrid[:400, :600]
    lines = ((rows + skew * columns).astype(int) % 40 < 2) | ((columns - skew * rows).astype(int) % 40 < 2)
    lines &= (rows + columns) % 55 > 3
    stems = np.zeros_like(lines)
    for x in range(50, 560, 40):
        stems[65:95, x : x + 3] = True
    return lines | stems, stems & ~lines


@pytest.mark.parametrize("skew", [0.0, 0.05])
def test_squares_are_told_from_stems_that_look_like_them(skew):
    drawn, stems = squared_paper(skew)
    found = squares.find_squares(drawn, pen=3.0, height=30.0)
    assert found is not None and found[stems].mean() < 0.1 and found[drawn & ~stems].mean() > 0.9


def test_a_form_is_no_squared_paper():
    drawn = np.zeros((400, 600), bool)
    drawn[100:102, 50:550] = drawn[150:152, 50:550] = drawn[100:152, 50:552:50] = True  # a comb
    assert squares.find_squares(drawn, pen=3.0, height=30.0) is None


def test_a_second_look_between_faint_squares_finds_more_of_the_letters(network):
    page = set_text("THE HILL IS HIGH\nTELL FRITZ", size=60, tracking=0.4, ink=150, paper=225)[:, :, 0].copy()
    letters = page < 190
    page[10::34, :] = page[11::34, :] = 160
    page[:, 7::34] = page[:, 8::34] = 160
    first = ink.find_ink(page, network, "keep", ALL_WRITING)
    assert first.squared is not None
    again = ink.find_ink(page, network, "keep", ALL_WRITING, first.squared)
    seen = [(found.pixels > ink.INK)[letters].mean() for found in (first, again)]
    assert seen[1] > seen[0] and again.squared is None, seen


def test_boxes_and_rules_go_and_letters_stay(network):
    page = set_text("NAME 407\nTABLE", size=60, tracking=0.6)[:, :, 0].copy()
    letters = page < 100
    lines = np.zeros_like(letters)
    lines[25:28, 15:-15] = lines[-28:-25, 15:-15] = lines[25:-25, 15:18] = lines[25:-25, -18:-15] = True
    page[lines] = 90
    found = ink.find_ink(page, network, "keep", ALL_WRITING).pixels > ink.INK
    assert found[letters].mean() > 0.8 and found[lines].mean() < 0.2


def test_the_network_reads_chalk_as_ink(network):
    page = set_text("CHALK", ink=230, paper=50)[:, :, 0]
    found = ink.find_ink(page, network, "keep", ALL_WRITING).pixels > ink.INK
    assert found[page > 150].mean() > 0.8 and found[page < 60].mean() < 0.05


def test_thresholds_do_without_a_network():
    page = set_text("PLAIN")[:, :, 0]
    assert ((ink.find_ink(page, None, "drop", ALL_WRITING).pixels > ink.INK) == (page < 130)).mean() > 0.98
