"""Register: find the place on a photo of each point of the blank, at any rotation, scale and perspective."""

import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image
from skimage.feature import ORB, match_descriptors
from skimage.measure import ransac
from skimage.transform import ProjectiveTransform, estimate_transform

from pipeline.common.errors import PageError
from pipeline.common.pixels import flatten
from pipeline.forms.patches import PATCHES, REACH, find_patches, is_unique, look
from pipeline.reading.sheet import find_corners

PIXELS = 500_000  # of the pictures that are compared, in which the letters of a label are 5 pixels high
KEYPOINTS = 2500
NEAR = 2.0  # pixels; most that a patch is off its place under a projective map: paper is never quite flat
TRIALS = 2000
SHEAR = 0.05  # widths of the form; most that perspective moves a point after rotation, scale and shift
LEAST_SCALE = 0.2  # of the form on the photo, relative to the blank
SKEWED = 1.8  # largest ratio of two opposite sides of a sheet in perspective
SHARE, SURE = 0.5, 0.75  # shares of the unique patches: least that must be found (writing covers some), and that end the search
FEW = 8  # patches that a map of four pairs of points fits by chance


class Blank:
    """A blank, prepared for the search on photos.

    Args:
        gray: (H, W) uint8.

    Attributes:
        contrast: (h, w) uint8, of the print, in about `PIXELS` pixels.
        scale: its side over that of `gray`.
        patches: (P, 2) int x, y of corners.
        unique: (P,) bool, whether nothing near the patch looks like it, as the cells of a table do.
    """

    def __init__(self, gray: np.ndarray) -> None:
        self.gray = gray
        self.contrast, self.scale = _reduced(gray)
        self.keypoints = _keypoints(self.contrast)
        self.patches = find_patches(self.contrast)
        if len(self.patches) < FEW:
            raise PageError("the form's blank holds too little print to be found on a photo; is it the right picture?")
        unique = np.array([is_unique(self.contrast, at) for at in self.patches])
        order = np.argsort(~unique, kind="stable")[: max(PATCHES, int(unique.sum()))]
        self.patches, self.unique = self.patches[order], unique[order] | (unique.sum() < FEW)


def register(gray: np.ndarray, blank: Blank) -> np.ndarray:
    """(3, 3) matrix that maps (x, y, 1) of the blank to pixels of the photo, up to scale.

    Args:
        gray: (H, W) uint8 photo.

    Raises:
        PageError: the form is not found on the photo.
    """
    contrast, scale = _reduced(gray)
    best, found = None, 0.0
    for guess in _guesses(gray, contrast, scale, blank):
        matrix, share = _refine(guess, contrast, blank)
        if share > found:
            best, found = matrix, share
        if found > SURE:
            break
    if best is None or found < SHARE:
        raise PageError("the form was not found on this page; is it another form, or is part of it cut off?")
    return np.diag([1 / scale, 1 / scale, 1]) @ best @ np.diag([blank.scale, blank.scale, 1])


def _reduced(gray: np.ndarray) -> tuple[np.ndarray, float]:
    """Contrast of the picture in about `PIXELS` pixels, and the scale."""
    scale = min(1.0, (PIXELS / gray.size) ** 0.5)
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    return flatten(np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX))), scale


def _keypoints(contrast: np.ndarray) -> ORB:
    """Corners and their descriptors (Rublee et al. 2011, "ORB: an efficient alternative to SIFT or SURF")."""
    orb = ORB(n_keypoints=KEYPOINTS, n_scales=6, fast_threshold=0.1)
    try:
        orb.detect_and_extract(contrast)
    except (RuntimeError, IndexError):  # no corner at all
        orb.keypoints, orb.descriptors = np.zeros((0, 2)), np.zeros((0, 256), bool)
    return orb


def _guesses(gray: np.ndarray, contrast: np.ndarray, scale: float, blank: Blank) -> Iterator[np.ndarray]:
    """Candidates for the matrix from the contrast of the blank to that of the photo, the most likely first."""
    seen = _keypoints(contrast)
    if min(len(seen.keypoints), len(blank.keypoints.keypoints)) > FEW:
        pairs = match_descriptors(blank.keypoints.descriptors, seen.descriptors, cross_check=True, max_ratio=0.95)
        source, target = blank.keypoints.keypoints[pairs[:, 0], ::-1], seen.keypoints[pairs[:, 1], ::-1]
        for turned in _similarities(source, target, SHEAR * blank.contrast.shape[1]):
            if len(turned) >= FEW:
                yield estimate_transform("affine", source[turned], target[turned]).params
    for corners in (*find_corners(Image.fromarray(gray)), _sheet(gray.shape)):
        for turns in range(4):
            yield estimate_transform("projective", _sheet(blank.contrast.shape), np.roll(corners * scale, turns, axis=0)).params


def _similarities(source: np.ndarray, target: np.ndarray, near: float) -> Iterator[np.ndarray]:
    """Indices of the largest set of pairs of points that agree on one rotation, scale and shift; then of the next one.

    Two pairs determine it (in complex numbers, target = a source + b), so that a few right pairs among many wrong ones are found.
    """
    left = np.arange(len(source))
    rng = np.random.default_rng(0)
    for _ in range(2):
        if len(left) < FEW:
            return
        z, w = source[left] @ [1, 1j], target[left] @ [1, 1j]
        first, second = rng.integers(0, len(left), (2, TRIALS))
        apart = np.abs(z[first] - z[second]) > near
        first, second = first[apart], second[apart]
        a = (w[first] - w[second]) / (z[first] - z[second])
        agree = np.abs(a[:, None] * (z - z[first, None]) + w[first, None] - w) < near * np.abs(a)[:, None]  # (TRIALS, pairs)
        agree &= ((np.abs(a) > LEAST_SCALE) & (np.abs(a) < 1 / LEAST_SCALE))[:, None]
        if not len(agree):
            return
        best = agree[agree.sum(1).argmax()]
        yield left[best]
        left = left[~best]


def _sheet(shape: tuple[int, ...]) -> np.ndarray:
    """(4, 2) float x, y of a picture's corners: top left, top right, bottom right, bottom left."""
    height, width = shape
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], float)


def _refine(matrix: np.ndarray, contrast: np.ndarray, blank: Blank) -> tuple[np.ndarray, float]:
    """Refine a matrix: search for the patches near their places, and return the new matrix and the share that was found."""
    unique = {tuple(at) for at in blank.patches[blank.unique].tolist()}
    share = 0.0
    for reach in REACH:
        patches = blank.patches if reach == REACH[-1] else blank.patches[blank.unique]
        seen = warp(contrast, matrix, blank.contrast.shape)
        moved = [(at, to) for at in patches if (to := look(blank.contrast, seen, at, reach)) is not None]
        if len(moved) < FEW:
            return matrix, 0.0
        ends = np.array([at for at, _ in moved], float), np.array([to for _, to in moved])
        step = _fit(*ends, blank.contrast.shape, max(NEAR, reach / 8), 500)
        if step is None:
            return matrix, 0.0
        off = np.linalg.norm(ProjectiveTransform(step)(ends[0]) - ends[1], axis=1)
        share = sum(tuple(at.tolist()) in unique for (at, _), away in zip(moved, off) if away < NEAR) / len(unique)
        matrix = matrix @ step
    return matrix, share


def warp(picture: np.ndarray, matrix: np.ndarray, shape: tuple[int, ...], fill: int = 0) -> np.ndarray:
    """(H, W) uint8 picture of that shape whose point p shows the other's point `matrix` @ p."""
    coefficients = tuple((matrix / matrix[2, 2]).ravel()[:8])
    size = shape[1], shape[0]
    return np.asarray(
        Image.fromarray(picture).transform(
            size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR, fillcolor=fill
        )
    )


def _fit(source: np.ndarray, target: np.ndarray, shape: tuple[int, ...], near: float, trials: int) -> np.ndarray | None:
    """The projective map that most pairs of points agree on (Fischler & Bolles 1981, RANSAC), among those of a camera."""
    corners = _sheet(shape)

    def is_sheet(model: ProjectiveTransform, *_: np.ndarray) -> bool:
        """Whether a camera may see a sheet like this: opposite sides are about equally long. Points in a row fit others too."""
        if not np.isfinite(model.params).all():
            return False
        ratios = np.linalg.norm(np.diff(model(corners), axis=0, append=model(corners)[:1]), axis=1)
        ratios /= np.maximum(np.linalg.norm(np.diff(corners, axis=0, append=corners[:1]), axis=1), 1e-6)
        return bool(ratios.min() > ratios.max() / SKEWED)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # None says that there is no such map
        model, inliers = ransac(
            (source, target),
            ProjectiveTransform,
            min_samples=4,
            residual_threshold=near,
            max_trials=trials,
            rng=0,
            stop_probability=0.999,
            is_model_valid=is_sheet,
        )
    if model is None or inliers is None or inliers.sum() < FEW or not is_sheet(model):
        return None
    return model.params
