"""Many characters in one picture: a row a class."""

import numpy as np

from pipeline.characters import SIZE
from pipeline.characters.dataset import Characters


def contact_sheet(characters: Characters, classes: int, columns: int = 24) -> np.ndarray:
    """The first `columns` samples of every class as one image (classes * SIZE, columns * SIZE) uint8, bright ink on dark."""
    sheet = np.zeros((classes * SIZE, columns * SIZE), np.uint8)
    for label in range(classes):
        own = characters.images[characters.labels == label][:columns]
        if len(own):
            sheet[label * SIZE : (label + 1) * SIZE, : len(own) * SIZE] = np.hstack(list(own))
    return sheet
