"""The stroke library: skeletons of characters by many hands, in one `.npz` without pickled objects.

Coordinates are (x, y) with y down, 0 at the top of a capital and 1 on the line it stands on.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pipeline.common.arrays import load_arrays, save_arrays
from pipeline.common.errors import DataError
from pipeline.synthesis.skeletons import Skeletons, make_skeletons

SPLITS = ("train", "valid", "test")
VARIANTS = "variants"
"""Name and split of the variants: shapes that any hand of the training split may write."""
UNIT = 1000  # steps of a stored coordinate in the height of a capital
KEYS = ("hands", "splits", "licences", "points", "strokes", "glyphs", "glyph_hand", "glyph_character", "glyph_lower")


@dataclass(frozen=True)
class Glyph:
    """One way to write one character.

    Attributes:
        hand: index of its hand.
        character: the character that it stands for.
        lower: whether it has the shape of the lower-case letter.
        strokes: arrays (K, 2) of float64 points.
    """

    hand: int
    character: str
    lower: bool
    strokes: list[np.ndarray]


class StrokeLibrary:
    """Glyphs by hand and character.

    Attributes:
        hands: names of the H hands.
        splits: for each hand one of `SPLITS`, or `VARIANTS`.
        licences: for each hand the licence of its font.
        glyphs: of all hands.
    """

    def __init__(self, hands: list[str], splits: list[str], licences: list[str], glyphs: list[Glyph]) -> None:
        self.hands, self.splits, self.licences, self.glyphs = hands, splits, licences, glyphs
        self._index: dict[tuple[int, str, bool], list[int]] = {}
        self.variants = hands.index(VARIANTS) if VARIANTS in hands else None  # index as a hand
        for number, glyph in enumerate(glyphs):
            self._index.setdefault((glyph.hand, glyph.character, glyph.lower), []).append(number)

    def find(self, hand: int, character: str, lower: bool = False) -> list[int]:
        """Indices of the glyphs of one hand for one character; may be empty."""
        return self._index.get((hand, character, lower), [])

    def hands_of(self, split: str) -> list[int]:
        """Indices of the hands of a split."""
        return [hand for hand, own in enumerate(self.splits) if own == split]

    @cached_property
    def skeletons(self) -> Skeletons:
        """The strokes of all glyphs in the form that the generator bends."""
        return make_skeletons([glyph.strokes for glyph in self.glyphs])

    def shapes(self, split: str, character: str) -> tuple[np.ndarray, np.ndarray]:
        """Glyphs (K,) of a character by the hands of a split, and for each the lower-case glyph (K,) of its hand, or -1."""
        pairs = [
            (glyph, lower)
            for hand in self.hands_of(split)
            for lower in (self.find(hand, character, lower=True) or [-1])[:1]
            for glyph in self.find(hand, character)
        ]
        capitals, lowers = np.array(pairs, np.int64).reshape(-1, 2).T
        return capitals, lowers

    def rare_shapes(self, character: str) -> np.ndarray:
        """Glyphs (K,) of the rarer shapes of a character, which any hand of the training split may write."""
        return np.array([] if self.variants is None else self.find(self.variants, character), np.int64)


def save_library(path: Path, hands: list[str], splits: list[str], licences: list[str], glyphs: list[Glyph]) -> None:
    """Write the library; the same content gives the same bytes."""
    strokes = [np.rint(np.clip(stroke, -30, 30) * UNIT).astype(np.int16) for glyph in glyphs for stroke in glyph.strokes]
    save_arrays(
        path,
        {
            "hands": np.array(hands),
            "splits": np.array(splits),
            "licences": np.array(licences),
            "points": np.concatenate(strokes),  # (P, 2)
            "strokes": np.cumsum(
                [0] + [len(s) for s in strokes], dtype=np.int32
            ),  # stroke i is points[strokes[i]:strokes[i + 1]]
            "glyphs": np.cumsum([0] + [len(g.strokes) for g in glyphs], dtype=np.int32),  # and the same one level up
            "glyph_hand": np.array([g.hand for g in glyphs], np.int16),
            "glyph_character": np.array([g.character for g in glyphs], "U1"),
            "glyph_lower": np.array([g.lower for g in glyphs], bool),
        },
    )


def load_library(path: Path) -> StrokeLibrary:
    """Read a stroke library.

    Raises:
        DataError: the file is missing, damaged, or not a stroke library.
    """
    if not Path(path).exists():
        raise DataError(f"{path}: no stroke library here; fetch it with `dvc pull` or build it with scripts/build_strokes.py")
    arrays = load_arrays(path, list(KEYS))
    try:
        return _assemble(arrays)
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        raise DataError(f"{path}: not a stroke library ({error}); fetch it again with `dvc pull`") from None


def _assemble(arrays: dict[str, np.ndarray]) -> StrokeLibrary:
    hands, splits, licences = (arrays[key].tolist() for key in ("hands", "splits", "licences"))
    points = arrays["points"].astype(np.float64) / UNIT
    strokes = [points[a:b] for a, b in zip(arrays["strokes"][:-1], arrays["strokes"][1:])]
    bounds = arrays["glyphs"]
    glyph_hand, characters, glyph_lower = (arrays[key] for key in ("glyph_hand", "glyph_character", "glyph_lower"))
    glyphs = [
        Glyph(int(hand), str(character), bool(lower), strokes[a:b])
        for hand, character, lower, a, b in zip(glyph_hand, characters, glyph_lower, bounds[:-1], bounds[1:])
    ]
    sound = (
        points.ndim == 2
        and points.shape[1] == 2
        and len(hands) == len(splits) == len(licences)
        and set(SPLITS) <= set(splits) <= {*SPLITS, VARIANTS}
        and len(glyphs) == len(glyph_hand) == len(glyph_lower)
        and all(0 <= g.hand < len(hands) and len(g.character) == 1 and g.strokes for g in glyphs)
        and all(len(stroke) for stroke in strokes)
    )
    if not sound:
        raise ValueError("arrays do not fit together")
    return StrokeLibrary(hands, splits, licences, glyphs)
