"""Typefaces: printed letters, and skeletons of lower case and signs for hands that lack them.

Training has the fonts that come with matplotlib (DejaVu, STIX and Computer Modern), validation and test have those of packages.
`NOTICE` names their licences.
"""

import importlib.util
from functools import cache
from pathlib import Path

import fontpkg
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.synthesis.skeleton import strokes_from_mask

TYPEFACES = {
    "train": (
        "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSerif",
        "DejaVuSerif-Bold", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmb10",
        "cmss10", "cmss10", "cmtt10",
    ),
    "valid": (
        "PT Serif:400:normal", "PT Serif:400:italic", "PT Serif:700:normal", "PT Serif:700:italic", "IBM Plex Sans:400:normal",
        "IBM Plex Sans:400:italic", "Inconsolata:400:normal",
    ),
    "test": (
        "Roboto:400:normal", "Roboto:400:italic", "Open Sans:400:normal", "Open Sans:400:italic", "Lora:400:normal",
        "Lora:400:italic", "Oswald:400:normal",
    ),
}  # fmt: skip
"""The typefaces of each split: a name of matplotlib's, or the family, weight and style of a font package."""
SKELETONS = {
    "train": ("DejaVuSans", "DejaVuSansMono", "cmss10", "cmtt10"),
    "valid": ("IBM Plex Sans:400:normal", "Inconsolata:400:normal"),
    "test": ("Roboto:400:normal", "Open Sans:400:normal"),
}
"""Typefaces with strokes of about one width, whose skeletons look like handwriting."""
CAPITAL = 96  # pixels; height of a capital that skeletons are taken at


def _path(name: str) -> Path:
    """The file of the font; matplotlib's are found without an import of it, which takes a second."""
    if ":" in name:
        family, weight, style = name.split(":")
        return fontpkg.path(family, int(weight), style)
    package = importlib.util.find_spec("matplotlib")
    assert package and package.submodule_search_locations
    return Path(package.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf"


@cache
def load_typeface(name: str, capital: int) -> ImageFont.FreeTypeFont:
    """The typeface at the size at which a capital is about `capital` pixels tall."""
    path = str(_path(name))
    trial = ImageFont.truetype(path, 100, layout_engine=ImageFont.Layout.BASIC)
    top = trial.getbbox("H", anchor="ls")[1]
    return ImageFont.truetype(path, max(4, round(100 * capital / -top)), layout_engine=ImageFont.Layout.BASIC)


@cache
def skeleton(name: str, character: str) -> list[np.ndarray]:
    """Strokes (K, 2) of a character, in heights of a capital, y down, the base line at 0."""
    font = load_typeface(name, CAPITAL)
    image = Image.new("L", (4 * CAPITAL, 4 * CAPITAL), 0)
    ImageDraw.Draw(image).text((CAPITAL, 2 * CAPITAL), character, font=font, fill=255, anchor="ls")
    mask = np.asarray(image) > 127
    strokes = [(stroke - (CAPITAL, 2 * CAPITAL)) / CAPITAL for stroke in strokes_from_mask(mask)]
    if not strokes:  # a dot has no length
        rows, columns = np.nonzero(mask)
        middle = np.array([columns.mean() - CAPITAL, rows.mean() - 2 * CAPITAL]) / CAPITAL
        strokes = [np.array([middle, middle + (0.03, 0.03)])]
    return strokes
