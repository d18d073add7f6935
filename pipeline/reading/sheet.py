"""Sheet: find a sheet of paper that lies on something darker."""

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.spatial import ConvexHull

from pipeline.reading.outline import outline
from pipeline.reading.regions import Regions

BRIGHTER = 1.2  # times the ground's brightness that a sheet has along each of its sides
DARK_GROUND = 1.5  # the same for a sheet that the picture cuts, which is told from a shadow by this and its straight edges
CONVEX = 0.96  # least share of its hull that such a sheet fills
INSET = 0.012  # share of the sheet's sides left out, so that its edge is not taken for ink


def find_sheet(gray: Image.Image, regions: Regions) -> np.ndarray | None:
    """Find the four corners of a bright sheet on a dark ground.

    Args:
        gray: mode L, and its `regions`.

    Returns:
        (4, 2) float x, y in pixels of `gray`: top left, top right, bottom right, bottom left of the sheet as it lies, a
        little inside its edges; None if the photo shows no ground around the sheet, or no plain quadrangle.
    """
    smooth = regions.smooth
    best, largest = None, 0.0
    for sheet in regions.sheets:
        corners = _quadrangle(sheet)
        if corners is not None and _area(corners) > largest and _stands_out(smooth, corners):
            best, largest = corners, _area(corners)
    if best is None:
        return None
    best = best + INSET * (np.roll(best, 2, axis=0) - best)
    return (best + 0.5) * [gray.width / smooth.shape[1], gray.height / smooth.shape[0]]


def cover_ground(gray: Image.Image, regions: Regions) -> Image.Image:
    """Paint the dark ground beside a sheet that the picture cuts with the sheet's own brightness; else the same picture."""
    smooth = regions.smooth
    for sheet in regions.sheets:
        if not 0.35 < sheet.mean() < 0.98:
            continue
        edge = np.argwhere(outline(sheet))
        hull = ConvexHull(edge)
        corners = edge[hull.vertices].astype(float)
        if (
            sheet.sum() > CONVEX * hull.volume
            and _shows_square_sides(corners, smooth.shape)
            and _ends_in_the_dark(smooth, sheet, edge)
        ):
            return _paint(gray, smooth, ndimage.binary_erosion(sheet, iterations=3, border_value=1))
    return gray


def _paint(gray: Image.Image, smooth: np.ndarray, sheet: np.ndarray) -> Image.Image:
    """The picture with everything outside of the sheet as bright as the nearest place on it."""
    nearest = ndimage.distance_transform_edt(~sheet, return_distances=False, return_indices=True)
    paper = Image.fromarray(smooth[tuple(nearest)].astype(np.uint8)).resize(gray.size, Image.Resampling.BILINEAR)
    return Image.composite(gray, paper, Image.fromarray(sheet.astype(np.uint8) * 255).resize(gray.size, Image.Resampling.NEAREST))


def _shows_square_sides(hull: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether straight sides within the picture meet, or would beyond its border, at about a right angle.

    A shadow's edge runs across the picture without.
    """
    points = hull
    for count in (8, 7, 6, 5, 4):  # a corner that is rounded is one only among fewer points
        points = _simplify(points, count)
        sides, middles = np.roll(points, -1, axis=0) - points, (np.roll(points, -1, axis=0) + points) / 2
        lengths = np.linalg.norm(sides, axis=1)
        within = ((middles > 4) & (middles < np.array(shape) - 5)).all(1) & (lengths > 0.15 * max(shape))
        directions = sides[within] / lengths[within, None]
        if _area(points) > 0.98 * _area(hull) and (np.abs(directions @ directions.T) < 0.4).any():
            return True
    return False


def _ends_in_the_dark(smooth: np.ndarray, sheet: np.ndarray, edge: np.ndarray) -> bool:
    """Whether it is much darker right outside of the sheet's edge, wherever that is in the picture."""
    limit = np.array(smooth.shape) - 6
    edge = edge[((edge >= 6) & (edge < limit)).all(1)]
    if len(edge) < 30:
        return False
    slope = np.stack(np.gradient(ndimage.gaussian_filter(sheet.astype(np.float32), 3)), axis=-1)[tuple(edge.T)]
    inwards = 5 * slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-6)
    inside, outside = (smooth[tuple(np.round(edge + step).astype(int).T)] for step in (inwards, -inwards))
    ratio = inside / np.maximum(outside, 1)
    return bool(np.quantile(ratio, 0.5) > DARK_GROUND and np.quantile(ratio, 0.15) > BRIGHTER)


def _quadrangle(sheet: np.ndarray) -> np.ndarray | None:
    """(4, 2) corners of a region (h, w) bool; None if it is not a quadrangle lying within the picture."""
    sides = (sheet[0], sheet[-1], sheet[:, 0], sheet[:, -1])
    cut_sides = sum(float(side.mean()) > 0.03 for side in sides)  # a shadow's edge leaves at least two lit
    if not 0.12 < sheet.mean() < 0.95 or cut_sides > 1:
        return None
    edge = np.argwhere(outline(sheet))[:, ::-1]
    corners = _simplify(edge[ConvexHull(edge).vertices].astype(float), 4)
    if not 0.93 < _area(corners) / float(sheet.sum()) < 1.05:
        return None
    return _from_top_left(corners)


def _stands_out(smooth: np.ndarray, corners: np.ndarray) -> bool:
    """Whether it is darker right outside of every side than right inside."""
    centre = corners.mean(0)
    for start, end in zip(corners, np.roll(corners, -1, axis=0)):
        along = start + np.linspace(0.15, 0.85, 15)[:, None] * (end - start)
        outwards = (along - centre) / np.linalg.norm(along - centre, axis=1, keepdims=True)
        inside, outside = (np.round(along + step * outwards).astype(int) for step in (-6, 6))
        height, width = smooth.shape
        seen = (outside >= 0).all(1) & (outside < [width, height]).all(1)
        if seen.sum() < 5:
            continue  # the side lies on the picture's border
        if np.median(smooth[inside[seen, 1], inside[seen, 0]] / smooth[outside[seen, 1], outside[seen, 0]]) < BRIGHTER:
            return False
    return True


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
    """In clockwise order as seen, beginning at the corner nearest to the photo's top left."""
    centre = corners.mean(0)
    corners = corners[np.argsort(np.arctan2(*(corners - centre).T[::-1]))]
    return np.roll(corners, -int(np.argmin(corners.sum(1))), axis=0)


def flatten_matrix(corners: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """The homography that shows the sheet as a rectangle.

    Returns:
        (3, 3) from the rectangle's pixels to those of the corners, and the rectangle's (width, height).
    """
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width, height = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    rows, target = [], []
    for (x, y), (u, v) in zip([(0, 0), (width, 0), (width, height), (0, height)], corners):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        target += [u, v]
    solved = np.linalg.solve(np.array(rows, float), np.array(target, float))
    return np.append(solved, 1.0).reshape(3, 3), (max(1, round(width)), max(1, round(height)))
