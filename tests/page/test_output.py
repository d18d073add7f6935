"""Scores and exports."""

import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from pipeline.page import Character, Line, Page, Word
from pipeline.page.export import annotate, export
from pipeline.page.score import edit_distance, score, total


@pytest.mark.parametrize("a, b, edits", [("", "", 0), ("", "ABC", 3), ("KITTEN", "SITTING", 3), ("FLAW", "LAWN", 2), ("ABC", "", 3)])
def test_edit_distance(a, b, edits):
    assert edit_distance(a, b) == edits == edit_distance(b, a)


def test_score_counts_spaces_only_where_it_should():
    result = score("HEL LO WORLD", "HELLO WORLD")
    assert (result.accuracy, result.cer, result.wer) == (1.0, 1 / 11, 2 / 2)
    assert score(" a  b \n\n c", "A B\nC").cer == 0
    both = total([score("AB", "AB"), score("", "CD")])
    assert both.accuracy == 0.5 and both.cer == 0.5


@pytest.fixture
def page() -> Page:
    first = Word([Character("A", (10, 10, 30, 40), 0.9), Character("B", (40, 12, 60, 42), 0.3, rejected=True)])
    second = Word([Character("7", (120, 11, 140, 41), 0.8)])
    return Page(200, 100, 0.5, [Line([first, second]), Line([second])])


@pytest.fixture
def files(page, tmp_path):
    name = 'a.b & "c".jpg'
    paths = export(page, np.full((100, 200, 3), 200, np.uint8), tmp_path / "a.b", name)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)
    return {path.suffix: path for path in paths}


def test_text_and_json(files, page):
    assert files[".txt"].read_text() == "A? 7\n7\n"
    value = json.loads(files[".json"].read_text())
    assert value["lines"][0]["words"][0]["characters"][1] == {"text": "B", "box": [40, 12, 60, 42], "confidence": 0.3, "rejected": True}
    assert value["lines"][0]["box"] == [10, 10, 140, 42] and value["text"] == page.text


def test_hocr_is_well_formed_and_nested(files):
    root = ET.fromstring(files[".hocr"].read_text())
    space = "{http://www.w3.org/1999/xhtml}"
    page = root.find(f".//{space}div[@class='ocr_page']")
    lines = page.findall(f"{space}span[@class='ocr_line']")
    found = lines[0].findall(f"{space}span[@class='ocrx_word']")
    assert page.get("title").endswith("bbox 0 0 200 100") and len(lines) == 2
    assert ["".join(word.itertext()) for word in found] == ["A?", "7"]
    assert found[1].get("title") == "bbox 120 11 140 41; x_wconf 80"


def test_alto_has_what_its_schema_asks_for(files):
    root = ET.fromstring(files[".xml"].read_text())
    space = "{http://www.loc.gov/standards/alto/ns-v4#}"
    assert [child.tag for child in root] == [space + "Description", space + "Layout"]
    assert root.findtext(f"{space}Description/{space}MeasurementUnit") == "pixel"
    lines = root.findall(f"{space}Layout/{space}Page/{space}PrintSpace/{space}TextBlock/{space}TextLine")
    assert [child.tag.removeprefix(space) for child in lines[0]] == ["String", "SP", "String"]
    strings = root.findall(f".//{space}String")
    assert [string.get("CONTENT") for string in strings] == ["A?", "7", "7"]
    identifiers = [element.get("ID") for element in root.iter() if element.get("ID")]
    assert len(identifiers) == len(set(identifiers))
    for element in (*lines, *strings, *root.findall(f".//{space}Glyph")):
        assert all(element.get(key).isdigit() for key in ("HPOS", "VPOS", "WIDTH", "HEIGHT"))


def test_annotation_marks_lines_words_and_text(page):
    blank = np.full((100, 200, 3), 255, np.uint8)
    picture = np.asarray(annotate(page, blank))
    assert picture.shape == blank.shape and len(np.unique(picture.reshape(-1, 3), axis=0)) > 4
    assert max(annotate(page, np.full((3000, 6000, 3), 255, np.uint8)).size) == 1600
