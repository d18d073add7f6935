"""Damage bytes at random, in the ways that hurt parsers most."""

import numpy as np

EDGES = (
    [bytes(n) for n in (1, 2, 4, 8)]
    + [b"\xff" * n for n in (1, 2, 4, 8)]
    + [
        value.to_bytes(4, order)
        for value in (1, 0x7F, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000)
        for order in ("big", "little")
    ]
)
"""Sizes and counts at the ends of their ranges."""


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` after one to six random damages; half of them near the start, where headers are."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 7))):
        at = _position(len(changed), rng)
        length = int(rng.integers(1, 33))
        match rng.integers(8):
            case 0 if changed:
                changed[at] ^= 1 << int(rng.integers(8))
            case 1:
                changed[at : at + length] = rng.bytes(length)
            case 2 | 3:
                edge = EDGES[rng.integers(len(EDGES))]
                changed[at : at + len(edge)] = edge
            case 4:
                del changed[at:]
            case 5:
                del changed[at : at + length]
            case 6:
                changed[at:at] = changed[at : at + length]
            case 7:
                source = _position(len(changed), rng)
                changed[at : at + length] = changed[source : source + length]
    return bytes(changed)


def _position(size: int, rng: np.random.Generator) -> int:
    return int(rng.integers(min(size, 256) if rng.random() < 0.5 else size)) if size else 0
