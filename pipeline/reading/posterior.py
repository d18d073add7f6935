"""Posterior: the probability of each character and word of a reading, given all other readings."""

import math
from collections import defaultdict

from pipeline.reading.search import Arc, Graph
from pipeline.reading.segment import Candidate

SAME = 0.5  # share of their union that two candidates at the same place have in common
LEAST = 1e-3  # least posterior of an alternative that is listed, and of a part of a word that is followed

Alternatives = tuple[tuple[str, float], ...]


def same_place(a: Candidate, b: Candidate) -> bool:
    """Whether two candidates are readings of the same ink, by their places along the line."""
    common = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    return common > SAME * (max(a.box[2], b.box[2]) - min(a.box[0], b.box[0]))


def character_posteriors(graph: Graph, path: list[Arc], candidates: list[Candidate], characters: str) -> list[Alternatives]:
    """For each character of the path the (text, posterior) of all characters at its place, the most probable first.

    The posterior is the sum over all readings with the character there, whatever their cuts.
    """
    mass: dict[tuple[int, int], float] = defaultdict(float)
    for nodes in graph.nodes:
        for node in nodes:
            for arc in node.arcs:
                if arc.candidate >= 0:
                    mass[arc.candidate, arc.label] += math.exp(node.forward + arc.score + arc.target.backward - graph.total)
    listed = []
    for chosen in path:
        here: dict[str, float] = defaultdict(float)
        for (candidate, label), share in mass.items():
            if share > LEAST / 10 and same_place(candidates[candidate], candidates[chosen.candidate]):
                here[characters[label]] += share
        listed.append(_ranked(here))
    return listed


def word_posteriors(graph: Graph, word: list[Arc], candidates: list[Candidate], characters: str) -> Alternatives:
    """The (text, posterior) of the words at the place of `word`, which is a part of the best path."""
    first, last = candidates[word[0].candidate], candidates[word[-1].candidate]
    prefixes: list[dict] = [defaultdict(float) for _ in graph.nodes]  # by position: (node, text, ends at the place) -> posterior
    found: dict[str, float] = defaultdict(float)

    def read(arc: Arc, text: str, share: float) -> None:
        candidate = candidates[arc.candidate]
        if share > LEAST / 10 and candidate.start <= last.end:
            prefixes[arc.target.position][arc.target, text + characters[arc.label], same_place(candidate, last)] += share

    for position, nodes in enumerate(graph.nodes):
        for node in nodes if position <= first.end else ():
            for arc in node.arcs:
                if arc.candidate >= 0 and (arc.space or node.edge is None) and same_place(candidates[arc.candidate], first):
                    read(arc, "", math.exp(node.forward + arc.score + arc.target.backward - graph.total))
        for (node, text, ends), share in prefixes[position].items():
            if ends and position == len(graph.nodes) - 1:
                found[text] += share
            for arc in node.arcs if share > LEAST / 10 else ():
                step = share * math.exp(arc.score + arc.target.backward - node.backward)
                if arc.candidate < 0:
                    prefixes[arc.target.position][arc.target, text, ends] += step
                elif not arc.space:
                    read(arc, text, step)
                elif ends:
                    found[text] += step
    return _ranked(found)


def _ranked(found: dict[str, float]) -> Alternatives:
    likely = [(text, min(share, 1.0)) for text, share in found.items() if share >= LEAST]
    return tuple(sorted(likely, key=lambda entry: (-entry[1], entry[0])))
