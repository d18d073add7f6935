"""Geometry: how large each character is and where it stands in its line, which alone tells - from _ and , from '."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.reading.layout import Components, Line

NEAR = 3  # tall pieces on either side whose feet give the line's foot there: lines are wavy
FEW = 4  # samples of all characters that the shape of a class's own spread counts as
ROUNDS = 8  # of expectation maximisation, of one number


class Frame(NamedTuple):
    """Where a line stands: `height` of its letters in pixels, and its foot, y at the points x."""

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


def find_frame(found: Components, line: Line) -> Frame:
    """The frame of a line: the feet of its tall pieces, each the median of its neighbours'."""
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
    """Normal distributions of what `Frame.place` gives, for C classes and for any piece of ink, and the share of odd ones.

    Attributes:
        means: (C + 1, 3), the last of any piece of ink.
        precisions: (C + 1, 3, 3), inverse covariances.
        odd: share of characters that are no likelier of their class's size than any piece of ink is.
    """

    means: np.ndarray
    precisions: np.ndarray
    odd: float

    def log_ratios(self, places: np.ndarray) -> np.ndarray:
        """(N, C) log-likelihood of (N, 3) places for each class against that for any piece of ink; at least log `odd`."""
        offsets = places[:, None] - self.means  # (N, C + 1, 3)
        squares = np.einsum("nci,cij,ncj->nc", offsets, self.precisions, offsets)
        log = 0.5 * (np.linalg.slogdet(self.precisions)[1] - squares)
        return np.logaddexp(np.log1p(-self.odd) + log[:, :-1] - log[:, -1:], np.log(self.odd))


def fit_geometry(places: np.ndarray, labels: np.ndarray, pieces: np.ndarray, classes: int) -> Geometry:
    """Fit the normals to (N, 3) places of characters with their labels (N,), and to those of any pieces of ink, (M, 3).

    A class of few samples is given the spread of all.
    """
    own = [places[labels == label] for label in range(classes)]
    centres = np.array([np.median(part, axis=0) if len(part) else np.median(places, axis=0) for part in own])
    pooled = _spread(places - centres[labels])
    spreads = []
    for part, centre in zip(own, centres):
        share = len(part) / (len(part) + FEW)
        spreads.append(share * _spread(part - centre) + (1 - share) * pooled if len(part) > FEW else pooled)
    means = np.vstack([centres, pieces.mean(axis=0)])
    precisions = np.linalg.inv(np.array([*spreads, np.cov(pieces.T)]))
    sharp = Geometry(means, precisions, 1e-9).log_ratios(places)[np.arange(len(labels)), labels]
    odd = 0.1
    for _ in range(ROUNDS):
        odd = float(np.mean(odd / (odd + (1 - odd) * np.exp(sharp))))
    return Geometry(means, precisions, max(odd, 1e-3))


def _spread(offsets: np.ndarray) -> np.ndarray:
    """(3, 3) covariance of (N, 3) offsets, those far out cut off, and never singular."""
    limit = 3 * np.quantile(np.abs(offsets), 0.8, axis=0)
    cut = np.clip(offsets, -limit, limit)
    return cut.T @ cut / len(cut) + 0.03**2 * np.eye(3)  # nothing in a line is even to less than 3 % of a letter
