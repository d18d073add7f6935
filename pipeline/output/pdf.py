"""PDF: the photo, and behind it the text that was read, so that it can be searched, selected and copied."""

import io
from datetime import UTC, datetime

import numpy as np
from PIL import Image

from pipeline.reading.page import Page, level, level_box

LONGER_SIDE = 842  # points, as A4's; a photo does not say how large its sheet was
CAPITAL = 0.72  # height of Helvetica's capitals, as a share of the font size
QUALITY = 85  # of the JPEG


def to_pdf(page: Page, image: np.ndarray) -> bytes:
    """One page; every word lies along its line, whichever way that runs. The same page gives the same bytes.

    Args:
        image: (H, W, 3) uint8, the photo.
    """
    from fpdf import FPDF, TextMode  # not above: it takes 0.3 s, and who reads without writing does not need it

    scale = LONGER_SIDE / max(page.width, page.height)
    pdf = FPDF(unit="pt", format=(page.width * scale, page.height * scale))
    pdf.set_creation_date(datetime(1980, 1, 1, tzinfo=UTC))  # as in an .npz: no time gets in
    pdf.add_page()
    jpeg = io.BytesIO()
    Image.fromarray(image).save(jpeg, "JPEG", quality=QUALITY)
    pdf.image(jpeg, 0, 0, pdf.w, pdf.h)
    pdf.set_font("Helvetica")
    pdf.text_mode = TextMode.INVISIBLE
    for word in (word for line in page.lines for word in line.words):
        x0, y0, x1, y1 = scale * np.array(level_box(word.characters, page.rotation))
        start = level(-page.rotation) @ (x0, y1)
        pdf.set_font_size(max(y1 - y0, 1) / CAPITAL)  # at the photo's edge nothing may be left of a box
        pdf.set_stretching(100)
        pdf.set_stretching(100 * max(x1 - x0, 1) / pdf.get_string_width(word.text))
        with pdf.rotation(-page.rotation, *start):
            pdf.text(start[0], start[1], word.text + " ")
    return bytes(pdf.output())
