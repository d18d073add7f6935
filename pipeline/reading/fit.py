"""Fit: the weights of the lattice, by the conditional likelihood of the right readings of lines with known segmentation.

The gradient of log P(right | line) is the difference of the expected features over the right paths and over all paths
(Sarawagi & Cohen 2004, eq. 4). Several paths may be right, because a speck may be left out or not: their probabilities add up.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from pipeline.reading.lattice import Lattice
from pipeline.reading.line_model import NAMES, NEVER_GAINS, Weights
from pipeline.reading.search import Arc, Graph

SPREAD = 3.0  # nats; standard deviation of the prior about the first weights: a weight that no line depends on stays there


class Truth(NamedTuple):
    """The truth of a line, in terms of its lattice.

    Attributes:
        character: (N,) int, for each candidate the index of the character that it is; -1: it is not a character.
        label: (K,) int of the characters.
        space: (K,) bool, whether a word gap comes before each.
        spare: (A,) bool, atoms that may be left out.
    """

    character: np.ndarray
    label: np.ndarray
    space: np.ndarray
    spare: np.ndarray

    def is_right(self, arc: Arc) -> bool:
        """Whether an arc agrees with the truth of the line."""
        if arc.candidate < 0:
            return False
        index = int(self.character[arc.candidate])
        return index >= 0 and int(self.label[index]) == arc.label and bool(self.space[index]) == arc.space


class Chart(NamedTuple):
    """The M arcs of many lines with their features; the nodes of all lines are numbered together."""

    source: np.ndarray  # (M,)
    target: np.ndarray  # (M,)
    features: np.ndarray  # (M, F)
    right: np.ndarray  # (M,) bool
    level: np.ndarray  # (nodes,) int, arcs lead from lower to higher ones
    first: np.ndarray  # (lines,) node
    last: np.ndarray  # (lines,) node


def chart(lines: Sequence[tuple[Lattice, Graph, Truth]]) -> Chart:
    """All arcs of the lines whose graphs contain the right reading, and the number of these lines."""
    sources, targets, features, right, first, last = [], [], [], [], [], []
    levels: list[int] = []
    for lattice, graph, truth in lines:
        numbers = {id(node): len(levels) + i for i, node in enumerate(node for nodes in graph.nodes for node in nodes)}
        first.append(len(levels))
        levels += [node.position for nodes in graph.nodes for node in nodes]
        last.append(len(levels))
        levels.append(len(graph.nodes))
        for nodes in graph.nodes:
            for node in nodes:
                for arc in node.arcs:
                    sources.append(numbers[id(node)])
                    targets.append(numbers[id(arc.target)])
                    features.append(arc_features(lattice, node.position, arc))
                    right.append(truth.spare[node.position] if arc.candidate < 0 else truth.is_right(arc))
        for node, _, gain, _ in graph.ends:
            sources.append(numbers[id(node)])
            targets.append(last[-1])
            features.append([0.0] * (len(NAMES) - 1) + [gain])
            right.append(True)
    return Chart(*(np.array(part) for part in (sources, targets, features, right, levels, first, last)))


def arc_features(lattice: Lattice, position: int, arc: Arc) -> list[float]:
    """The features of an arc, (F,), in the order of the weights."""
    if arc.candidate < 0:
        skip, size, nothing, *cut = lattice.left_out[position]
        return [0.0] * 7 + [*cut, skip, size, nothing, 0.0, 0.0, 0.0]
    place = arc.candidate, arc.label
    return [
        lattice.shape[place],
        lattice.width[place],
        lattice.level[place],
        1.0,
        *lattice.pieces[arc.candidate],
        0.0,
        0.0,
        0.0,
        arc.gap,
        float(arc.space),
        arc.language,
    ]


class _Sums:
    """Forward-backward over the arcs of all lines at once, level by level."""

    def __init__(self, source: np.ndarray, target: np.ndarray, chart: Chart) -> None:
        self.source, self.target, self.chart = source, target, chart
        self.into = self._groups(target)
        self.out_of = self._groups(source)[::-1]

    def _groups(self, ends: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """For each level (arcs sorted by their end, where each end's begin, the ends)."""
        order = np.lexsort((ends, self.chart.level[ends]))
        cuts = np.flatnonzero(np.diff(self.chart.level[ends][order])) + 1
        groups = []
        for arcs in np.split(order, cuts):
            unique, begin = np.unique(ends[arcs], return_index=True)
            groups.append((arcs, begin, unique))
        return groups

    def __call__(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(lines,) logarithms of the sums of all paths, and (M,) the arcs' posteriors."""
        nodes = len(self.chart.level)
        forward, backward = np.full(nodes, -np.inf), np.full(nodes, -np.inf)
        forward[self.chart.first] = backward[self.chart.last] = 0.0
        for arcs, begin, ends in self.into:
            forward[ends] = np.logaddexp.reduceat(forward[self.source[arcs]] + scores[arcs], begin)
        for arcs, begin, starts in self.out_of:
            backward[starts] = np.logaddexp.reduceat(backward[self.target[arcs]] + scores[arcs], begin)
        total = forward[self.chart.last]
        line = np.searchsorted(self.chart.first, self.source, side="right") - 1
        return total, np.exp(forward[self.source] + scores + backward[self.target] - total[line])


def fit_weights(data: Chart, start: Weights) -> tuple[Weights, float]:
    """Find the weights that make the right readings most likely, by L-BFGS (Liu & Nocedal 1989).

    Returns:
        The weights, unchanged if there are no lines, and the mean log-likelihood of a line.
    """
    if not len(data.first):
        return start, 0.0
    every, right = _Sums(data.source, data.target, data), _Sums(data.source[data.right], data.target[data.right], data)
    first, lines = start.array(), len(data.first)

    def cost(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores = data.features @ weights
        total, posterior = every(scores)
        wanted, wanted_posterior = right(scores[data.right])
        off = weights - first
        gradient = wanted_posterior @ data.features[data.right] - posterior @ data.features
        value = float((wanted - total).sum()) - 0.5 * float(off @ off) / SPREAD**2
        return -value / lines, -(gradient - off / SPREAD**2) / lines

    bounds = [(None, 0.0 if name in NEVER_GAINS else None) for name in NAMES]
    best = minimize(cost, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200})
    return Weights(*(float(weight) for weight in best.x)), -float(best.fun)


def has_truth(graph: Graph, truth: Truth) -> bool:
    """Whether the graph contains a right reading."""
    reached = {id(graph.nodes[0][0])}
    for position, nodes in enumerate(graph.nodes[:-1]):
        for node in nodes:
            if id(node) in reached:
                for arc in node.arcs:
                    if truth.spare[position] if arc.candidate < 0 else truth.is_right(arc):
                        reached.add(id(arc.target))
    return any(id(end[0]) in reached for end in graph.ends)
