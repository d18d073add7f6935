"""A sheet of paper, ink on it, light over it, and a phone's camera above: the parts that a rendered photo is made of."""

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from skimage.transform import ProjectiveTransform, estimate_transform

from pipeline.synthesis.ink import margin, place

PAPERS = {  # reflectance of the sheet in RGB
    "white": (0.93, 0.93, 0.92),
    "cream": (0.93, 0.89, 0.79),
    "pink": (0.93, 0.78, 0.78),
    "yellow": (0.95, 0.90, 0.58),
    "blue": (0.76, 0.85, 0.92),
    "ruled": (0.93, 0.93, 0.92),
    "squared": (0.93, 0.93, 0.91),
    "whiteboard": (0.91, 0.93, 0.95),
}

PENS = {  # widths in heights of a capital; opacity; colours in RGB
    "pencil": ((0.045, 0.065), (0.55, 0.85), [(0.22, 0.22, 0.24)]),
    "ballpoint": ((0.040, 0.060), (0.80, 0.95), [(0.08, 0.12, 0.50), (0.08, 0.12, 0.50), (0.10, 0.10, 0.12), (0.60, 0.08, 0.10)]),
    "marker": ((0.090, 0.140), (0.85, 0.97), [(0.06, 0.06, 0.07), (0.06, 0.12, 0.45), (0.60, 0.05, 0.08), (0.03, 0.35, 0.20)]),
}


def make_camera(
    width: int, height: int, rotation: float, perspective: float, desk: bool, rng: np.random.Generator
) -> ProjectiveTransform:
    """Map points of the sheet to pixels, both `(0, 0)..(width, height)`.

    Args:
        rotation: degrees, clockwise.
        perspective: largest shift of a corner, as a share of the sides.
        desk: the whole sheet is in the picture, with some of the desk around it.
    """
    sheet = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    turn, centre = np.radians(rotation), np.array([width, height]) / 2
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    seen = (sheet - centre) @ matrix * (0.92 if desk else 1.0) + centre
    return estimate_transform("projective", sheet, seen + rng.uniform(-perspective, perspective, (4, 2)) * (width, height))


def smooth_noise(shape: tuple[int, int], grain: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W) float32 noise of mean 0 and deviation about 1, whose spots are `grain` pixels wide."""
    height, width = shape
    small = rng.standard_normal((int(height / grain) + 2, int(width / grain) + 2), np.float32)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def paint_sheet(
    kind: str,
    shape: tuple[int, int],
    camera: ProjectiveTransform,
    spacing: float,
    rule_offset: float,
    desk: bool,
    rng: np.random.Generator,
) -> np.ndarray:
    """(H, W, 3) float32 reflectance of paper, or of paper on a desk.

    Args:
        spacing, rule_offset: distance of the printed rules and where the first one is, in pixels of the sheet.
    """
    height, width = shape
    texture = 0.006 * smooth_noise(shape, 1.5, rng) + 0.006 * smooth_noise(shape, 12, rng) + 0.004 * smooth_noise(shape, 90, rng)
    sheet = np.array(PAPERS[kind], np.float32) * (1 + texture if kind != "whiteboard" else 1 + 0.3 * texture)[..., None]
    if kind in ("ruled", "squared"):
        across = [((-width, y), (2 * width, y)) for y in np.arange(rule_offset - 99 * spacing, 2 * height, spacing)]
        down = [((x, -height), (x, 2 * height)) for x in np.arange(rng.uniform(-99, -98) * spacing, 2 * width, spacing)]
        lines = [camera(np.array(line)) for line in (across + down if kind == "squared" else across)]
        rules = draw(lines, rng.uniform(1.2, 2.2), shape, 0.0, rng)
        colour = np.array(rng.permutation([(0.55, 0.68, 0.85), (0.66, 0.66, 0.72)])[0], np.float32)
        _cover(sheet, colour, rules * rng.uniform(0.45, 0.8))
    if desk:
        corners = camera(np.array([[0, 0], [width, 0], [width, height], [0, height]], float))
        outline = Image.new("L", (width, height), 0)
        ImageDraw.Draw(outline).polygon([tuple(c) for c in corners], fill=255)
        on_sheet = gaussian_filter(np.asarray(outline, np.float32) / 255, 1.0)
        wood = rng.uniform(0.3, 1) * np.array((0.36, 0.26, 0.20) + rng.uniform(-0.04, 0.04, 3), np.float32)
        grain = 1 + 0.12 * np.asarray(Image.fromarray(smooth_noise((height, 64), 3, rng)).resize((width, height)))
        shade = 0.45 + 0.55 * (1 - gaussian_filter(np.asarray(outline.reduce(8), np.float32) / 255, 4))  # the sheet's own shadow
        shade = np.asarray(Image.fromarray(shade).resize((width, height)))
        sheet = sheet * on_sheet[..., None] + (wood * (grain * shade)[..., None]) * (1 - on_sheet)[..., None]
    return sheet


def draw(strokes: list[np.ndarray], pen: float, shape: tuple[int, int], pressure: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W) float32 in [0, 1]: how much of each pixel a round pen of `pen` pixels covers."""
    drawn = place(strokes, 1.0, pen, np.zeros(2), np.array(shape[::-1]), rng, pressure)
    pad = margin(pen)
    return drawn[pad : pad + shape[0], pad : pad + shape[1]].astype(np.float32) / 255


def ink(sheet: np.ndarray, strokes: list[np.ndarray], kind: str, capital: float, rng: np.random.Generator) -> None:
    """Write `strokes` (pixels) on `sheet` with a pen; `capital` is the height of a letter in pixels."""
    thin_thick, faint_strong, colours = PENS[kind]
    width = max(1.8, rng.uniform(*thin_thick) * capital)
    coverage = draw(strokes, width, sheet.shape[:2], 0.1, rng)
    strength = rng.uniform(*faint_strong)
    if kind == "pencil":  # graphite catches on the paper's grain
        grain = smooth_noise(coverage.shape, 1.3, rng) + 0.7 * smooth_noise(coverage.shape, 40, rng)
        coverage = gaussian_filter(coverage, 0.6) * np.clip(strength + 0.20 * grain, 0.12, 1)
    else:
        coverage = coverage * np.clip(strength + 0.05 * smooth_noise(coverage.shape, 12, rng), 0, 1)
    _cover(sheet, np.array(colours[rng.integers(len(colours))], np.float32), coverage)


def _cover(sheet: np.ndarray, colour: np.ndarray, coverage: np.ndarray) -> None:
    inked = coverage > 0  # few pixels are
    sheet[inked] += (colour - sheet[inked]) * coverage[inked][:, None]


def light(
    shape: tuple[int, int], gradient: float, shadow: float, vignette: float, glare: float, rng: np.random.Generator
) -> np.ndarray:
    """(H, W) float32 brightness, about 1: falls off to one side, a soft shadow of hand or phone, dark corners, glare of lamps.

    Each strength is the share of light taken away (glare: added) where the effect is strongest.
    """
    height, width = shape
    y, x = np.mgrid[-1 : 1 : complex(height // 8 + 1), -1 : 1 : complex(width // 8 + 1)].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    field = 1 - gradient * (0.5 + 0.35 * (x * np.cos(angle) + y * np.sin(angle)))
    field *= 1 - vignette * (x**2 + y**2) / 2
    angle = rng.uniform(0, 2 * np.pi)  # a shadow's edge: a line, bent by noise, softer the higher the hand is
    edge = x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-0.1, 0.7) + 0.12 * smooth_noise(x.shape, x.shape[1] / 2, rng)
    field *= 1 - shadow / (1 + np.exp(-edge / rng.uniform(0.03, 0.2)))
    spot = np.exp(-((x - rng.uniform(-1, 1)) ** 2 + (y - rng.uniform(-1, 1)) ** 2) / 0.15)
    return np.asarray(Image.fromarray(field + glare * spot).resize((width, height), Image.Resampling.BICUBIC))


def expose(
    radiance: np.ndarray, brightness: float, warmth: float, blur: float, noise: float, rng: np.random.Generator
) -> np.ndarray:
    """(H, W, 3) uint8, as a phone would take it.

    Args:
        radiance: (H, W, 3) float32 light from the scene, the brightest paper about 1.
        brightness: value 0..1 that the median comes out as.
        warmth: red gained and blue lost, as a share.
        blur: standard deviation in pixels of the lens and the phone's noise reduction.
        noise: standard deviation in grey levels; half of its variance is fine and grey, half coarse and coloured.
    """
    tint = np.array([1 + warmth, 1, 1 - warmth], np.float32)
    middle, bright = np.percentile(radiance[::8, ::8, 1], (50, 95))
    exposed = radiance * (tint * min(brightness / middle, 1.0 / bright)).astype(np.float32)
    for channel in range(3):
        exposed[..., channel] = gaussian_filter(exposed[..., channel], blur, truncate=3)
    shape = exposed.shape[:2]
    grey = rng.standard_normal(shape, np.float32)
    for channel in range(3):
        exposed[..., channel] += (0.7 * noise / 255) * (grey + smooth_noise(shape, 2, rng))
    exposed *= 255
    return np.clip(exposed, 0, 255, out=exposed).astype(np.uint8)
