"""Photos: every kind of image file becomes upright RGB, every bad one a single line."""

import importlib.util
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from pipeline.common.errors import PageError
from pipeline.reading.photo import load_photo


def test_exif_turns_the_photo_upright(tmp_path):
    image = Image.fromarray(np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    assert load_photo(tmp_path / "a.png").shape == (30, 20, 3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_any_mode_becomes_rgb(tmp_path, mode):
    gray = np.full((20, 30), 255, np.uint8)
    gray[:, 10:] = 30
    image = Image.fromarray(gray.astype(np.uint16) * 200) if mode == "I;16" else Image.fromarray(gray).convert(mode)
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    image.save(path)
    photo = load_photo(path)
    assert photo.shape == (20, 30, 3) and photo.dtype == np.uint8
    assert photo[5, 5].min() > 200 > 120 > photo[5, 20].max()


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "TIFF", "BMP", "WEBP", "GIF"])
def test_what_phones_and_scanners_write_is_read(tmp_path, kind):
    Image.new("RGB", (30, 20), "white").save(tmp_path / "photo.jpg", kind)  # whatever its name says
    assert load_photo(tmp_path / "photo.jpg").shape == (20, 30, 3)


@pytest.mark.parametrize("kind", ["PPM", "EPS", "ICNS", "PCX", "TGA", "SGI"])
def test_no_other_decoder_runs(tmp_path, kind):
    Image.new("RGB", (128, 128), "white").save(tmp_path / "photo.jpg", kind)
    assert Image.open(tmp_path / "photo.jpg").format == kind  # Pillow would
    with pytest.raises(PageError, match="not an image"):
        load_photo(tmp_path / "photo.jpg")


def test_heic_is_read_or_the_message_says_how(tmp_path):
    path = tmp_path / "photo.heic"
    if importlib.util.find_spec("pillow_heif"):
        Image.new("RGB", (64, 48), "white").save(path, "HEIF")
        assert load_photo(path).shape == (48, 64, 3)
    else:
        path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
        with pytest.raises(PageError, match="pip install pillow-heif"):
            load_photo(path)


def test_what_is_transparent_is_paper(tmp_path):
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[:, :10, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    photo = load_photo(tmp_path / "a.png")
    assert photo[0, 0, 0] == 0 and photo[0, 20, 0] == 255


def _bomb() -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + header
        + struct.pack(">I", zlib.crc32(header))
        + struct.pack(">I", 0)
        + b"IDAT"
        + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


def _truncated() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)).save(stream, "JPEG")
    return stream.getvalue()[:3000]


@pytest.mark.parametrize(
    "content, words",
    [(b"", "not an image"), (b"hello, world", "not an image"), (_bomb(), "pixels"), (_truncated(), "cannot be read")],
)
def test_bad_files_give_one_line_naming_them(tmp_path, content, words):
    path = tmp_path / "bad.jpg"
    path.write_bytes(content)
    with pytest.raises(PageError, match=words) as caught:
        load_photo(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    with pytest.raises(PageError, match="standard input"):
        load_photo(io.BytesIO(content), "standard input")


def test_nothing_is_decoded_of_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.reading.photo.MAX_PIXELS", 500)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded before its size was checked"))
    Image.new("RGB", (30, 20)).save(tmp_path / "bomb.png")
    with pytest.raises(PageError, match="30x20 pixels are more than 500"):
        load_photo(tmp_path / "bomb.png")


def test_missing_folder_and_tiny_files_are_refused(tmp_path):
    Image.new("L", (3, 3)).save(tmp_path / "tiny.png")
    for path, words in ((tmp_path / "none.jpg", "no such file"), (tmp_path, "is a folder"), (tmp_path / "tiny.png", "too few")):
        with pytest.raises(PageError, match=words):
            load_photo(path)
