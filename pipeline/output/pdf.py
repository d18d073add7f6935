"""PDF: the photo, and behind it the text that was read, which can be searched, selected and copied."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.common.files import replacing
from pipeline.output.upright import turn_upright
from pipeline.reading.page import Page, level, level_box

LONGER_SIDE = 842  # points, of A4; for photos that do not state their resolution
CAPITAL = 0.72  # height of the capitals of Helvetica, as a share of the font size
QUALITY = 85  # of the JPEG


def to_pdf(page: Page, image: np.ndarray, dpi: float | None = None) -> bytes:
    """One upright page; every word lies along its line, in any direction. The same page gives the same bytes.

    Args:
        image: (H, W, 3) uint8, the photo.
        dpi: its dots per inch; None: the page has the size of A4.
    """
    from fpdf import FPDF, TextMode  # imported here: it takes 0.3 s

    page, image = turn_upright(page, image)
    scale = 72 / dpi if dpi else LONGER_SIDE / max(page.width, page.height)
    pdf = FPDF(unit="pt", format=(page.width * scale, page.height * scale))
    pdf.set_creation_date(datetime(1980, 1, 1, tzinfo=UTC))  # as in an .npz, without a time
    pdf.set_auto_page_break(False)
    pdf.add_page()
    jpeg = io.BytesIO()
    Image.fromarray(image).save(jpeg, "JPEG", quality=QUALITY)
    pdf.image(jpeg, 0, 0, pdf.w, pdf.h)
    pdf.set_font("Helvetica")
    pdf.text_mode = TextMode.INVISIBLE
    for word in (word for line in page.lines for word in line.words):
        x0, y0, x1, y1 = scale * np.array(level_box(word.characters, page.rotation))
        start = level(-page.rotation) @ (x0, y1)
        text = word.text.encode("latin-1", "replace").decode("latin-1")  # the characters of the fonts of PDF
        pdf.set_font_size(max(y1 - y0, 1) / CAPITAL)  # at the edge of the photo, a box may be empty
        pdf.set_stretching(100)
        pdf.set_stretching(100 * max(x1 - x0, 1) / pdf.get_string_width(text))
        with pdf.rotation(-page.rotation, *start):
            pdf.text(float(start[0]), float(start[1]), text + " ")
    return bytes(pdf.output())


def join_pdfs(parts: Iterable[Path], target: Path) -> None:
    """Write the pages of several PDF files as one."""
    import pypdfium2

    with replacing(target) as temporary:
        whole = pypdfium2.PdfDocument.new()
        for part in parts:
            one = pypdfium2.PdfDocument(part)
            whole.import_pages(one)
            one.close()
        whole.save(temporary)
        whole.close()
