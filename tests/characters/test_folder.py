"""A folder of the user's own images: any size, mode and polarity give the same ink."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.characters import CLASSES, folder
from pipeline.common.errors import DataError


def glyph(height: int = 40, width: int = 30) -> np.ndarray:
    """An L, bright on dark, not filling its image."""
    image = np.zeros((height, width), np.uint8)
    image[height // 5 : -height // 5, width // 4 : width // 4 + 4] = 230
    image[-height // 5 - 4 : -height // 5, width // 4 : -width // 4] = 230
    return image


def fill(root: Path, classes: str, count: int = 3) -> None:
    for name in classes:
        (root / name).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(255 - np.roll(glyph(), i, axis=0)).save(root / name / f"{i}.png")


def as_rgba(image: np.ndarray) -> Image.Image:
    return Image.merge("RGBA", [Image.new("L", image.shape[::-1], 20)] * 3 + [Image.fromarray(image)])


@pytest.mark.parametrize(
    "image, suffix",
    [
        (Image.fromarray(glyph()), "png"),
        (Image.fromarray(255 - glyph()), "png"),
        (Image.fromarray(255 - glyph()), "jpg"),
        (Image.fromarray(255 - glyph()).convert("RGB"), "bmp"),
        (Image.fromarray(255 - glyph()).convert("1"), "tiff"),
        (Image.fromarray(255 - glyph()).convert("P"), "gif"),
        (Image.fromarray(glyph().astype(np.uint16) * 200), "png"),
        (Image.fromarray(120 - glyph() // 3), "webp"),
        (as_rgba(glyph()), "png"),
    ],
)
def test_polarity_mode_and_format_do_not_matter(tmp_path, image, suffix):
    image.save(tmp_path / f"x.{suffix}")
    ink = folder.read_image(tmp_path / f"x.{suffix}")
    wanted = folder._find_ink(glyph())
    assert ink.shape == (64, 64) and ink.dtype == np.uint8
    top, left = (64 - 64 * 40 // 40) // 2, (64 - 48) // 2
    assert (
        np.corrcoef(ink[top:, left : left + 48].ravel(), np.asarray(Image.fromarray(wanted).resize((48, 64))).ravel())[0, 1] > 0.9
    )
    assert np.mean(ink == 0) > 0.7


def test_size_does_not_matter(tmp_path):
    for height, width in ((400, 300), (40, 30), (12, 9)):
        Image.fromarray(255 - np.asarray(Image.fromarray(glyph()).resize((width, height)))).save(tmp_path / "x.png")
        ink = folder.read_image(tmp_path / "x.png")
        assert ink[12:50, 16:30].sum() > 0.5 * ink.sum() > 0  # the upright stroke


def test_lower_case_names_and_splits(tmp_path):
    fill(tmp_path, "0Zq", count=10)
    (tmp_path / "0" / ".DS_Store").write_text("no image, but hidden")
    (tmp_path / "readme.txt").write_text("not a folder")
    splits = folder.read(tmp_path, CLASSES, 0, 2, 1, seed=0)
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [21, 6, 3]
    assert {CLASSES[i] for i in splits.test.labels} == set("0ZQ")
    again = folder.read(tmp_path, CLASSES, 0, 2, 1, seed=0)
    np.testing.assert_array_equal(splits.train.images, again.train.images)


def test_what_cannot_be_read_is_named(tmp_path):
    fill(tmp_path, "AB")
    bad = tmp_path / "A" / "bad.png"
    png = (tmp_path / "A" / "0.png").read_bytes()
    huge = png[:16] + (60000).to_bytes(4, "big") * 2 + png[24:]  # declared size only
    for content, message in [
        (b"", "cannot be read"),
        (b"text", "cannot be read"),
        (png[:-30], "cannot be read"),
        (huge, "too many|cannot be read"),
    ]:
        bad.write_bytes(content)
        with pytest.raises(DataError, match=message) as error:
            folder.read(tmp_path, CLASSES, 0, 0, 0, seed=0)
        assert "bad.png" in str(error.value) and "\n" not in str(error.value)
    Image.new("L", (20, 20), 77).save(bad)
    with pytest.raises(DataError, match="bad.png: nothing on it"):
        folder.read(tmp_path, CLASSES, 0, 0, 0, seed=0)


def test_large_images_are_refused_before_decoding(tmp_path, monkeypatch):
    Image.fromarray(glyph()).save(tmp_path / "x.png")
    monkeypatch.setattr(folder, "MAX_PIXELS", 100)
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(DataError, match="too many"):
        folder.read_image(tmp_path / "x.png")


def test_wrong_folders_say_what_to_do(tmp_path):
    with pytest.raises(DataError, match="data.root"):
        folder.read(tmp_path / "none", CLASSES, 0, 0, 0, seed=0)
    with pytest.raises(DataError, match="no class folders"):
        folder.read(tmp_path, CLASSES, 0, 0, 0, seed=0)
    (tmp_path / "A").mkdir()
    with pytest.raises(DataError, match="no images"):
        folder.read(tmp_path, CLASSES, 0, 0, 0, seed=0)
    (tmp_path / "AE").mkdir()
    with pytest.raises(DataError, match="AE: no class"):
        folder.read(tmp_path, CLASSES, 0, 0, 0, seed=0)
    (tmp_path / "AE").rmdir()
    fill(tmp_path, "B", count=2)
    with pytest.raises(DataError, match="class B has 2 samples"):
        folder.read(tmp_path, CLASSES, 0, 0, 0, seed=0)
