"""Search: all likely readings of a line, by beam search over its lattice and the language, and their posteriors.

The language model remembers all of the text before a character, so that an exact sum over all readings is not feasible. The
search expands the lattice by the states of the model, merges hypotheses with the same last characters, and keeps the best of each
position and all arcs between them. Forward-backward (Baum 1970) over this pruned graph gives the posteriors, as in the rescoring
of speech lattices. Pruned hypotheses, which were MARGIN nats behind or outside of the beam, count as impossible.

A list of words lends a token what it gains as one of its words, and takes it back if the token turns out to be another one. So
a hypothesis that has paid back competes with others without what these still owe; otherwise those that leave ink out, and pay
later, would drive it out of the beam.
"""

import math
from typing import Any, NamedTuple

from pipeline.reading.constraint import Constraint
from pipeline.reading.kinds import END
from pipeline.reading.language import Language, State, log_add
from pipeline.reading.lattice import STEP, Lattice, score_gaps, score_labels, score_skips
from pipeline.reading.line_model import LineModel

MARGIN = 9.0  # nats; hypotheses further behind the best one of the same ink are pruned: they have a share of less than 1e-4
MEMORY = 5  # last characters by which hypotheses differ, about as many as the language model looks back


class Arc(NamedTuple):
    """A step from one node to another: a character with the gap before it, or an atom left out (`candidate` -1).

    Attributes:
        space: whether a word gap comes before it.
        gap: log-probability that the gap is one between words, or within one, as the step takes it.
        language: gain of the language model.
    """

    target: "Node"
    score: float
    candidate: int
    label: int
    space: bool
    gap: float
    language: float


class Node:
    """Readings of the first `position` atoms that the search does not distinguish."""

    __slots__ = ("position", "state", "allowed", "edge", "forward", "backward", "best", "back", "arcs")

    def __init__(self, position: int, state: State, allowed: Any, edge: int | None) -> None:
        self.position, self.state, self.allowed = position, state, allowed
        self.edge = edge  # the end of the last character; None if there is none
        self.forward = self.best = self.backward = -math.inf  # logarithms of sums; best: of the best path
        self.back: tuple[Node, Arc] | None = None
        self.arcs: list[Arc] = []


class Graph(NamedTuple):
    """The readings of a line that were kept.

    Attributes:
        nodes: by position; nodes without arcs were pruned.
        ends: nodes after all atoms, with the score of ending there, the share of the language in it, and its state.
        total: log of the sum of all readings.
    """

    nodes: list[list[Node]]
    ends: list[tuple[Node, float, float, State]]
    total: float


def search(
    lattice: Lattice,
    model: LineModel,
    start: State,
    language: Language,
    language_weight: float,
    beam: int,
    constraint: Constraint | None = None,
) -> Graph:
    """Expand the lattice; `language_weight` multiplies the fitted weight, and `start` is the state after the lines before."""
    return _Search(lattice, model, language, language_weight, beam, constraint).run(start)


class _Start(NamedTuple):
    """The beginning of a character: the gap before it, the gain of the language, and the states before it."""

    space: bool
    gap: float
    gain: float
    state: State
    allowed: Any


class _Search:
    def __init__(
        self,
        lattice: Lattice,
        model: LineModel,
        language: Language,
        language_weight: float,
        beam: int,
        constraint: Constraint | None,
    ) -> None:
        self.lattice, self.characters, self.weights = lattice, model.characters, model.weights
        self.language, self.language_weight = language, model.weights.language * language_weight
        self.most = self.language_weight * language.most
        self.beam, self.constraint = beam, constraint
        self.skips = score_skips(lattice, model.weights)
        self.within, self.between = score_gaps(lattice)
        self.starting: list[list[tuple[int, int, list[tuple[int, float]]]]] = [[] for _ in lattice.atoms]
        for index, (candidate, labels) in enumerate(zip(lattice.candidates, score_labels(lattice, model.weights))):
            if labels:
                self.starting[candidate.start].append((index, candidate.end, labels))
        self.reached: list[dict] = [{} for _ in range(len(lattice.atoms) + 1)]
        self.leading = [-math.inf] * len(self.reached)
        self.earned = [-math.inf] * len(self.reached)  # the best score without what the language lends

    def run(self, start: State) -> Graph:
        origin = Node(0, start, self.constraint.start() if self.constraint else None, None)
        origin.forward = origin.best = 0.0
        self.reached[0][self._key(origin.state, origin.allowed)] = origin
        for position, atom in enumerate(self.lattice.atoms):
            for node in self._kept(list(self.reached[position].values())):
                self._leave_out(node)
                self._read(node, atom, self.leading[position] - MARGIN)
        return self._close([list(nodes.values()) for nodes in self.reached])

    def _kept(self, nodes: list[Node]) -> list[Node]:
        """The best of the nodes of a position, and those that are the best without what the language lends."""
        best = sorted(nodes, key=lambda node: -node.forward)[: self.beam]
        kept = [node for node in best if node.forward > best[0].forward - MARGIN]
        if self.language.lends:
            earned = {node: node.forward - self._owed(node.state) for node in nodes}
            best = sorted(nodes, key=lambda node: -earned[node])[: self.beam]
            kept += [node for node in best if earned[node] > earned[best[0]] - MARGIN and node not in kept]
        return kept

    def _owed(self, state: State) -> float:
        return self.language_weight * self.language.unearned(state)

    @staticmethod
    def _key(state: State, allowed: Any) -> tuple:
        return (END + state.text)[-MEMORY - 1 :], allowed

    def _offer(
        self, source: Node, position: int, state: State, allowed: Any, edge: int | None, score: float, step: tuple
    ) -> None:
        nodes, key = self.reached[position], self._key(state, allowed)
        target = nodes.get(key)
        if target is None:
            target = nodes[key] = Node(position, state, allowed, edge)
        arc = Arc(target, score, *step)
        source.arcs.append(arc)
        if source.best + score > target.best:
            target.best, target.back = source.best + score, (source, arc)
            target.state, target.edge = state, edge
        target.forward = log_add(target.forward, source.forward + score)
        if target.forward > self.leading[position]:
            self.leading[position] = target.forward
        if self.language.lends:
            self.earned[position] = max(self.earned[position], target.forward - self._owed(target.state))

    def _leave_out(self, node: Node) -> None:
        skipped = -1, -1, False, 0.0, 0.0
        self._offer(node, node.position + 1, node.state, node.allowed, node.edge, self.skips[node.position], skipped)

    def _read(self, node: Node, atom: Any, least: float) -> None:
        """Offer all characters that begin at the atom, after a gap within a word or between words."""
        for space, gap, allowed in self._gaps(node, atom):
            gain = self.language.gain(node.state, END) if space else 0.0
            base = self.weights.gap * gap + self.weights.space * space + self.language_weight * gain
            if node.forward + base < least and not self.language.lends:
                continue
            before = self.language.advance(node.state, END) if space else node.state
            self._characters(node, _Start(space, gap, gain, before, allowed), base)

    def _characters(self, node: Node, start: "_Start", base: float) -> None:
        """Offer the characters that begin here and whose score, with the language, is not too far behind the best."""
        gains: dict[int, float] = {}
        states: dict[int, tuple[State, Any]] = {}
        for index, end, labels in self.starting[node.position]:
            floor = self.leading[end] - MARGIN - node.forward - base
            lowest = min(floor, self.earned[end] - MARGIN - node.forward - base) if self.language.lends else floor
            edge = self.lattice.candidates[index].box[2]
            for label, score in labels:
                if score + self.most < lowest:
                    break
                if label not in gains:
                    gains[label] = self._gain(start, self.characters[label])
                gained = score + self.language_weight * gains[label]
                if gains[label] == -math.inf or gained <= lowest:  # not allowed, or behind
                    continue
                if label not in states:
                    states[label] = self._after(start, self.characters[label])
                if gained <= floor and gained - self._owed(states[label][0]) <= lowest:
                    continue
                total = base + gained
                step = index, label, start.space, start.gap, start.gain + gains[label]
                self._offer(node, end, *states[label], edge, total, step)

    def _gain(self, start: "_Start", character: str) -> float:
        if self.constraint and self.constraint.step(start.allowed, character) is None:
            return -math.inf
        return self.language.gain(start.state, character)

    def _after(self, start: "_Start", character: str) -> tuple[State, Any]:
        allowed = self.constraint.step(start.allowed, character) if self.constraint else None
        return self.language.advance(start.state, character), allowed

    def _gaps(self, node: Node, atom: Any) -> list[tuple[bool, float, Any]]:
        """The gaps that may be before the atom: whether it separates words, its log-probability, the state of the constraint."""
        if node.edge is None:
            return [(False, 0.0, node.allowed)]
        wide = max(0, atom.box[0] - node.edge) / self.lattice.height
        at = -1 if atom.crossed is not None and wide < STEP else min(int(wide / STEP), len(self.within) - 2)
        parted = self.constraint.step(node.allowed, END) if self.constraint else node.allowed
        if self.constraint and parted is None:
            return [(False, 0.0, node.allowed)]  # it does not separate words, however wide it is
        return [(False, self.within[at], node.allowed), (True, self.between[at], parted)]

    def _close(self, nodes: list[list[Node]]) -> Graph:
        """End the line, and sum backwards."""
        ends, total = [], -math.inf
        for node in nodes[-1]:
            if self.constraint and not self.constraint.accepts(node.allowed):
                continue
            gain, state = 0.0, node.state
            if node.edge is not None:
                gain, state = self.language.gain(node.state, END), self.language.advance(node.state, END)
            node.backward = self.language_weight * gain
            ends.append((node, node.backward, gain, state))
            total = log_add(total, node.forward + node.backward)
        for here in reversed(nodes[:-1]):
            for node in here:
                for arc in node.arcs:
                    node.backward = log_add(node.backward, arc.score + arc.target.backward)
        return Graph(nodes, ends, total)


def best_path(graph: Graph) -> tuple[list[Arc], State]:
    """The best reading, with the atoms left out, and the state of the language after it; the graph must have ends."""
    node, _, _, state = max(graph.ends, key=lambda end: end[0].best + end[1])
    path = []
    while node.back is not None:
        node, arc = node.back
        path.append(arc)
    return path[::-1], state
