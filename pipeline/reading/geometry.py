"""Geometry: the size of each character and its place in the line, without which - and _, or , and ' look the same."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.reading.layout import Components, Row

NEAR = 3  # tall pieces on each side whose feet give the foot of the line at a point: lines are wavy
FEW = 4  # samples; weight of the spread of all characters against that of a single class
ROUNDS = 8  # of expectation maximisation, of one number
WIDTH, LEVEL = slice(0, 1), slice(1, 3)  # of what `Frame.place` gives


class Frame(NamedTuple):
    """The place of a line: `height` of its letters in pixels, and its foot, `y` at the points `x`."""

    height: float
    xs: np.ndarray
    feet: np.ndarray

    def place(self, boxes: np.ndarray, width: float) -> np.ndarray:
        """(N, 3) of (N, 4) boxes: logarithm of the width in usual ones; top and bottom in letter heights above the foot.

        Args:
            width: usual width of a character on the page, in letter heights.
        """
        boxes = np.asarray(boxes, float).reshape(-1, 4)
        foot = np.interp((boxes[:, 0] + boxes[:, 2]) / 2, self.xs, self.feet)
        wide = np.log((boxes[:, 2] - boxes[:, 0]) / (self.height * width))
        return np.stack([wide, (foot - boxes[:, 1]) / self.height, (foot - boxes[:, 3]) / self.height], axis=1)


def find_frame(found: Components, line: Row) -> Frame:
    """The frame of a line: its foot at each tall piece is the median of the feet of that piece and its neighbours."""
    boxes = found.boxes[line.pieces]
    tall = boxes[boxes[:, 3] - boxes[:, 1] > 0.6 * line.height]
    tall = tall if len(tall) else boxes
    xs = (tall[:, 0] + tall[:, 2]) / 2
    order = np.argsort(xs)
    xs, bottoms = xs[order], tall[order, 3].astype(float)
    feet = np.array([np.median(bottoms[max(0, i - NEAR) : i + NEAR + 1]) for i in range(len(xs))])
    return Frame(line.height, xs, feet)


@dataclass
class Geometry:
    """Normal distributions of what `Frame.place` returns, for C classes and for any piece of ink, and the share of outliers.

    Attributes:
        means: (C + 1, 3), the last one for any piece of ink.
        covariances: (C + 1, 3, 3).
        odd: (2,) share of outliers, characters whose width, or height and level, are distributed as those of any ink.
    """

    means: np.ndarray
    covariances: np.ndarray
    odd: np.ndarray

    def log_ratios(self, places: np.ndarray) -> np.ndarray:
        """(2, N, C) log-likelihood of (N, 3) places for each class against that for any piece of ink; at least log `odd`.

        The first row is for the widths, which differ from hand to hand, the second for top and bottom, which tell signs apart.
        """
        return np.stack([self._ratios(places, part, odd) for part, odd in zip((WIDTH, LEVEL), self.odd)])

    def _ratios(self, places: np.ndarray, part: slice, odd: float) -> np.ndarray:
        precisions = np.linalg.inv(self.covariances[:, part, part])
        offsets = (places[:, None] - self.means)[:, :, part]  # (N, C + 1, 1 or 2)
        squares = np.einsum("nci,cij,ncj->nc", offsets, precisions, offsets)
        log = 0.5 * (np.linalg.slogdet(precisions)[1] - squares)
        return np.logaddexp(np.log1p(-odd) + log[:, :-1] - log[:, -1:], np.log(odd))


def fit_geometry(places: np.ndarray, labels: np.ndarray, pieces: np.ndarray, classes: int) -> Geometry:
    """Fit the normals to (N, 3) places of characters with their labels (N,), and to those of any pieces of ink, (M, 3).

    The spread of a class with few samples is close to that of all characters.
    """
    own = [places[labels == label] for label in range(classes)]
    centres = np.array([np.median(part, axis=0) if len(part) else np.median(places, axis=0) for part in own])
    pooled = _spread(places - centres[labels])
    spreads = []
    for part, centre in zip(own, centres):
        share = len(part) / (len(part) + FEW)
        spreads.append(share * _spread(part - centre) + (1 - share) * pooled if len(part) > FEW else pooled)
    means = np.vstack([centres, pieces.mean(axis=0)])
    covariances = np.array([*spreads, np.cov(pieces.T)])
    sharp = Geometry(means, covariances, np.full(2, 1e-9)).log_ratios(places)[:, np.arange(len(labels)), labels]  # (2, N)
    odd = np.full((2, 1), 0.1)
    for _ in range(ROUNDS):
        odd = np.mean(odd / (odd + (1 - odd) * np.exp(sharp)), axis=1, keepdims=True)
    return Geometry(means, covariances, np.maximum(odd[:, 0], 1e-3))


def _spread(offsets: np.ndarray) -> np.ndarray:
    """(3, 3) covariance of (N, 3) offsets, those far out cut off, and never singular."""
    limit = 3 * np.quantile(np.abs(offsets), 0.8, axis=0)
    cut = np.clip(offsets, -limit, limit)
    return cut.T @ cut / len(cut) + 0.03**2 * np.eye(3)  # no hand is more even than 3 % of a letter
