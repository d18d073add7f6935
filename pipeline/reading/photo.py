"""Photos: from any image file to upright RGB pixels, with every bad file refused in one line."""

import importlib.util
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.common.errors import PageError

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".heic", ".heif")
FORMATS = ["JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF"]  # what phones and scanners write; no other decoder of Pillow's runs
if importlib.util.find_spec("pillow_heif"):  # what iPhones write, where they are not told otherwise
    import pillow_heif

    pillow_heif.register_heif_opener()
    FORMATS.append("HEIF")
MAX_PIXELS = 100_000_000
MIN_SIDE = 8


def load_photo(source: Path | BinaryIO, name: str | None = None) -> np.ndarray:
    """Read a photo of a page.

    Args:
        source: file, or an open binary stream such as standard input.
        name: what to call it in messages; the path if None.

    Returns:
        (H, W, 3) uint8 RGB, turned upright as its EXIF tag says; what is transparent is white paper. Of a file with
        several pictures it is the first.

    Raises:
        PageError: missing, empty, not an image, cut short, or larger than `MAX_PIXELS` (checked before decoding).
    """
    name = name or str(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(source, formats=FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise PageError(f"{name}: {width}x{height} pixels are more than {MAX_PIXELS:,}; make the photo smaller")
                if min(width, height) < MIN_SIDE:
                    raise PageError(f"{name}: {width}x{height} pixels are too few to hold writing")
                return np.asarray(_to_rgb(ImageOps.exif_transpose(image)))
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
            f"{name}: not an image; give a photo as JPEG, PNG, TIFF, WebP or BMP (HEIC after `pip install pillow-heif`)"
        ) from error
    except PageError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow's decoders raise on damaged files
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PageError(f"{name}: cannot be read as an image ({reason}); is the file complete?") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    """Any mode to RGB: 16-bit and float are scaled to their own range, transparency becomes white."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.float32)
        values = np.nan_to_num(values - np.nanmin(values))
        return Image.fromarray((values * (255 / max(float(values.max()), 1e-9))).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("RGB")
    return image.convert("RGB")
