"""Crops: small photos of sheets, each with an exact mask of what its pixels show. A network learns from them what ink is."""

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.transform import ProjectiveTransform

from pipeline.common.pixels import CLUTTER, LINE, PAPER, PRINTED, WRITTEN, flatten
from pipeline.synthesis import scene
from pipeline.synthesis.canvas import Canvas
from pipeline.synthesis.clutter import add_clutter, half_plane, polygon, show_through
from pipeline.synthesis.contents import CONTENTS, Contents, one_line
from pipeline.synthesis.diagrams import diagram
from pipeline.synthesis.sheet import Sheet, make_sheet
from pipeline.synthesis.stroke_library import StrokeLibrary

CAPITALS = 11.0, 150.0
"""Pixels; height of written capitals, from the smallest that can be read to what half of a full picture shows."""
TINY, DOUBLED = 22.0, 0.25
"""Pixels; capitals from this height on may come from a picture half as large: the reader doubles tiny ones. Share that does."""
PENS = (
    (0.28, (0.035, 0.07), (0.12, 0.50), (0.10, 0.35)),  # pencil
    (0.26, (0.04, 0.08), (0.35, 0.95), (0.0, 0.1)),  # ballpoint
    (0.31, (0.08, 0.15), (0.45, 0.97), (0.0, 0.1)),  # felt pen, marker
    (0.15, (0.12, 0.22), (0.30, 0.95), (0.0, 0.3)),  # brush, chalk
)
"""What is written with: its share; width in heights of a capital; contrast to the paper; unevenness of its ink."""
INVISIBLE = 8, 20
"""Of 255: ink (and clutter) of less contrast is no ink (clutter) that anything could see."""


def make_crop(
    library: StrokeLibrary,
    split: str,
    size: int,
    rng: np.random.Generator,
    shares: Mapping[Contents, float] = CONTENTS,
    capitals: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """One crop, everything random.

    Args:
        shares: of the sheets, for each kind of contents; their sum is 1.
        capitals: whether all hands write capitals, not only most.

    Returns:
        its contrast as `pixels.flatten` gives it, (size, size) uint8, and what each pixel shows, (size, size) uint8.
    """
    low, high = np.log(CAPITALS)
    capital = float(np.exp(rng.uniform(low, high)))
    contents = list(shares)
    fill = contents[int(rng.choice(len(contents), p=list(shares.values())))]
    if capital > 70 and rng.random() < 0.5:
        fill = one_line
    _, widths, contrasts, grains = PENS[int(rng.choice(len(PENS), p=[share for share, *_ in PENS]))]
    pen = max(1.2, capital * float(np.exp(rng.uniform(*np.log(widths)))))
    sheet = make_sheet(library, split, size, capital, pen, rng, capitals)
    fill(sheet)
    canvas = Canvas(size, make_camera(size, fill is diagram, rng), float(rng.uniform(0.75, 0.97)))
    paint(canvas, sheet, float(rng.uniform(*contrasts)), float(rng.uniform(*grains)), rng)
    add_clutter(canvas, capital, rng)
    gray = double(canvas.picture, capital, rng) if TINY < capital < 3 * TINY and rng.random() < DOUBLED else None
    gray = photograph(canvas.picture, capital, rng) if gray is None else gray
    kinds = canvas.kinds
    ends = rng.random()
    if ends < (0.4 if fill is one_line else 0.07):
        contrast = cut_borders(gray, kinds, cut_tightly(kinds, capital, rng) if ends < 0.3 and fill is one_line else None, rng)
    else:
        contrast = flatten(gray)
    turns = int(rng.choice(4, p=[0.85, 0.05, 0.05, 0.05]))
    kinds[(contrast < INVISIBLE[0]) | ((kinds == CLUTTER) & (contrast < INVISIBLE[1]))] = PAPER
    return np.ascontiguousarray(np.rot90(contrast, turns)), np.ascontiguousarray(np.rot90(kinds, turns))


def make_camera(size: int, slanting: bool, rng: np.random.Generator) -> ProjectiveTransform:
    """A few degrees and a little perspective; lettering on a board may slant more."""
    degrees = rng.normal(0, 20) if slanting else rng.normal(0, 2.5) if rng.random() < 0.85 else rng.uniform(-12, 12)
    turned = scene.make_camera(size, size, float(degrees), float(rng.uniform(0, 0.04)), False, rng)
    return turned


def paint(canvas: Canvas, sheet: Sheet, contrast: float, grain: float, rng: np.random.Generator) -> None:
    """Draw the contents of the sheet on the canvas, the ink of the pen last, with this contrast and as uneven as `grain` says."""
    pen = sheet.pen
    if rng.random() < 0.09:
        show_through(canvas, sheet.written, pen, contrast, rng)
    if rng.random() < 0.05:  # a printed tint behind a part of the sheet
        canvas.put(polygon(canvas.size, half_plane(canvas.size, rng)), PAPER, rng.uniform(0.05, 0.3))
    shade = rng.uniform(0.05, 0.4)
    for corners in sheet.tints:
        canvas.put(polygon(canvas.size, canvas.camera(corners)), PAPER, shade)
    kind = rng.choice(3, p=[0.4, 0.3, 0.3])
    for width, strokes in sheet.rules.items():
        faint, strong, alike = rng.uniform(0.06, 0.4), rng.uniform(0.4, 0.97), min(0.97, contrast * rng.uniform(0.5, 1.3))
        canvas.draw(strokes, width, LINE, (faint, strong, alike)[kind], float(rng.choice([0.0, 0.0, 0.15])), 0.0, rng)
    if sheet.printed:
        canvas.print(sheet.printed, PRINTED, rng.uniform(0.35, 0.97))
    if sheet.drawn:
        same = rng.random() < 0.6
        canvas.draw(
            sheet.drawn,
            pen if same else pen * rng.uniform(0.5, 2),
            LINE,
            contrast if same else rng.uniform(0.2, 0.95),
            grain,
            0.1,
            rng,
        )
    if sheet.crossed:
        canvas.draw(sheet.crossed, pen, CLUTTER, contrast, grain, 0.12, rng)
    if sheet.written:
        canvas.draw(sheet.written, pen, WRITTEN, contrast, grain, 0.12, rng)


def photograph(picture: np.ndarray, capital: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W) uint8: light and shadow, lens, noise, JPEG; or a clean scan; or black and white."""
    size = len(picture)
    scan = rng.random() < 0.2
    if not scan:
        glare = rng.uniform(0.2, 1.0) if rng.random() < 0.08 else 0.0
        glow = scene.light((size, size), rng.uniform(0, 0.5), rng.uniform(0, 0.4), 0.1 * rng.random(), glare, rng)
        picture = picture * glow
        if rng.random() < 0.10:  # the shadow of an edge
            shade = polygon(size, half_plane(size, rng), float(rng.choice([0.5, 2.0, 8.0])))
            picture = picture * (1 - rng.uniform(0.2, 0.65) * shade)
        picture = picture * rng.uniform(0.45, 1.0)
    blur = rng.uniform(0.0, 0.6) if scan else rng.uniform(0.3, min(2.2, 0.4 + 0.05 * capital))
    gray = gaussian_filter(picture, blur, truncate=3) if blur > 0.25 else picture.copy()
    gray *= 255
    noise = 0.0 if scan and rng.random() < 0.5 else rng.uniform(0, 8)
    if noise:
        gray += 0.7 * noise * rng.standard_normal(gray.shape, np.float32)
        gray += 0.5 * noise * scene.smooth_noise(gray.shape, 2, rng)
    if rng.random() < 0.04:  # specks
        specks = rng.random(gray.shape) < rng.uniform(0.001, 0.012)
        gray[specks] = rng.choice([0, 255])
    pixels = np.clip(gray, 0, 255).astype(np.uint8)
    kind = rng.random()
    if kind < 0.03:
        return np.array(Image.fromarray(pixels).convert("1").convert("L"))  # dithered
    if scan and kind < 0.25:
        return np.where(pixels > rng.uniform(90, 180), np.uint8(255), np.uint8(0))
    if kind < 0.65:
        packed = io.BytesIO()
        Image.fromarray(pixels).save(packed, "JPEG", quality=int(rng.integers(30, 96)))
        pixels = np.array(Image.open(packed))
    return pixels


def double(picture: np.ndarray, capital: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W) uint8: a photo of half the size, doubled as the reader does with tiny pictures."""
    height, width = picture.shape
    half = picture.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
    small = Image.fromarray(photograph(half, capital / 2, rng))
    return np.array(small.resize((width, height), Image.Resampling.BICUBIC))


def cut_tightly(kinds: np.ndarray, capital: float, rng: np.random.Generator) -> tuple[int, int, int, int] | None:
    """Top, bottom, left, right of what is written, with a margin of up to half a letter; None where nothing is."""
    rows, columns = (np.flatnonzero((kinds == WRITTEN).any(axis)) for axis in (1, 0))
    if not len(rows):
        return None
    margins = np.rint(capital * rng.uniform(0, 0.5) * rng.uniform(0.5, 1, 4)).astype(int)
    top, left = max(0, rows[0] - margins[0]), max(0, columns[0] - margins[2])
    bottom, right = min(len(kinds), rows[-1] + 1 + margins[1]), min(len(kinds), columns[-1] + 1 + margins[3])
    return int(top), int(bottom), int(left), int(right)


def cut_borders(
    gray: np.ndarray, kinds: np.ndarray, box: tuple[int, int, int, int] | None, rng: np.random.Generator
) -> np.ndarray:
    """Contrast of a picture that ends at the box, or, without one, within the crop on one or two sides.

    Beyond is nothing, what a picture is filled up with to the size that a network takes; `kinds` becomes paper there.
    """
    if box is None:
        ends = [0, len(gray), 0, len(gray)]
        for _ in range(int(rng.integers(1, 3))):
            side, width = int(rng.integers(0, 4)), int(rng.uniform(0.05, 0.45) * len(gray))
            ends[side] = width if side % 2 == 0 else len(gray) - width
        box = ends[0], ends[1], ends[2], ends[3]
    top, bottom, left, right = box
    contrast, beyond = np.zeros_like(gray), np.ones(gray.shape, bool)
    contrast[top:bottom, left:right] = flatten(np.ascontiguousarray(gray[top:bottom, left:right]))
    beyond[top:bottom, left:right] = False
    kinds[beyond] = PAPER
    return contrast
