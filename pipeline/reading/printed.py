"""Print: mark the words that were read and are printed."""

from dataclasses import replace

import numpy as np

from pipeline.reading.page import Line, Page, whole


def mark_print(page: Page, ink: np.ndarray, printed: np.ndarray) -> Page:
    """The page; words with more print than writing are marked.

    Args:
        ink, printed: (H, W) bool, in a frame of the photo's, larger or smaller.
    """
    height, width = ink.shape
    across, down = width / page.width, height / page.height

    def is_print(box: tuple[float, float, float, float]) -> bool:
        x0, y0, x1, y1 = whole((box[0] * across, box[1] * down, box[2] * across, box[3] * down))
        inside = ink[y0:y1, x0:x1]
        return bool(2 * printed[y0:y1, x0:x1][inside].sum() > inside.sum())

    lines = [Line([replace(word, printed=is_print(word.box)) for word in line.words]) for line in page.lines]
    return replace(page, lines=lines)
