"""Straighten: rotate a photo so that its lines of text are level, and keep the map back to the pixels of the photo."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from pipeline.reading.sheet import Sheet, part_sheets

MIRROR_SIDES = range(4, 8)
BAND = 64  # rows of the photo made small at once


class View(NamedTuple):
    """A picture made from the photo, and `to_photo` (3, 3), which maps its (x, y, 1) to those of the photo, up to scale."""

    pixels: np.ndarray
    to_photo: np.ndarray


def prepare(image: np.ndarray, work_pixels: int) -> View:
    """(H, W) uint8 brightness of the photo in at most `work_pixels` pixels."""
    gray = _to_gray(image, work_pixels)
    return _shown(Sheet(gray, (0, 0)), image.shape[1] / gray.width, image.shape[0] / gray.height, work_pixels)


def prepare_sheets(image: np.ndarray, work_pixels: int) -> list[View]:
    """The same of each sheet of paper with writing on it, the ground beside it covered; of the photo if there are none."""
    gray = _to_gray(image, work_pixels)
    across, down = image.shape[1] / gray.width, image.shape[0] / gray.height
    return [_shown(sheet, across, down, work_pixels) for sheet in part_sheets(gray)]


def _shown(sheet: Sheet, across: float, down: float, work_pixels: int) -> View:
    """The sheet in at most `work_pixels` pixels; one of its own is `across` wide and `down` high in the photo."""
    picture, (x, y) = sheet
    scale = min(1.0, (work_pixels / (picture.width * picture.height)) ** 0.5)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    to_photo = np.diag([across * picture.width / size[0], down * picture.height / size[1], 1.0])
    to_photo[:2, 2] = across * x, down * y
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.BOX)
    return View(np.asarray(picture), to_photo)


def _to_gray(image: np.ndarray, work_pixels: int) -> Image.Image:
    """Brightness, half as large where the photo has four times `work_pixels`; band by band, so that it stays in the cache."""
    factor = 2 if image.shape[0] * image.shape[1] > 4 * work_pixels else 1
    bands = (Image.fromarray(image[top : top + BAND]).convert("L").reduce(factor) for top in range(0, len(image), BAND))
    return Image.fromarray(np.concatenate([np.asarray(band) for band in bands]))


def warp(view: View, to_view: np.ndarray, size: tuple[int, int], fill: int = 0) -> View:
    """Picture of `size` (width, height) whose point p shows the view's point `to_view` @ p."""
    coefficients = tuple((to_view / to_view[2, 2]).ravel()[:8])
    kind = Image.Transform.PERSPECTIVE if np.any(to_view[2, :2]) else Image.Transform.AFFINE
    picture = Image.fromarray(view.pixels).transform(
        size, kind, coefficients[: 8 if kind == Image.Transform.PERSPECTIVE else 6], Image.Resampling.BILINEAR, fillcolor=fill
    )
    return View(np.asarray(picture), view.to_photo @ to_view)


def rotate(view: View, degrees: float, fill: int = 0) -> View:
    """The view, rotated counter-clockwise, in a frame that contains all of it, with `fill` beside it."""
    height, width = view.pixels.shape
    if degrees % 90 == 0:
        return _quarter_turns(view, int(degrees // 90) % 4)
    angle = np.deg2rad(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    new_width = int(np.ceil(abs(width * cosine) + abs(height * sine)))
    new_height = int(np.ceil(abs(width * sine) + abs(height * cosine)))
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    return warp(
        view, _shift(width / 2, height / 2) @ turn @ _shift(-new_width / 2, -new_height / 2), (new_width, new_height), fill
    )


def orient(view: View, side: int) -> View:
    """The view with another side up: `side` % 4 quarter turns counter-clockwise, before which those of `MIRROR_SIDES` are
    mirrored."""
    if side in MIRROR_SIDES:
        back = np.array([[-1, 0, view.pixels.shape[1]], [0, 1, 0], [0, 0, 1.0]])
        view = View(view.pixels[:, ::-1], view.to_photo @ back)
    return _quarter_turns(view, side % 4)


def turn_over(pictures: np.ndarray, side: int) -> np.ndarray:
    """Pictures, (N, H, W), with another side up, as `orient` does it."""
    return np.rot90(pictures[:, :, ::-1] if side in MIRROR_SIDES else pictures, side, axes=(1, 2))


def _quarter_turns(view: View, turns: int) -> View:
    height, width = view.pixels.shape
    back = {
        0: np.eye(3),
        1: np.array([[0, -1, width], [1, 0, 0], [0, 0, 1.0]]),
        2: np.array([[-1, 0, width], [0, -1, height], [0, 0, 1.0]]),
        3: np.array([[0, 1, 0], [-1, 0, height], [0, 0, 1.0]]),
    }[turns]
    return View(np.ascontiguousarray(np.rot90(view.pixels, turns)), view.to_photo @ back)


def _shift(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def to_photo_box(box: tuple, to_photo: np.ndarray, width: int, height: int) -> tuple[float, float, float, float]:
    """The box in the photo, of this width and height, around the four corners of a box in a view, within its borders."""
    x0, y0, x1, y1 = box
    corners = to_photo @ np.array([[x0, x1, x1, x0], [y0, y0, y1, y1], [1, 1, 1, 1.0]])
    xs, ys = corners[:2] / corners[2]
    return (
        float(np.clip(xs.min(), 0, width)),
        float(np.clip(ys.min(), 0, height)),
        float(np.clip(xs.max(), 0, width)),
        float(np.clip(ys.max(), 0, height)),
    )
