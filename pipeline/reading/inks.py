"""Inks: what is fainter than the writing and none of it, such as the back of the sheet that shines through, or a staple."""

from collections.abc import Callable

import numpy as np
from PIL import Image
from scipy import ndimage

from pipeline.common.pixels import flatten
from pipeline.reading.cell_rows import cell_odds
from pipeline.reading.glyphs import Model
from pipeline.reading.layout import Components, find_components
from pipeline.reading.sides import FEW, PRIOR, SAMPLES, UPRIGHT, letters_of, spread, sureness_of
from pipeline.reading.words import FARTHEST
from pipeline.seeing.cells import Cells
from pipeline.seeing.outline import grow

BESIDE = 0.5  # letter heights; parts of one character are closer to each other


Reading = Callable[[np.ndarray, int], float]  # score of ink, (H, W) uint8, as it is read with a side up


def drop_other_inks(ink: np.ndarray, gray: np.ndarray, cells: Cells | None, model: Model, reading: Reading) -> np.ndarray:
    """The ink of a page without what shines through from its back, and without single marks that are fainter than the writing.

    A second pen stays: it writes more than a few letters, which read well, stand in the cells of a form, or follow each other.

    Args:
        ink: (H, W) uint8, probability of 255 that a pixel is ink.
        gray: (H, W) uint8 photo, all ink dark.
        reading: decides if the letters do not: many look the same from behind.
    """
    found = find_components(np.asarray(Image.fromarray(ink).reduce(2)) > 127)  # half of the pixels are enough
    pieces = np.flatnonzero(found.areas > 0)
    large = np.flatnonzero(found.large)
    dark = flatten(np.asarray(Image.fromarray(gray).reduce(2)))
    contrast = np.full(len(found.areas), np.inf)
    contrast[pieces] = np.log(np.maximum(ndimage.mean(dark, found.labels, pieces + 1), 1.0)) if len(pieces) else 0.0
    between = part_inks(contrast[large])
    if between is None:
        return ink
    faint, letters = contrast < between, letters_of(found, large)
    if (~faint[letters]).sum() <= FEW:
        return ink  # dark things beside the writing
    if faint[letters].sum() <= FEW:
        faint[:] = False
        faint[_alone(found, pieces, large[contrast[large] < between])] = True
    else:
        fainter = letters[faint[letters]]
        gain, side, back = _from_behind(found, fainter, letters[~faint[letters]], model)
        if abs(gain) < UPRIGHT:
            alone = _without(ink, found, ~faint)
            from_behind = reading(alone, back)
            gain = from_behind - reading(alone, side) if from_behind > 0 else 0.0  # nats; below 0 is no text, such as small print
        if cells:  # what shines through does not mind them; digits often look the same from behind
            to_cells = np.diag([*np.divide(cells.labels.shape, ink.shape)[::-1] * 2, 1.0])
            gain -= max(0.0, cell_odds(cells, found.boxes[fainter], to_cells))
        if gain < UPRIGHT:
            return ink
        return _without_faint(ink, found, faint, dark)
    return _without(ink, found, faint) if faint.any() else ink


def _without(ink: np.ndarray, found: Components, dropped: np.ndarray) -> np.ndarray:
    """The ink without some of its pieces, (M,) bool."""
    return _erase(ink, found, np.concatenate([[False], dropped])[found.labels])


def _erase(ink: np.ndarray, found: Components, lost: np.ndarray) -> np.ndarray:
    """The ink without the pixels `lost`, (h, w) bool, and the edges of the strokes there."""
    lost = grow(lost) & (lost | (found.labels == 0))
    return np.where(np.asarray(Image.fromarray(lost).resize(ink.shape[::-1], Image.Resampling.NEAREST)), 0, ink)


def _without_faint(ink: np.ndarray, found: Components, faint: np.ndarray, dark: np.ndarray) -> np.ndarray:
    """The ink without what is about as faint as some of its pieces, (M,) bool, also where it touches or crosses others.

    Args:
        dark: (h, w) uint8 contrast of the picture in which the pieces were found.
    """
    size = 2 * round(found.stroke / 2) + 1  # the edge of a stroke is as dark as its middle
    log = np.log(np.maximum(ndimage.maximum_filter(np.where(found.labels > 0, dark, 0), size), 1).astype(np.float32))
    of_faint, inked = np.concatenate([[False], faint])[found.labels], found.labels > 0
    between = (np.median(log[of_faint]) + np.median(log[inked & ~of_faint])) / 2
    return _erase(ink, found, inked & (log < between))


def part_inks(contrast: np.ndarray) -> float | None:
    """The value that parts two inks; None if all pieces are of one.

    Two normal distributions of the same spread must explain the values better than one, by the Bayesian information criterion
    (Schwarz 1978).

    Args:
        contrast: (N,) logarithm of the contrast of each large piece of ink.
    """
    values = np.sort(contrast)
    count = len(values)
    if count < 2 * FEW:
        return None
    places = np.arange(1, count - FEW + 1)  # pieces of the fainter ink

    def cost(*parts: np.ndarray) -> float:
        variance = sum(len(part) * part.var() for part in parts) / count + 0.05**2  # thin strokes are mostly edge
        return 0.5 * count * float(np.log(variance)) - sum(len(part) * np.log(len(part) / count) for part in parts)

    costs = [cost(values[:place], values[place:]) for place in places]
    best = int(np.argmin(costs))
    if costs[best] + np.log(count) > cost(values):  # a second mean, and a share
        return None
    return float(values[places[best] - 1 : places[best] + 1].mean())


def _from_behind(found: Components, faint: np.ndarray, dark: np.ndarray, model: Model) -> tuple[float, int, int]:
    """Log-odds by which the faint letters read better as they look from behind, the leaf turned over at its side or top, than as
    the dark ones stand; the side up of the dark ones; and that of the faint ones."""
    upright = int(np.argmax(sureness_of(found, spread(dark, SAMPLES[0]), np.arange(4), model) + PRIOR[:4]))
    sides = np.array([upright, 4 + -upright % 4, 4 + (2 - upright) % 4])
    as_they_stand, *from_behind = sureness_of(found, spread(faint, SAMPLES[1]), sides, model)
    best = int(np.argmax(from_behind))
    return from_behind[best] - as_they_stand, upright, int(sides[1 + best])


def _alone(found: Components, pieces: np.ndarray, faint: np.ndarray) -> np.ndarray:
    """The faint pieces that are no part of a character, and that no other of them follows."""

    def distances(others: np.ndarray) -> np.ndarray:
        a, b = found.boxes[faint][:, None], found.boxes[others][None]
        apart = np.maximum(np.maximum(a[..., :2] - b[..., 2:], b[..., :2] - a[..., 2:]), 0).max(-1)  # (F, N)
        return np.where(faint[:, None] == others[None], np.inf, apart).min(1)

    return faint[(distances(pieces) > BESIDE * found.height) & (distances(faint) > FARTHEST * found.height)]
