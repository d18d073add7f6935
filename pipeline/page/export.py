"""Export: a page as plain text, JSON, a picture with what was read on it, hOCR and ALTO."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.files import replacing, write_text
from pipeline.page.page import Box, Page

LARGEST = 1600                                       # pixels; longer side of the annotated picture
LINE, WORD, TEXT, REJECTED = (40, 110, 220), (220, 120, 20), (160, 20, 90), (220, 0, 0)
ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
XHTML = "http://www.w3.org/1999/xhtml"


def export(page: Page, image: np.ndarray, stem: Path, name: str) -> list[Path]:
    """Write `stem`.txt, .json, .png, .hocr and .xml (ALTO), each whole or not at all.

    Args:
        image: (H, W, 3) uint8, the photo that was read.
        name: the photo's file name, for the files that refer to it.
    """
    texts = {".txt": page.text + "\n", ".json": to_json(page, name), ".hocr": to_hocr(page, name), ".xml": to_alto(page, name)}
    for suffix, text in texts.items():
        write_text(_beside(stem, suffix), text)
    with replacing(_beside(stem, ".png")) as temporary:
        annotate(page, image).save(temporary, "PNG")
    return [_beside(stem, suffix) for suffix in (*texts, ".png")]


def _beside(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)        # not with_suffix: a stem may hold a dot


def to_json(page: Page, name: str) -> str:
    """Lines > words > characters; boxes are x0, y0, x1, y1 in whole pixels of the upright photo, confidences 0..1."""
    lines = [{"text": line.text, "box": _whole(line.box), "words": [
        {"text": word.text, "box": _whole(word.box), "confidence": round(word.confidence, 4), "characters": [
            {"text": c.text, "box": _whole(c.box), "confidence": round(c.confidence, 4), "rejected": c.rejected}
            for c in word.characters]} for word in line.words]} for line in page.lines]
    value = {"image": name, "width": page.width, "height": page.height, "rotation": round(page.rotation, 2),
             "text": page.text, "lines": lines}
    return json.dumps(value, indent=1) + "\n"


def _whole(box: Box) -> list[int]:
    return [int(np.floor(box[0])), int(np.floor(box[1])), int(np.ceil(box[2])), int(np.ceil(box[3]))]


def annotate(page: Page, image: np.ndarray) -> Image.Image:
    """The photo, paled, with a box around each line and word, and above each character what it was read as."""
    photo = Image.fromarray(image).convert("RGB")
    scale = min(1.0, LARGEST / max(photo.size))
    photo = photo.resize((max(1, round(photo.width * scale)), max(1, round(photo.height * scale))), Image.BOX)
    picture = Image.blend(photo, Image.new("RGB", photo.size, "white"), 0.35)
    draw = ImageDraw.Draw(picture)
    for line in page.lines:
        draw.rectangle(_drawn(line.box, scale, picture.size, 5), outline=LINE, width=2)
        for word in line.words:
            draw.rectangle(_drawn(word.box, scale, picture.size, 2), outline=WORD, width=2)
        for character in (c for word in line.words for c in word.characters):
            x0, y0, x1, y1 = (v * scale for v in character.box)
            size = int(np.clip(0.5 * max(y1 - y0, 0.4 * (line.box[3] - line.box[1]) * scale), 11, 40))
            draw.text(((x0 + x1) / 2, max(y0 - 3, size)), "?" if character.rejected else character.text, anchor="ms",
                      font=ImageFont.load_default(size), fill=REJECTED if character.rejected else TEXT,
                      stroke_width=2, stroke_fill="white")
    return picture


def _drawn(box: Box, scale: float, size: tuple[int, int], margin: int) -> list[float]:
    """The box in the picture with some air around it."""
    x0, y0, x1, y1 = (v * scale for v in box)
    return [max(x0 - margin, 0), max(y0 - margin, 0), min(x1 + margin, size[0] - 1), min(y1 + margin, size[1] - 1)]


def to_hocr(page: Page, name: str) -> str:
    """hOCR 1.2: HTML whose classes and titles hold boxes and confidences (Breuel 2007)."""
    html = ET.Element("html", {"xmlns": XHTML, "lang": "en"})
    head = ET.SubElement(html, "head")
    ET.SubElement(head, "title").text = name
    ET.SubElement(head, "meta", {"http-equiv": "Content-Type", "content": "text/html;charset=utf-8"})
    ET.SubElement(head, "meta", {"name": "ocr-system", "content": "handprint"})
    ET.SubElement(head, "meta", {"name": "ocr-capabilities", "content": "ocr_page ocr_line ocrx_word ocrx_cinfo"})
    body = ET.SubElement(html, "body")
    quoted = name.replace('"', "'")
    sheet = ET.SubElement(body, "div", {"class": "ocr_page", "id": "page_1",
                                        "title": f'image "{quoted}"; bbox 0 0 {page.width} {page.height}'})
    for i, line in enumerate(page.lines, 1):
        row = ET.SubElement(sheet, "span", {"class": "ocr_line", "id": f"line_{i}", "title": _title(line.box)})
        for j, word in enumerate(line.words, 1):
            title = f"{_title(word.box)}; x_wconf {round(100 * word.confidence)}"
            span = ET.SubElement(row, "span", {"class": "ocrx_word", "id": f"word_{i}_{j}", "title": title})
            for c in word.characters:
                info = {"class": "ocrx_cinfo", "title": f"x_bboxes {_numbers(c.box)}; x_conf {100 * c.confidence:.1f}"}
                ET.SubElement(span, "span", info).text = "?" if c.rejected else c.text
            span.tail = " "
        row.tail = "\n"        # no indentation: white space inside a word would be text
    return '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n' + ET.tostring(html, encoding="unicode") + "\n"


def _title(box: Box) -> str:
    return f"bbox {_numbers(box)}"


def _numbers(box: Box) -> str:
    return " ".join(str(v) for v in _whole(box))


def to_alto(page: Page, name: str) -> str:
    """ALTO 4: the Library of Congress' XML for text with its place on the page."""
    alto = ET.Element("alto", {"xmlns": ALTO})
    description = ET.SubElement(alto, "Description")
    ET.SubElement(description, "MeasurementUnit").text = "pixel"
    ET.SubElement(ET.SubElement(description, "sourceImageInformation"), "fileName").text = name
    layout = ET.SubElement(alto, "Layout")
    size = {"WIDTH": str(page.width), "HEIGHT": str(page.height)}
    sheet = ET.SubElement(layout, "Page", {"ID": "page_1", "PHYSICAL_IMG_NR": "1", **size})
    space = ET.SubElement(sheet, "PrintSpace", {"HPOS": "0", "VPOS": "0", **size})
    if not page.lines:
        return _document(alto)
    boxes = [line.box for line in page.lines]
    around = (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
    block = ET.SubElement(space, "TextBlock", {"ID": "block_1", **_place(around)})
    for i, line in enumerate(page.lines, 1):
        row = ET.SubElement(block, "TextLine", {"ID": f"line_{i}", **_place(line.box)})
        for j, word in enumerate(line.words, 1):
            if j > 1:
                ET.SubElement(row, "SP")
            string = ET.SubElement(row, "String", {"ID": f"word_{i}_{j}", **_place(word.box), "CONTENT": word.text,
                                                   "WC": f"{word.confidence:.3f}"})
            for k, c in enumerate(word.characters, 1):
                ET.SubElement(string, "Glyph", {"ID": f"glyph_{i}_{j}_{k}", **_place(c.box),
                                                "CONTENT": "?" if c.rejected else c.text, "GC": f"{c.confidence:.3f}"})
    return _document(alto)


def _place(box: Box) -> dict[str, str]:
    x0, y0, x1, y1 = _whole(box)
    return {"HPOS": str(x0), "VPOS": str(y0), "WIDTH": str(x1 - x0), "HEIGHT": str(y1 - y0)}


def _document(root: ET.Element) -> str:
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
