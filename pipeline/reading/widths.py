"""Widths: how wide each character is, beside the others of its hand."""

import numpy as np

from pipeline.characters import CLASSES

# (36,) medians over the hands of the stroke library, of the median width of a hand's characters other than 1 and I
WIDTHS = np.array(
    [
        0.92,
        0.44,
        0.89,
        0.89,
        0.86,
        0.88,
        0.87,
        0.83,
        0.87,
        0.82,  # 0-9
        1.13,
        0.99,
        1.06,
        1.05,
        0.94,
        0.92,
        1.11,
        1.04,
        0.49,
        0.90,
        1.05,
        0.85,
        1.38,  # A-M
        1.09,
        1.06,
        0.95,
        1.18,
        1.03,
        0.97,
        1.09,
        1.04,
        1.05,
        1.55,
        1.12,
        1.01,
        1.02,
    ]
)  # N-Z
SPREAD = np.where([character in "1I" for character in CLASSES], 0.6, 0.22)  # of their logarithm; 1 and I may have serifs
TAIL = 4.0  # degrees of freedom of Student's t: an odd width is unlikely, but never impossible


def width_costs(width: float) -> np.ndarray:
    """(36,) costs in nats of each class for what is `width` usual widths wide; 0 for the width that the class mostly has."""
    return (TAIL + 1) / 2 * np.log1p((np.log(width / WIDTHS) / SPREAD) ** 2 / TAIL)
