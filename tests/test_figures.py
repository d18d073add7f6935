"""Figures: what a reader must be able to tell apart."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from pipeline.characters.alphabet import ALPHANUMERIC, NOTHING, SIGNS
from pipeline.figures.mistakes import confusion


def test_labels_of_a_large_confusion_matrix_do_not_touch():
    names = [*ALPHANUMERIC, *SIGNS, NOTHING]
    figure = confusion(np.eye(len(names), dtype=int), names, "title")
    FigureCanvasAgg(figure).draw()
    axis = figure.axes[0]
    for labels in (axis.get_xticklabels(), axis.get_yticklabels()):
        boxes = [label.get_window_extent() for label in labels]
        assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
