"""Clutter: what a photo shows that is neither paper nor anything on it: desks and edges, things, blots, holes, shadows."""

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from pipeline.common.pixels import CLUTTER
from pipeline.synthesis.canvas import Canvas
from pipeline.synthesis.scene import smooth_noise


def add_clutter(canvas: Canvas, capital: float, rng: np.random.Generator) -> None:
    """Put a few things on the canvas, often none; `capital` is the height of the writing in pixels."""
    for thing, share in ((blots, 0.10), (holes, 0.07), (staple, 0.04), (fold, 0.06), (ground, 0.16), (object_on_sheet, 0.05)):
        if rng.random() < share:
            thing(canvas, capital, rng)


def polygon(size: int, points: np.ndarray, softness: float = 0.0) -> np.ndarray:
    """(size, size) float32 in [0, 1]: how much of each pixel lies within the polygon (K, 2)."""
    picture = Image.new("L", (2 * size, 2 * size), 0)
    ImageDraw.Draw(picture).polygon([tuple(point) for point in 2 * points], fill=255)
    inside = np.asarray(picture.reduce(2), np.float32) / 255
    return gaussian_filter(inside, softness) if softness else inside


def half_plane(size: int, rng: np.random.Generator) -> np.ndarray:
    """Corners (4, 2) of what lies beyond a line across the picture, most often near one of its sides."""
    angle = rng.integers(0, 4) * np.pi / 2 + rng.normal(0, 0.08) if rng.random() < 0.8 else rng.uniform(0, 2 * np.pi)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    start = np.array([size, size]) / 2 + across * size * rng.uniform(0.05, 0.48)
    far = 2.0 * size
    return np.array(
        [start - far * along, start + far * along, start + far * along + far * across, start - far * along + far * across]
    )


def ground(canvas: Canvas, capital: float, rng: np.random.Generator) -> None:
    """The sheet ends: a desk, a cloth, another sheet; with the shadow of the edge, and a texture or things of its own."""
    size = canvas.size
    corners = half_plane(size, rng)
    beyond = polygon(size, corners, rng.uniform(0.3, 1.5))
    dark = rng.uniform(0.02, 0.95)
    texture = 0.25 * rng.random() * smooth_noise((size, size), rng.uniform(1, 8), rng)
    kind = rng.choice(["plain", "grain", "weave", "things"])
    y, x = np.mgrid[:size, :size].astype(np.float32)
    if kind == "grain":
        turn = rng.uniform(0, np.pi)
        u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        texture = texture + rng.uniform(0.05, 0.3) * np.sin(
            v / rng.uniform(1, 8) + 3 * smooth_noise((size, size), 60, rng) + u / 200
        )
    elif kind == "weave":
        period = rng.uniform(0.5, 4)
        texture = texture + rng.uniform(0.05, 0.3) * np.sin(x / period) * np.sin(y / period)
    surface = dark * np.clip(1 + texture, 0.1, 2)
    if kind == "things":
        for _ in range(int(rng.integers(2, 12))):
            middle, spread = rng.uniform(0, size, 2), rng.uniform(0.1, 2) * capital
            thing = polygon(size, middle + rng.normal(0, spread, (int(rng.integers(3, 8)), 2)))
            surface = surface + thing * (rng.uniform(0, 1) - surface)
    shade = 1 - rng.uniform(0, 0.5) * gaussian_filter(beyond, rng.uniform(1, 8))  # of one on the other
    canvas.picture *= 1 - beyond
    canvas.picture += beyond * surface
    canvas.picture *= np.where(beyond > 0.5, 1.0, shade) if rng.random() < 0.5 else np.where(beyond > 0.5, shade, 1.0)
    edge = gaussian_filter(beyond, 1.5)
    canvas.kinds[(beyond > 0.3) | ((edge > 0.05) & (edge < 0.95))] = CLUTTER


def object_on_sheet(canvas: Canvas, capital: float, rng: np.random.Generator) -> None:
    """A phone, a pen, a finger, a clip: long and smooth, with light and dark sides."""
    size = canvas.size
    angle, length, width = rng.uniform(0, np.pi), rng.uniform(1, 12) * capital, rng.uniform(0.4, 5) * capital
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    box = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (length / 2, width / 2)
    middle = rng.uniform(0, size, 2)
    shape = polygon(size, box @ turn + middle, rng.uniform(0.5, 3))
    y, x = np.mgrid[:size, :size].astype(np.float32)
    across = ((x - middle[0]) * -np.sin(angle) + (y - middle[1]) * np.cos(angle)) / width
    surface = rng.uniform(0.05, 0.8) * (1 + rng.uniform(-0.8, 0.8) * across)
    shadow = 1 - rng.uniform(0, 0.5) * gaussian_filter(np.roll(shape, int(rng.integers(1, 8)), axis=int(rng.integers(0, 2))), 4)
    canvas.picture *= shadow
    canvas.picture += shape * (surface - canvas.picture)
    canvas.kinds[shape > 0.3] = CLUTTER


def blots(canvas: Canvas, capital: float, rng: np.random.Generator) -> None:
    """Blots of ink and dirt, thicker than the pen or as small as specks."""
    for _ in range(int(rng.integers(1, 8))):
        radius = capital * np.exp(rng.uniform(np.log(0.05), np.log(0.5)))
        along = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        reach = radius * np.exp(rng.normal(0, 0.2, 14))[:, None]
        points = rng.uniform(0, canvas.size, 2) + reach * np.column_stack([np.cos(along), np.sin(along)])
        canvas.put(polygon(canvas.size, points, 0.5), CLUTTER, rng.uniform(0.3, 0.95))


def holes(canvas: Canvas, capital: float, rng: np.random.Generator) -> None:
    """Punched holes in a row: dark, or a rim around something bright."""
    radius, x, y = capital * rng.uniform(0.25, 1.2), *rng.uniform(0, canvas.size, 2)
    step, upright, outline = radius * rng.uniform(5, 30), rng.random() < 0.7, rng.random() < 0.5
    along = np.linspace(0, 2 * np.pi, 40)
    for number in range(-4, 5):
        at = np.array([x, y]) + number * step * (np.array([0, 1]) if upright else np.array([1, 0]))
        ring = at + radius * np.column_stack([np.cos(along), np.sin(along)])
        shape = polygon(canvas.size, ring, 0.5)
        if outline:
            shape = np.clip(shape - polygon(canvas.size, at + (ring - at) * (1 - rng.uniform(0.05, 0.2)), 0.5), 0, 1)
        canvas.put(shape, CLUTTER, rng.uniform(0.2, 0.9))


def staple(canvas: Canvas, capital: float, rng: np.random.Generator) -> None:
    """A staple in a corner: two sharp parallel edges, one bright, one in the shade."""
    angle, length, pen = rng.uniform(0, np.pi), capital * rng.uniform(0.6, 1.8), max(1.5, capital * rng.uniform(0.06, 0.14))
    along = np.array([np.cos(angle), np.sin(angle)])
    start = rng.uniform(0, canvas.size, 2)
    ends = np.array(
        [along[::-1] * (-0.2, 0.2) * length, (0, 0), length * along, length * along + along[::-1] * (-0.2, 0.2) * length]
    )
    canvas.draw([start + ends], pen, CLUTTER, rng.uniform(0.3, 0.8), 0.0, 0.0, rng)


def fold(canvas: Canvas, capital: float, rng: np.random.Generator) -> None:
    """A crease: the paper is a little brighter on one side, and has a fine dark or bright line."""
    side = polygon(canvas.size, half_plane(canvas.size, rng), rng.uniform(0.5, 2))
    canvas.picture *= 1 - rng.uniform(0.02, 0.2) * side
    edge = 4 * side * (1 - side)
    canvas.picture *= 1 - rng.uniform(0, 0.25) * edge
    canvas.kinds[(edge > 0.5) & (canvas.kinds == 0)] = CLUTTER


def show_through(canvas: Canvas, strokes: list[np.ndarray], pen: float, contrast: float, rng: np.random.Generator) -> None:
    """The writing of the other side, mirrored, blurred and fainter than its own `contrast`; drawn first, beneath all else."""
    shift = canvas.size + rng.uniform(-0.5, 0.5) * canvas.size, rng.uniform(-0.2, 0.2) * canvas.size  # no line meets its own back
    mirrored = [stroke * (-1, 1) + shift for stroke in strokes]
    under = Canvas(canvas.size, canvas.camera, 1.0)
    under.draw(mirrored, pen, CLUTTER, 1.0, 0.0, 0.0, rng)
    coverage = gaussian_filter(1 - under.picture, rng.uniform(0.4, 2.0))
    canvas.put(coverage, CLUTTER, contrast * rng.uniform(0.08, 0.6), 0.5)
