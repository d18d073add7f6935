"""Scores and exports."""

import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hocr_spec import HocrValidator
from lxml import etree
from PIL import Image
from pypdf import PdfReader

from pipeline.common.errors import DataError
from pipeline.output.annotation import BAND, LINE, TEXT, UNSURE, WORD, annotate
from pipeline.output.export import export, to_csv
from pipeline.output.pdf import to_pdf
from pipeline.output.score import edit_distance, score, total
from pipeline.reading import Character, Line, Page, Word
from tests.schemas import alto_schema, page_schema

BLANK = np.full((200, 100, 3), 200, np.uint8)


@pytest.mark.parametrize(
    "a, b, edits", [("", "", 0), ("", "ABC", 3), ("KITTEN", "SITTING", 3), ("FLAW", "LAWN", 2), ("ABC", "", 3)]
)
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
    """Two lines that run down the photo."""
    unsure = Character("B", (58, 40, 88, 60), 0.3, rejected=True, alternatives=(("8", 0.25), ("E", 0.2)))
    first = Word([Character("A", (60, 10, 90, 30), 0.9), unsure], 0.28, (("A8", 0.2),))
    second = Word([Character("7", (59, 120, 89, 140), 0.8)], printed=True)
    third = Word([Character("7", (9, 120, 39, 140), 0.8)])
    return Page(100, 200, 90.0, [Line([first, second]), Line([third])])


@pytest.fixture
def files(page, tmp_path):
    name = 'a.b & "c".jpg'
    paths = export(page, BLANK, tmp_path / "a.b", name)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)
    return {path.name.removeprefix("a.b"): path for path in paths}


def test_text_and_json(files, page):
    assert files[".txt"].read_text() == "A? 7\n7\n"
    value = json.loads(files[".json"].read_text())
    second = value["lines"][0]["words"][0]["characters"][1]
    others = [{"text": "8", "confidence": 0.25}, {"text": "E", "confidence": 0.2}]
    assert second == {"text": "B", "box": [58, 40, 88, 60], "confidence": 0.3, "rejected": True, "alternatives": others}
    assert value["lines"][0]["words"][0]["alternatives"] == [{"text": "A8", "confidence": 0.2}]
    assert value["lines"][0]["box"] == [58, 10, 90, 140] and value["text"] == page.text


def test_printed_words_are_marked_and_no_others(files):
    value = json.loads(files[".json"].read_text())
    assert [word["printed"] for line in value["lines"] for word in line["words"]] == [False, True, False]
    words = etree.parse(files[".hocr"]).getroot().findall(".//{*}span[@class='ocrx_word']")
    assert [word.get("data-printed") for word in words] == [None, "true", None]
    alto = etree.parse(files[".xml"]).getroot()
    tag = alto.find("{*}Tags/{*}OtherTag").get("ID")
    assert [string.get("TAGREFS") for string in alto.findall(".//{*}String")] == [None, tag, None]
    words = etree.parse(files[".page.xml"]).getroot().findall(".//{*}Word")
    assert [word.get("production") for word in words] == [None, "printed", None]


def test_hocr_keeps_its_specification(files):
    report = HocrValidator("standard").validate(str(files[".hocr"]))
    assert report.is_valid() and not [str(item) for item in report.items if item.level == "WARN"]
    wrong = files[".hocr"].read_text().replace("x_wconf 80", "x_wconf 180", 1)
    files[".hocr"].write_text(wrong)
    assert not HocrValidator("standard").validate(str(files[".hocr"])).is_valid()  # the validator does look


def test_hocr_is_nested_and_its_words_hold_no_space(files):
    root = ElementTree.fromstring(files[".hocr"].read_text())
    space = "{http://www.w3.org/1999/xhtml}"
    page = root.find(f".//{space}div[@class='ocr_page']")
    lines = page.findall(f"{space}div[@class='ocr_carea']/{space}p[@class='ocr_par']/{space}span[@class='ocr_line']")
    found = lines[0].findall(f"{space}span[@class='ocrx_word']")
    assert page.get("title").endswith("bbox 0 0 100 200") and len(lines) == 2
    read = [[span.text for span in word.iter(f"{space}span") if span.get("class") == "ocrx_cinfo"] for word in found]
    assert read == [["A", "?"], ["7"]]
    others = found[0].findall(f"{space}span[@class='alternatives']/{space}del[@class='alt']")
    assert [(other.text, other.get("title")) for other in others] == [("A8", "nlp 1.609")]
    assert lines[0].get("title") == "bbox 58 10 90 140; textangle -90.0; baseline 0 -1"
    assert found[1].get("title") == "bbox 59 120 89 140; x_wconf 80"


def test_alto_keeps_its_schema(files):
    schema = alto_schema()
    alto = etree.parse(files[".xml"])
    schema.assertValid(alto)
    space = "{http://www.loc.gov/standards/alto/ns-v4#}"
    assert alto.findtext(f"{space}Description/{space}MeasurementUnit") == "pixel"
    assert [string.get("CONTENT") for string in alto.iter(f"{space}String")] == ["A?", "7", "7"]
    assert alto.find(f".//{space}TextBlock").get("ROTATION") == "-90.0"
    alto.find(f".//{space}String").set("WC", "1.5")
    assert not schema.validate(alto)  # the schema does look


@pytest.mark.parametrize("name", ["a\x01b.jpg", "a\udcff.jpg", "<&>.jpg", "\N{CJK UNIFIED IDEOGRAPH-4E00}.jpg"])
def test_any_file_name_leaves_the_files_valid(page, tmp_path, name):
    export(page, BLANK, tmp_path / "page", name)
    alto_schema().assertValid(etree.parse(tmp_path / "page.xml"))
    assert HocrValidator("standard").validate(str(tmp_path / "page.hocr")).is_valid()
    json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))


def test_pdf_holds_the_text_where_it_is_written(files, page):
    sheet = PdfReader(files[".pdf"]).pages[0]
    assert sheet.mediabox.width == pytest.approx(842) and sheet.mediabox.height == pytest.approx(421)  # upright
    assert "3 Tr" in sheet.get_contents().get_data().decode("latin-1")  # invisible
    assert sheet.extract_text().split() == ["A?", "7", "7"]
    starts = {}
    sheet.extract_text(visitor_text=lambda text, matrix, at, *_: starts.setdefault(text.strip(), _start(matrix, at)))
    # points of the sheet, 4.21 a pixel, y up; the photo is turned left, so that its right edge is the top
    assert starts["A?"] == pytest.approx((10 * 4.21, 421 - (100 - 58) * 4.21), abs=0.1)
    assert starts["7"] == pytest.approx((120 * 4.21, 421 - (100 - 59) * 4.21), abs=0.1)
    again = PdfReader(io.BytesIO(to_pdf(page, BLANK, dpi=100))).pages[0].mediabox
    assert (again.width, again.height) == (144, 72)  # 200 x 100 pixels


def _start(matrix: list[float], at: list[float]) -> tuple[float, float]:
    """The origin of a text on the sheet, from the matrix of the page's contents and that of the text."""
    return (matrix[0] * at[4] + matrix[2] * at[5] + matrix[4], matrix[1] * at[4] + matrix[3] * at[5] + matrix[5])


def test_the_same_page_gives_the_same_bytes(page, files):
    again = files[".pdf"].parent / "again" / "a.b"
    for path in export(page, BLANK, again, 'a.b & "c".jpg'):
        assert path.read_bytes() == files[path.name.removeprefix("a.b")].read_bytes()


def test_a_character_cut_off_by_the_edge_is_written_all_the_same(tmp_path):
    page = Page(100, 200, 0.0, [Line([Word([Character("A", (100, 50, 100, 50), 0.9)])])])
    export(page, BLANK, tmp_path / "page", "a.jpg")
    alto_schema().assertValid(etree.parse(tmp_path / "page.xml"))
    assert PdfReader(tmp_path / "page.pdf").pages[0].extract_text().strip() == "A"


def test_annotation_shows_photo_and_reading_upright(page):
    picture = np.asarray(annotate(page, BLANK))
    assert picture.shape == (3 * 100 + BAND, 2 * 600, 3)  # a small photo is enlarged
    blue, orange, red, black = (
        np.all(np.abs(picture[:300].astype(int) - colour) < 12, axis=2) for colour in (LINE, WORD, UNSURE, TEXT)
    )
    assert not (red | black)[:, :600].any() and not (blue | orange)[:, 600:].any()
    assert _box(blue) == pytest.approx((25, 25, 425, 281), abs=3)  # both lines, with a margin of 5
    assert _box(orange) == pytest.approx((28, 28, 422, 278), abs=3)
    assert _box(red)[0] - 600 == pytest.approx(135, abs=24)  # "?" in the place of B
    assert _box(black[:135]) == pytest.approx((630, 45, 1020, 120), abs=24)  # A to 7
    large = annotate(replace(page, width=6000, height=3000, rotation=0.0), np.full((3000, 6000, 3), 255, np.uint8))
    assert large.size == (2400, 600 + BAND)


def test_the_picture_takes_a_palette_and_keeps_its_colours(page, tmp_path):
    image = np.linspace(40, 240, 200 * 100 * 3).reshape(200, 100, 3).astype(np.uint8)
    (path,) = export(page, image, tmp_path / "page", "a.jpg", ["png"])
    with Image.open(path) as picture:
        assert picture.mode == "P"
        off = np.abs(np.asarray(picture.convert("RGB"), int) - np.asarray(annotate(page, image), int))
    assert off.mean() < 6


def test_the_colours_are_explained_beside_each_other_however_narrow_the_page():
    line = Line([Word([Character("A", (2, 2, 8, 12), 0.2)])])
    picture = np.asarray(annotate(Page(10, 14, 0.0, [line]), np.full((14, 10, 3), 255, np.uint8)))
    red, blue = (np.all(np.abs(picture[-BAND:].astype(int) - colour) < 12, axis=2) for colour in (UNSURE, LINE))
    middle = picture.shape[1] // 2
    assert red[:, middle:].any() and not red[:, :middle].any()
    assert blue[:, :middle].any() and not blue[:, middle:].any()


def _box(marked: np.ndarray) -> tuple[int, ...]:
    rows, columns = np.nonzero(marked)
    return columns.min(), rows.min(), columns.max(), rows.max()


def test_page_xml_keeps_its_schema(files):
    root = etree.parse(files[".page.xml"]).getroot()
    page_schema().assertValid(root)
    regions, words = root.findall(".//{*}TextRegion"), root.findall(".//{*}Word")
    assert regions[0].findtext("{*}TextEquiv/{*}Unicode") == "A? 7\n7"
    assert words[0].find("{*}Coords").get("points") == "58,10 90,10 90,60 58,60"
    assert root.find("{*}Page").get("orientation") == "-90.0"
    root.find(".//{*}TextEquiv").set("conf", "1.5")
    assert not page_schema().validate(root)  # the schema does look


def test_only_what_is_asked_for_is_made(page, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.output.export.annotate", lambda *_: pytest.fail("nobody asked for a picture"))
    assert export(page, BLANK, tmp_path / "page", "a.jpg", ["txt", "csv"]) == [tmp_path / "page.txt", tmp_path / "page.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.csv", "page.txt"]


def test_each_format_has_its_own_content_however_long_the_name(page, tmp_path):
    long, short = (export(page, BLANK, tmp_path / stem, "a.jpg") for stem in ("z" * 200, "z"))
    assert [path.read_bytes() for path in long] == [path.read_bytes() for path in short]
    assert len(list(tmp_path.iterdir())) == len(long) + len(short)


@pytest.mark.parametrize("stem", ["page", "z" * 250])
def test_all_formats_are_written_or_none(page, tmp_path, stem):
    (tmp_path / "page.json").mkdir()
    (tmp_path / "page.txt").write_text("before")
    with pytest.raises(DataError, match="cannot be written"):
        export(page, BLANK, tmp_path / stem, "a.jpg", ["txt", "json", "page"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.json", "page.txt"]
    assert (tmp_path / "page.txt").read_text() == "before"


def test_a_blank_page_is_written_in_every_format(tmp_path):
    export(Page(100, 200, 0.0, []), BLANK, tmp_path / "page", "a.jpg")
    alto_schema().assertValid(etree.parse(tmp_path / "page.xml"))
    assert HocrValidator("standard").validate(str(tmp_path / "page.hocr")).is_valid()
    assert (tmp_path / "page.txt").read_text() == ""
    assert PdfReader(tmp_path / "page.pdf").pages[0].extract_text() == ""


def test_words_far_apart_stand_in_columns(tmp_path):
    words = [Word([Character(c, (x, 10, x + 20, 40), 0.9)]) for c, x in (("A", 0), ("B", 30), ("7", 130))]
    assert to_csv(Page(200, 50, 0.0, [Line(words)]), "a.jpg") == "A B,7\n"
