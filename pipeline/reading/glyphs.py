"""Glyphs: pictures of the candidates, and the probabilities of their classes."""

from typing import Protocol

import numpy as np
from PIL import Image

from pipeline.characters.alphabet import Alphabet
from pipeline.characters.normalise import normalise_all
from pipeline.nn.network import to_input
from pipeline.reading.layout import Components
from pipeline.reading.segment import Atom, Candidate

GLYPH = 48  # pixels; side of the picture in which a candidate is thickened
INNER = 40  # pixels; larger side of the candidate in that picture
PEN = 0.10  # share of the larger side; thin strokes are thickened to this width
THICK = 0.20  # the same; the strokes of a marker are thinned to less than this


class Model(Protocol):
    """Anything that classifies characters."""

    @property
    def alphabet(self) -> Alphabet:
        """The characters that its outputs stand for."""
        ...

    def predict(self, x: np.ndarray) -> np.ndarray:
        """(N, 1024) float32 -> (N, K) probabilities of the alphabet's classes."""
        ...


def classify(glyphs: np.ndarray, model: Model) -> np.ndarray:
    """(N, H, W) uint8 pictures -> (N, K) probabilities."""
    return model.predict(to_input(normalise_all(glyphs))) if len(glyphs) else np.zeros((0, model.alphabet.classes), np.float32)


def classify_lines(
    found: Components,
    atoms: list[list[Atom]],
    candidates: list[list[Candidate]],
    model: Model,
    known: list[dict[tuple[int, int], np.ndarray]],
) -> list[np.ndarray]:
    """Probabilities (N, K) of the candidates of each line, all classified at once.

    Args:
        known: for each line (start, end) -> probabilities (K,) of candidates that are already classified.
    """
    fresh = [[c for c in chosen if (c.start, c.end) not in read] for chosen, read in zip(candidates, known)]
    glyphs = [draw_glyphs(found, line, chosen) for line, chosen in zip(atoms, fresh)]
    rows = iter(classify(np.concatenate(glyphs), model))
    return [
        np.array([read[c.start, c.end] if (c.start, c.end) in read else next(rows) for c in chosen])
        for chosen, read in zip(candidates, known)
    ]


def draw_glyphs(found: Components, atoms: list[Atom], candidates: list[Candidate]) -> np.ndarray:
    """Pictures of the candidates, their strokes as wide as those that the classifier was trained on.

    Returns:
        (N, GLYPH, GLYPH) uint8, bright ink, each scaled to the same larger side.
    """
    glyphs = np.zeros((len(candidates), GLYPH, GLYPH), np.uint8)
    thin = np.zeros(len(candidates))
    for i, candidate in enumerate(candidates):
        x0, y0, x1, y1 = candidate.box
        part = found.labels[y0:y1, x0:x1]
        ink = np.zeros_like(part, bool)
        for atom in atoms[candidate.start : candidate.end]:
            for label in atom.ids:  # a quarter of the time of `isin`
                ink |= part == label
        scale = INNER / max(ink.shape)
        size = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
        resampling = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
        picture = Image.fromarray(ink.astype(np.uint8) * 255).resize(size, resampling)
        top, left = (GLYPH - size[1]) // 2, (GLYPH - size[0]) // 2
        glyphs[i, top : top + size[1], left : left + size[0]] = np.asarray(picture)
        thin[i] = PEN * INNER - found.stroke * scale
    for wanted in (0.5, 2.0):  # a step of dilation adds two pixels to a stroke
        glyphs[thin > wanted] = _dilate(glyphs[thin > wanted])
    thick = thin < (PEN - THICK) * INNER
    glyphs[thick] = 255 - _dilate(255 - glyphs[thick])
    return glyphs


def _dilate(images: np.ndarray) -> np.ndarray:
    """Grey dilation of (N, H, W) images by one pixel in the four directions."""
    result = images.copy()
    np.maximum(result[:, 1:], images[:, :-1], out=result[:, 1:])
    np.maximum(result[:, :-1], images[:, 1:], out=result[:, :-1])
    np.maximum(result[:, :, 1:], images[:, :, :-1], out=result[:, :, 1:])
    np.maximum(result[:, :, :-1], images[:, :, 1:], out=result[:, :, :-1])
    return result
