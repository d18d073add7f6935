"""PAGE XML: text with its place on the page as eScriptorium, Transkribus and Aletheia read it (Pletschacher 2010)."""

from xml.etree import ElementTree as ET

from pipeline.output.markup import NOT_XML
from pipeline.reading.page import Box, Page, around, whole

PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
MADE = "1980-01-01T00:00:00"  # the format wants a time; the same page must give the same bytes


def to_page_xml(page: Page, name: str) -> str:
    """PAGE content, version 2019-07-15: one region, its lines, words and glyphs, each with its outline and text."""
    root = ET.Element(
        "PcGts", {"xmlns": PAGE, "xmlns:xsi": XSI, "xsi:schemaLocation": f"{PAGE} {PAGE}/pagecontent.xsd", "pcGtsId": "page_1"}
    )
    metadata = ET.SubElement(root, "Metadata")
    for key, value in (("Creator", "handprint"), ("Created", MADE), ("LastChange", MADE)):
        ET.SubElement(metadata, key).text = value
    sheet = ET.SubElement(
        root,
        "Page",
        {
            "imageFilename": NOT_XML.sub("\N{REPLACEMENT CHARACTER}", name),
            "imageWidth": str(page.width),
            "imageHeight": str(page.height),
            "orientation": f"{180.0 if page.rotation >= 180 else 0.0 - page.rotation:.1f}",  # clockwise, above -180
        },
    )
    if page.lines:
        order = ET.SubElement(ET.SubElement(sheet, "ReadingOrder"), "OrderedGroup", {"id": "order_1"})
        ET.SubElement(order, "RegionRefIndexed", {"index": "0", "regionRef": "region_1"})
        region = ET.SubElement(sheet, "TextRegion", {"id": "region_1", "type": "paragraph"})
        _outline(region, around([line.box for line in page.lines]))
    for i, line in enumerate(page.lines, 1):
        row = ET.SubElement(region, "TextLine", {"id": f"line_{i}", "production": "handwritten-printscript"})
        _outline(row, line.box)
        for j, word in enumerate(line.words, 1):
            part = ET.SubElement(row, "Word", {"id": f"word_{i}_{j}"} | ({"production": "printed"} if word.printed else {}))
            _outline(part, word.box)
            for k, character in enumerate(word.characters, 1):
                glyph = ET.SubElement(part, "Glyph", {"id": f"glyph_{i}_{j}_{k}"})
                _outline(glyph, character.box)
                _text(glyph, character.shown, character.confidence)
            _text(part, word.text, word.confidence)
        _text(row, line.text)
    if page.lines:
        _text(region, page.text)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _outline(parent: ET.Element, box: Box) -> None:
    x0, y0, x1, y1 = whole(box)
    ET.SubElement(parent, "Coords", {"points": f"{x0},{y0} {x1},{y0} {x1},{y1} {x0},{y1}"})


def _text(parent: ET.Element, text: str, confidence: float | None = None) -> None:
    holder = ET.SubElement(parent, "TextEquiv", {} if confidence is None else {"conf": f"{confidence:.3f}"})
    ET.SubElement(holder, "Unicode").text = text
