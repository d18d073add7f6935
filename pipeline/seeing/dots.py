"""Dots: those of a dot grid or of a dotted rule, which lie as far apart as their neighbours do; a full stop does not."""

import numpy as np
from scipy import ndimage

from pipeline.common.pixels import PAPER

SMALL = 0.3  # letter heights; sides of a dot
MANY = 40  # dots; fewer are no pattern: nobody writes as many full stops on a page
SAME = 0.12  # of the usual distance; by which those of a grid differ in a photo that is not quite level
ALONG = 0.7  # cosine of four times the angle, 11 degrees, by which the way to a neighbour differs from the grid's directions
REGULAR = 0.6  # share of the dots with two neighbours at that distance: of dots at random places one in twenty has them


def find_dots(kinds: np.ndarray, height: float) -> np.ndarray:
    """(h, w) bool, the dots of a dot grid or of dotted rules.

    Args:
        kinds: (K, h, w) probabilities of the kinds of pixels.
        height: of a letter, in pixels.
    """
    pieces, count = ndimage.label(kinds[PAPER] < 0.5, np.ones((3, 3), bool))
    small = [
        (number, (y.start + y.stop) / 2, (x.start + x.stop) / 2)
        for number, (y, x) in enumerate(ndimage.find_objects(pieces), 1)
        if max(y.stop - y.start, x.stop - x.start) < SMALL * height
    ]
    none = np.zeros(pieces.shape, bool)
    if len(small) < MANY:
        return none
    from scipy.spatial import cKDTree  # not above: it takes 0.1 s, and few pages have dots

    numbers, *middles = np.array(small).T
    tree = cKDTree(np.stack(middles, axis=1))
    usual = float(np.median(tree.query(tree.data, k=2)[0][:, 1]))
    pairs = tree.query_pairs((1 + SAME) * usual, output_type="ndarray")
    ways = np.diff(tree.data[pairs], axis=1)[:, 0] @ [1, 1j]  # from one dot to another, as complex numbers
    turned = np.exp(4j * np.angle(ways))  # the same for the four directions of a grid
    usual_turn = np.exp(1j * np.angle(turned.sum()))
    regular = (np.abs(ways) > (1 - SAME) * usual) & ((turned * usual_turn.conj()).real > ALONG)
    neighbours = np.bincount(pairs[regular].ravel(), minlength=len(small))
    if (neighbours >= 2).mean() < REGULAR:
        return none
    dots = np.zeros(count + 1, bool)
    dots[numbers[neighbours >= 1].astype(int)] = True
    return dots[pieces]
