"""Sheet: find bright sheets of paper on a darker ground, and cover the ground."""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from pipeline.seeing.outline import convex_hull, outline

SMALL = 400  # pixels; longer side of the picture in which sheets are sought
LEVELS = 9  # number of thresholds: a shadow on the sheet may be darker than the ground in the light
LEAST = 0.05  # least share of the picture that a sheet covers
BRIGHTER = 1.2  # least ratio of the brightness of a sheet to that of the ground along its edge,
DARK_GROUND = 1.5  # and along half of it; this and straight sides tell a sheet from light beside a shadow
CONVEX = 0.96  # least share of its convex hull that a sheet fills
INKED = 0.95  # of the brightness of the paper; writing in the small picture is darker
NEAR = 4  # pixels of the small picture between the edges of a region at two thresholds
BEYOND = 0.02  # share of a sheet that lies outside of the same sheet at a higher threshold
QUADRANGLE = 0.93  # least share of a sheet within its four corners


class Regions(NamedTuple):
    """Where a photo is bright: `small` (h, w) float32, the photo made small; `smooth`, the same with its writing closed;
    `levels`, for each of LEVELS thresholds the (h, w) bool connected regions that are brighter."""

    small: np.ndarray
    smooth: np.ndarray
    levels: list[list[np.ndarray]]


def find_regions(gray: Image.Image) -> Regions:
    """Find the bright regions of a photo of mode L, without holes."""
    small = _make_small(gray)
    smooth = ndimage.grey_closing(small, size=(9, 9))  # without dark strokes
    opened = ndimage.grey_opening(smooth, size=(5, 5))  # without thin parts, at all thresholds at once
    dark, bright = np.quantile(smooth, [0.02, 0.9])
    return Regions(small, smooth, [_large_regions(opened > level) for level in np.linspace(dark, bright, LEVELS + 2)[1:-1]])


class Sheet(NamedTuple):
    """A picture of one sheet, and the x, y of its first pixel in the picture of all."""

    picture: Image.Image
    start: tuple[int, int]


def part_sheets(gray: Image.Image) -> list[Sheet]:
    """The sheets with writing, each with the ground around it, and other sheets, painted as bright as it is near by.

    Without two of them, the whole picture, its ground painted where there is a sheet with writing.
    """
    regions, sheets = find_sheets(gray)
    dark = regions.small < INKED * regions.smooth
    written = [sheet for sheet in sheets if _holds_writing(dark, sheet)]
    if not written:
        return [Sheet(gray, (0, 0))]  # dark around empty paper: a letter that fills the picture
    if len(written) == 1:
        return [Sheet(_paint(gray, regions.smooth, _inner(np.any(sheets, axis=0))), (0, 0))]
    parts = []
    for sheet in written:
        box = _box(sheet, gray.size)
        parts.append(Sheet(_paint(gray, regions.smooth, _inner(sheet)).crop(box), box[:2]))
    return parts


def _inner(sheets: np.ndarray) -> np.ndarray:
    """Sheets, (h, w) bool, without their edges."""
    return ndimage.binary_erosion(sheets, iterations=3, border_value=1)


def _box(sheet: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of a sheet (h, w) bool in a picture of `size`, width and height."""
    ends = [(np.flatnonzero(sheet.any(axis))[[0, -1]] + (0, 1)) / sheet.shape[1 - axis] * size[axis] for axis in (0, 1)]
    (x0, x1), (y0, y1) = ends
    return int(x0), int(y0), int(np.ceil(x1)), int(np.ceil(y1))


def find_sheets(gray: Image.Image) -> tuple[Regions, list[np.ndarray]]:
    """The photo's bright regions, and those that are sheets, (h, w) bool: of those that overlap the one with the clearest edge.

    Sheets in another light are found at other thresholds. A sheet that lies wholly in the picture is no part of a region that
    reaches its border, such as a bright half of the desk. What shares most of its edge with a larger region is that sheet
    without its shadow.
    """
    found = find_regions(gray)
    regions = [
        (not _is_cut(region), step, region)
        for level in found.levels
        for region in level
        if (step := _step_down(found.smooth, region)) > BRIGHTER
    ]
    sheets: list[np.ndarray] = []
    for is_whole, _, region in sorted(regions, key=lambda kind: kind[:2], reverse=True):
        inner = [sheet for sheet in sheets if (region & sheet).any()]
        if not inner or (is_whole and all(_is_part(sheet, region) for sheet in inner)):
            sheets = [sheet for sheet in sheets if not (region & sheet).any()] + [region]
    return found, sheets


def _is_cut(region: np.ndarray) -> bool:
    """Whether the picture cuts the region."""
    return bool(region[0].any() or region[-1].any() or region[:, 0].any() or region[:, -1].any())


def _is_part(sheet: np.ndarray, region: np.ndarray) -> bool:
    """Whether a sheet lies in a region and has most of its edge in common with it."""
    near, edge = ndimage.binary_dilation(outline(region), iterations=NEAR), outline(sheet)
    return bool((sheet & ~region).sum() < BEYOND * sheet.sum() and 2 * (edge & near).sum() > edge.sum())


def find_corners(gray: Image.Image) -> list[np.ndarray]:
    """Corners of each sheet that is a quadrangle, (4, 2) float x, y in pixels of `gray`: top left, top right, bottom right,
    bottom left as it lies."""
    regions, sheets = find_sheets(gray)
    height, width = regions.smooth.shape
    found = []
    for sheet in sheets:
        corners = _simplify(convex_hull(sheet)[:, ::-1], 4)
        if QUADRANGLE < _area(corners) / float(sheet.sum()) < 2 - QUADRANGLE:
            found.append((_from_top_left(corners) + 0.5) * [gray.width / width, gray.height / height])
    return found


def _make_small(gray: Image.Image) -> np.ndarray:
    """(h, w) float32, at most `SMALL` pixels long, a little blurred."""
    factor = max(1.0, max(gray.size) / SMALL)
    size = max(8, round(gray.width / factor)), max(8, round(gray.height / factor))
    return ndimage.gaussian_filter(np.asarray(gray.resize(size, Image.Resampling.BOX, reducing_gap=1.0), np.float32), 1)


def _large_regions(bright: np.ndarray) -> list[np.ndarray]:
    """Each (h, w) bool, without holes."""
    labels, _ = ndimage.label(bright)
    large = np.flatnonzero(np.bincount(labels.ravel())[1:] > LEAST * bright.size) + 1
    return [_fill_holes(labels == label) for label in large]


def _fill_holes(region: np.ndarray) -> np.ndarray:
    """(h, w) bool, all but what is connected to the border outside of the region; SciPy's dilates its way there."""
    labels, count = ndimage.label(~region)
    outside = np.zeros(count + 1, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        outside[edge] = True
    outside[0] = False
    return ~outside[labels]


def _step_down(smooth: np.ndarray, region: np.ndarray) -> float:
    """Ratio of the brightness of a region to that of the ground along its edge; 0 if it lacks the straight sides of a sheet."""
    if region.all():
        return 0.0
    hull = convex_hull(region)
    if region.sum() < CONVEX * _area(hull) or not _shows_square_sides(hull, smooth.shape):
        return 0.0
    edge = np.argwhere(outline(region))
    limit = np.array(smooth.shape) - 6
    edge = edge[((edge >= 6) & (edge < limit)).all(1)]
    if len(edge) < 30:
        return 0.0
    slope = np.stack(np.gradient(ndimage.gaussian_filter(region.astype(np.float32), 3)), axis=-1)[tuple(edge.T)]
    inwards = 5 * slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
    inside, outside = (smooth[tuple(np.round(edge + step).astype(int).T)] for step in (inwards, -inwards))
    ratio = inside / np.maximum(outside, 1)
    return float(np.quantile(ratio, 0.15)) if np.median(ratio) > DARK_GROUND else 0.0


def _holds_writing(dark: np.ndarray, sheet: np.ndarray) -> bool:
    """Whether something `dark` on a sheet is not connected to the dark ground around it."""
    labels, count = ndimage.label(dark | ~sheet, np.ones((3, 3), bool))
    around = np.zeros(count + 1, bool)
    around[labels[~sheet]] = True
    return bool((dark & sheet & ~around[labels]).any())


def _paint(gray: Image.Image, smooth: np.ndarray, sheets: np.ndarray) -> Image.Image:
    """The picture; everything outside of the sheets gets the brightness of the nearest place on them."""
    nearest = ndimage.distance_transform_edt(~sheets, return_distances=False, return_indices=True)
    paper = Image.fromarray(smooth[tuple(nearest)].astype(np.uint8)).resize(gray.size, Image.Resampling.BILINEAR)
    mask = Image.fromarray(sheets.astype(np.uint8) * 255).resize(gray.size, Image.Resampling.NEAREST)
    return Image.composite(gray, paper, mask)


def _shows_square_sides(hull: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether straight sides meet at about a right angle, in the picture or beyond its border.

    The edge of a shadow runs across the picture without a corner.
    """
    points = hull
    for count in (8, 7, 6, 5, 4):  # a rounded corner is a corner only if the outline has few points
        points = _simplify(points, count)
        sides, middles = np.roll(points, -1, axis=0) - points, (np.roll(points, -1, axis=0) + points) / 2
        lengths = np.linalg.norm(sides, axis=1)
        within = ((middles > 4) & (middles < np.array(shape) - 5)).all(1) & (lengths > 0.15 * max(shape))
        directions = sides[within] / lengths[within, None]
        if _area(points) > 0.98 * _area(hull) and (np.abs(directions @ directions.T) < 0.4).any():
            return True
    return False


def _simplify(convex: np.ndarray, count: int) -> np.ndarray:
    """Drop from a convex outline the point that changes its area least, until `count` are left (Visvalingam 1993)."""
    points = convex
    while len(points) > count:
        a, b = np.roll(points, 1, axis=0) - points, np.roll(points, -1, axis=0) - points
        points = np.delete(points, int(np.argmin(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]))), axis=0)
    return points


def _area(points: np.ndarray) -> float:
    x, y = points.T
    return abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) / 2


def _from_top_left(corners: np.ndarray) -> np.ndarray:
    """The corners in clockwise order, from the one nearest to the top left of the photo."""
    centre = corners.mean(0)
    corners = corners[np.argsort(np.arctan2(*(corners - centre).T[::-1]))]
    return np.roll(corners, -int(np.argmin(corners.sum(1))), axis=0)
