"""Figures: the only package that uses matplotlib. Each function draws one figure from plain arrays; `save` writes it."""

from matplotlib.figure import Figure

from pipeline.figures.learning import learning_curves, linear_cost, weight_pictures
from pipeline.figures.mistakes import accuracy_coverage, confused_pairs, confusion, reliability
from pipeline.figures.style import save
from pipeline.figures.sweeps import compared_curves, heat_maps, main_effects, parallel_coordinates, seed_spread
from pipeline.figures.theory import activations, per_layer

__all__ = [
    "Figure",
    "accuracy_coverage",
    "activations",
    "compared_curves",
    "confused_pairs",
    "confusion",
    "heat_maps",
    "learning_curves",
    "linear_cost",
    "main_effects",
    "parallel_coordinates",
    "per_layer",
    "reliability",
    "save",
    "seed_spread",
    "weight_pictures",
]
