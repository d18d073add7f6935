"""Markup: a page as hOCR and as ALTO, which the tools of archives read."""

import math
import re
from xml.etree import ElementTree as ET

import numpy as np

from pipeline.reading.page import Box, Line, Page, around, level_box, whole

XHTML = "http://www.w3.org/1999/xhtml"
ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
ALTO_SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
PRINTED = "printed"  # tag of printed words in ALTO
NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # file names may hold characters that XML forbids


def to_hocr(page: Page, name: str) -> str:
    """hOCR 1.2: XHTML whose classes and titles hold boxes and confidences (Breuel 2007)."""
    name = NOT_XML.sub("\N{REPLACEMENT CHARACTER}", name)
    html = ET.Element("html", {"xmlns": XHTML, "lang": "en"})
    head = ET.SubElement(html, "head")
    ET.SubElement(head, "title").text = name
    ET.SubElement(head, "meta", {"http-equiv": "Content-Type", "content": "text/html;charset=utf-8"})
    for key, value in (
        ("system", "handprint"),
        ("capabilities", "ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrx_cinfo"),
        ("langs", "en"),
        ("scripts", "Latn"),
        ("number-of-pages", "1"),
    ):
        ET.SubElement(head, "meta", {"name": f"ocr-{key}", "content": value})
    body = ET.SubElement(html, "body")
    quoted = name.replace('"', "'")
    sheet = ET.SubElement(
        body, "div", {"class": "ocr_page", "id": "page_1", "title": f'image "{quoted}"; bbox 0 0 {page.width} {page.height}'}
    )
    if page.lines:
        box = f"bbox {_numbers(around([line.box for line in page.lines]))}"
        area = ET.SubElement(sheet, "div", {"class": "ocr_carea", "id": "block_1", "title": box})
        paragraph = ET.SubElement(area, "p", {"class": "ocr_par", "id": "par_1", "title": box})
    for i, line in enumerate(page.lines, 1):
        title = f"bbox {_numbers(line.box)}; textangle {_slope(page)}; baseline 0 {_baseline(line, page)}"
        row = ET.SubElement(paragraph, "span", {"class": "ocr_line", "id": f"line_{i}", "title": title})
        for j, word in enumerate(line.words, 1):
            title = f"bbox {_numbers(word.box)}; x_wconf {round(100 * word.confidence)}"
            span = ET.SubElement(row, "span", {"class": "ocrx_word", "id": f"word_{i}_{j}", "title": title})
            if word.printed:
                span.set("data-printed", "true")  # hOCR has no property for it
            best = span
            if word.alternatives:
                choice = ET.SubElement(span, "span", {"class": "alternatives"})
                best = ET.SubElement(choice, "ins", {"class": "alt", "title": f"nlp {_cost(word.confidence)}"})
                for text, confidence in word.alternatives:
                    ET.SubElement(choice, "del", {"class": "alt", "title": f"nlp {_cost(confidence)}"}).text = text
            for c in word.characters:
                info = {"class": "ocrx_cinfo", "title": f"x_bboxes {_numbers(c.box)}; x_confs {100 * c.confidence:.1f}"}
                ET.SubElement(best, "span", info).text = c.shown
            span.tail = " "
        row.tail = "\n"  # no indentation: white space inside a word would be text
    return '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n' + ET.tostring(html, encoding="unicode") + "\n"


def _numbers(box: Box) -> str:
    return " ".join(str(v) for v in whole(box))


def _cost(confidence: float) -> str:
    """Negative log-probability, by which hOCR ranks alternatives."""
    return f"{-math.log(max(confidence, 1e-9)):.3f}"


def _baseline(line: Line, page: Page) -> int:
    """The base line of the characters, in pixels from the bottom of the box of the level line; 0 or less."""
    bottoms = [level_box([c], page.rotation)[3] for c in line.characters]
    return round(float(np.median(bottoms)) - max(bottoms))


def _slope(page: Page) -> str:
    """Rotation in degrees, counter-clockwise, of the text on the photo."""
    return f"{round(-page.rotation, 1) + 0.0}"


def to_alto(page: Page, name: str) -> str:
    """ALTO 4: the Library of Congress' XML for text with its place on the page."""
    alto = ET.Element(
        "alto", {"xmlns": ALTO, "xmlns:xsi": XSI, "xsi:schemaLocation": f"{ALTO} {ALTO_SCHEMA}", "SCHEMAVERSION": "4.4"}
    )
    description = ET.SubElement(alto, "Description")
    ET.SubElement(description, "MeasurementUnit").text = "pixel"
    source = ET.SubElement(description, "sourceImageInformation")
    ET.SubElement(source, "fileName").text = NOT_XML.sub("\N{REPLACEMENT CHARACTER}", name)
    if any(word.printed for line in page.lines for word in line.words):
        ET.SubElement(ET.SubElement(alto, "Tags"), "OtherTag", {"ID": PRINTED, "LABEL": "printed"})
    size = {"WIDTH": str(page.width), "HEIGHT": str(page.height)}
    sheet = ET.SubElement(ET.SubElement(alto, "Layout"), "Page", {"ID": "page_1", "PHYSICAL_IMG_NR": "1", **size})
    space = ET.SubElement(sheet, "PrintSpace", {"HPOS": "0", "VPOS": "0", **size})
    if page.lines:
        place = _place(around([line.box for line in page.lines]))
        block = ET.SubElement(space, "TextBlock", {"ID": "block_1", **place, "ROTATION": _slope(page)})
    for i, line in enumerate(page.lines, 1):
        row = ET.SubElement(block, "TextLine", {"ID": f"line_{i}", **_place(line.box)})
        for j, word in enumerate(line.words, 1):
            if j > 1:
                ET.SubElement(row, "SP")
            string = ET.SubElement(
                row, "String", {"ID": f"word_{i}_{j}", **_place(word.box), "CONTENT": word.text, "WC": f"{word.confidence:.3f}"}
            )
            if word.printed:
                string.set("TAGREFS", PRINTED)
            for text, _ in word.alternatives:
                ET.SubElement(string, "ALTERNATIVE", {"PURPOSE": "recognition"}).text = text
            for k, c in enumerate(word.characters, 1):
                glyph = ET.SubElement(
                    string,
                    "Glyph",
                    {"ID": f"glyph_{i}_{j}_{k}", **_place(c.box), "CONTENT": c.shown, "GC": f"{c.confidence:.3f}"},
                )
                for text, confidence in c.alternatives:
                    ET.SubElement(glyph, "Variant", {"CONTENT": text, "VC": f"{confidence:.3f}"})
    ET.indent(alto)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(alto, encoding="unicode") + "\n"


def _place(box: Box) -> dict[str, str]:
    x0, y0, x1, y1 = whole(box)
    return {"HPOS": str(x0), "VPOS": str(y0), "WIDTH": str(x1 - x0), "HEIGHT": str(y1 - y0)}
