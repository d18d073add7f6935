"""Photos: from any image file to upright RGB pixels; every bad file gives an error of one line."""

import importlib.util
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError, features

from pipeline.common.errors import PageError
from pipeline.reading import pdf_file

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".heic", ".heif", ".avif", ".jp2", ".j2k", ".pdf")
FORMATS = ["JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF"]  # formats of phones and scanners; no other decoder of Pillow runs
FORMATS += [kind for feature, kind in (("avif", "AVIF"), ("jpg_2000", "JPEG2000")) if features.check(feature)]
if importlib.util.find_spec("pillow_heif"):  # the default format of iPhones
    import pillow_heif

    pillow_heif.register_heif_opener()
    FORMATS.append("HEIF")
MAX_PIXELS = 100_000_000
MIN_SIDE = 8
SEVERAL = ("TIFF", "GIF")  # formats whose files hold several pages; further pictures that phones store with a photo are not pages
DECODER_ERRORS = (OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, ArithmeticError, struct.error)
"""Exceptions that the decoders of Pillow raise on damaged files."""
MAX_DPI = 2400  # of scanners; a file that claims more, or less than 36, is not believed


class Photo(NamedTuple):
    """A photo: (H, W, 3) uint8 RGB, upright, and its dots per inch if the file states them."""

    pixels: np.ndarray
    dpi: float | None = None


def load_photo(source: Path | BinaryIO, name: str | None = None) -> np.ndarray:
    """Read a photo of a page: the pixels of `load_page`, of the first page."""
    return load_page(source, 0, name).pixels


def load_page(source: Path | BinaryIO, index: int = 0, name: str | None = None) -> Photo:
    """Read one page of a file.

    Args:
        source: file, or an open binary stream such as standard input.
        index: of the page in a PDF, or of the picture in a TIFF or GIF.
        name: name of the file in messages; None: its path.

    Returns:
        the photo, turned upright as its EXIF tag says; transparent pixels become paper.

    Raises:
        PageError: the file is missing, empty, not an image, truncated, encrypted, or larger than `MAX_PIXELS`, which is
            checked before it is decoded.
    """
    name = name or str(source)
    with _one_line(name):
        content = _pdf_content(source)
        if content is not None:
            return Photo(*pdf_file.draw_page(content, index, name, MAX_PIXELS))
        with Image.open(source, formats=FORMATS) as image:
            if index:
                image.seek(index)
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise PageError(f"{name}: {width}x{height} pixels are more than {MAX_PIXELS:,}; make the photo smaller")
            if min(width, height) < MIN_SIDE:
                raise PageError(f"{name}: {width}x{height} pixels are too few to hold writing")
            dpi = image.info.get("dpi")
            ImageOps.exif_transpose(image, in_place=True)
            return Photo(np.asarray(_to_rgb(image)), _plausible(dpi[0] if dpi else None))


def count_pages(source: Path | BinaryIO, name: str | None = None) -> int:
    """Number of pages of a file; nothing is decoded.

    Raises:
        PageError: as `load_page` does.
    """
    name = name or str(source)
    with _one_line(name):
        content = _pdf_content(source)
        if content is not None:
            return pdf_file.count_pages(content, name)
        with Image.open(source, formats=FORMATS) as image:
            return getattr(image, "n_frames", 1) if image.format in SEVERAL else 1


@contextmanager
def _one_line(name: str) -> Iterator[None]:
    """Turn any exception of a decoder into one line that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings of large pictures and odd tags: what matters is raised
            yield
    except FileNotFoundError as error:
        raise PageError(f"{name}: no such file") from error
    except IsADirectoryError as error:
        raise PageError(f"{name}: is a folder; name the photos in it") from error
    except PermissionError as error:
        raise PageError(f"{name}: no permission to read it") from error
    except Image.DecompressionBombError as error:
        raise PageError(f"{name}: more than {MAX_PIXELS:,} pixels; make the photo smaller") from error
    except UnidentifiedImageError as error:
        raise PageError(
            f"{name}: not an image; give a photo as JPEG, PNG, TIFF, WebP, BMP or PDF (HEIC after `pip install pillow-heif`)"
        ) from error
    except PageError:
        raise
    except DECODER_ERRORS as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PageError(f"{name}: cannot be read as an image ({reason}); is the file complete?") from error


def _pdf_content(source: Path | BinaryIO) -> bytes | None:
    """The bytes of a PDF; None if it is not one. A stream is left at its start."""
    if isinstance(source, Path):
        with open(source, "rb") as stream:
            return source.read_bytes() if stream.read(1024).lstrip().startswith(b"%PDF-") else None
    start = source.tell()
    head = source.read(1024)
    source.seek(start)
    return source.read() if head.lstrip().startswith(b"%PDF-") else None


def _plausible(dpi: object) -> float | None:
    try:
        value = float(dpi)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return value if 36 <= value <= MAX_DPI and value != 72 else None  # programs that do not know it write 72


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB: 16-bit and float values are scaled to their range, transparency becomes white."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.float32)
        values = np.nan_to_num(values - np.nanmin(values))
        return Image.fromarray((values * (255 / max(float(values.max()), 1e-9))).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "black" if _is_white_writing(image) else "white")
        return Image.alpha_composite(paper, image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _is_white_writing(image: Image.Image) -> bool:
    """Whether the visible part of a transparent picture is bright and covers less than half of it."""
    seen = np.asarray(image.getchannel("A"), np.float32) / 255
    gray = np.asarray(image.convert("L"), np.float32)
    return bool(0 < seen.mean() < 0.5 and (seen * gray).sum() > 128 * seen.sum())
