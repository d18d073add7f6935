"""PDF files: their pages as pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pipeline.common.errors import PageError

DPI = 200  # dots per inch of a page that is not a scan: a capital of 4 mm has 30 pixels


@contextmanager
def _opened(content: bytes, name: str) -> Iterator[Any]:
    """A context with the document, which is closed at its end.

    Raises:
        PageError: the file is encrypted or damaged.
    """
    import pypdfium2  # imported here: photos do not need it

    document = None
    try:
        document = pypdfium2.PdfDocument(content)
        yield document
    except pypdfium2.PdfiumError as error:
        if "assword" in str(error):
            raise PageError(f"{name}: is encrypted; save it without its password first") from error
        raise PageError(f"{name}: cannot be read as a PDF ({str(error).rstrip('.')}); is the file complete?") from error
    finally:
        if document is not None:
            document.close()


def count_pages(content: bytes, name: str) -> int:
    """Number of pages."""
    with _opened(content, name) as document:
        return len(document)


def draw_page(content: bytes, index: int, name: str, most_pixels: int) -> tuple[np.ndarray, float]:
    """One page as (H, W, 3) uint8 and its dots per inch; a scan keeps its own pixels.

    Raises:
        PageError: the page is encrypted, damaged, missing, or larger than `most_pixels`.
    """
    with _opened(content, name) as document:
        if index >= len(document):
            raise PageError(f"{name}: has no page {index + 1}")
        page = document[index]
        dpi = _scan_dpi(page) or DPI
        width, height = page.get_size()
        pixels = width * height * (dpi / 72) ** 2
        if not 0 < pixels <= most_pixels:
            raise PageError(f"{name}: page {index + 1} is more than {most_pixels:,} pixels; scan it with fewer dots per inch")
        picture = page.render(scale=dpi / 72).to_numpy()
        return np.ascontiguousarray(picture[..., 2::-1] if picture.ndim == 3 else np.stack([picture] * 3, axis=-1)), float(dpi)


def _scan_dpi(page: Any) -> float | None:
    """Dots per inch of the only picture on the page; None if the page holds anything else."""
    objects = list(page.get_objects(max_depth=1))
    if len(objects) != 1 or not hasattr(objects[0], "get_px_size"):
        return None
    left, bottom, right, top = objects[0].get_bounds()
    width, height = page.get_size()
    if (right - left) * (top - bottom) < 0.8 * width * height:
        return None
    across, down = objects[0].get_px_size()
    sides = (across, down) if (across > down) == (right - left > top - bottom) else (down, across)
    return max(72.0 * sides[0] / (right - left), 36.0)
