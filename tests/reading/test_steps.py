"""Steps: what the reader shows on its way from photo to text."""

import numpy as np
import pytest
from PIL import Image

from pipeline.batch.steps import CHOSEN, CYCLE, StepPictures
from pipeline.common.errors import EmptyPageError
from pipeline.reading import read
from tests.reading.conftest import set_text

TEXT = "KLING\nNEXT"


@pytest.fixture
def folder(templates, options, tmp_path):
    steps = StepPictures(tmp_path / "page", None, templates.lines.characters)
    assert read(set_text(TEXT), templates, options, watcher=steps).text == TEXT
    return tmp_path / "page"


def colours(path) -> set[tuple[int, ...]]:
    return set(map(tuple, np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3).tolist()))


def test_each_step_is_a_picture(folder):
    names = [path.stem for path in sorted(folder.iterdir())]
    assert names == ["1_sheet", "3_ink", "4_lines", "5_pieces", "6_candidates_line01", "6_candidates_line02"]


def test_each_line_has_its_colour_and_what_was_read_is_framed(folder):
    assert set(CYCLE) & colours(folder / "4_lines.png") == set(CYCLE[:2])
    assert CHOSEN in colours(folder / "6_candidates_line01.png") and CHOSEN in colours(folder / "6_candidates_line02.png")


def test_of_two_sheets_each_has_its_own_pictures(templates, options, tmp_path):
    desk = np.full((500, 1500, 3), 50, np.uint8)
    for left in (60, 800):
        note = set_text(TEXT, margin=70)
        desk[90 : 90 + note.shape[0], left : left + note.shape[1]] = note
    read(desk, templates, options, watcher=StepPictures(tmp_path, None, templates.lines.characters))
    assert {path.name for path in tmp_path.iterdir()} == {"sheet1", "sheet2"}
    assert (tmp_path / "sheet2/4_lines.png").exists()


def test_an_empty_page_shows_how_far_it_came(templates, options, tmp_path):
    steps = StepPictures(tmp_path, None, templates.lines.characters)
    with pytest.raises(EmptyPageError):
        read(np.full((300, 400), 230, np.uint8), templates, options, watcher=steps)
    assert {path.stem for path in tmp_path.iterdir()} == {"1_sheet", "3_ink"}
