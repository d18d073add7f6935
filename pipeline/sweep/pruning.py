"""Which jobs of a sweep are not worth going on with."""

import statistics

FEWEST_PEERS = 3
"""Jobs that must have come as far before the median rule says anything."""


def is_hopeless(curve: list[float], others: list[list[float]]) -> bool:
    """The median rule: the best so far lies below the median of what the others had reached by the same epoch.

    Golovin et al. 2017, "Google Vizier", section 3.2.2, with the best so far in place of the running average.
    """
    peers = [max(other[: len(curve)]) for other in others if len(other) >= len(curve)]
    return len(peers) >= FEWEST_PEERS and max(curve) < statistics.median(peers)
