"""Print: mark the words that were read and are printed."""

from dataclasses import replace

import numpy as np

from pipeline.reading.page import Line, whole
from pipeline.reading.straighten import to_photo_box


def mark_print(lines: list[Line], ink: np.ndarray, printed: np.ndarray, from_photo: np.ndarray) -> list[Line]:
    """The lines, in the photo; words with more print than writing are marked.

    Args:
        ink, printed: (H, W) bool.
        from_photo: (3, 3), takes (x, y, 1) of the photo to their pixels, up to scale.
    """

    def is_print(box: tuple[float, float, float, float]) -> bool:
        x0, y0, x1, y1 = whole(to_photo_box(box, from_photo, *ink.shape[::-1]))
        inside = ink[y0:y1, x0:x1]
        return bool(2 * printed[y0:y1, x0:x1][inside].sum() > inside.sum())

    return [Line([replace(word, printed=is_print(word.box)) for word in line.words]) for line in lines]
