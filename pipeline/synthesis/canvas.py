"""A canvas: the picture of a sheet, and for each pixel what it shows."""

import numpy as np
from PIL import Image, ImageDraw
from skimage.transform import ProjectiveTransform

from pipeline.common.pixels import PAPER
from pipeline.synthesis import scene
from pipeline.synthesis.typefaces import load_typeface

SEEN = 0.4
"""A pixel shows what covers more than this share of it."""
FINE = 2  # printed text is drawn this much larger, then averaged


class Canvas:
    """Attributes: picture: (H, W) float32 reflectance; kinds: (H, W) uint8 of `pixels.KINDS`; camera: from sheet to pixels."""

    def __init__(self, size: int, camera: ProjectiveTransform, paper: float) -> None:
        self.picture = np.full((size, size), paper, np.float32)
        self.kinds = np.full((size, size), PAPER, np.uint8)
        self.camera, self.paper = camera, paper

    @property
    def size(self) -> int:
        return len(self.kinds)

    def put(self, coverage: np.ndarray, kind: int, contrast: float | np.ndarray, seen: float = SEEN) -> None:
        """Cover the picture with something darker than the paper.

        Args:
            coverage: (H, W) share of each pixel that it covers.
            kind: one of `pixels.KINDS`, as an index.
            contrast: the share of the light of the paper that it takes away.
            seen: a pixel that it covers more than this shows it.
        """
        value = self.paper * (1 - contrast)
        self.picture += coverage * (np.minimum(value, self.picture) - self.picture)
        self.kinds[coverage > seen] = kind

    def draw(
        self,
        strokes: list[np.ndarray],
        pen: float,
        kind: int,
        contrast: float,
        grain: float,
        pressure: float,
        rng: np.random.Generator,
    ) -> None:
        """Draw strokes (K, 2) of the sheet with a round pen of `pen` pixels; `grain` is how uneven its ink is, from 0 to 1."""
        if not strokes:
            return
        points = self.camera(np.concatenate(strokes))
        starts = np.cumsum([0] + [len(stroke) for stroke in strokes])
        low, high = np.minimum.reduceat(points, starts[:-1]), np.maximum.reduceat(points, starts[:-1])  # (K, 2)
        met = np.all((high > -pen) & (low < self.size + pen), axis=1).tolist()
        seen = [points[start:end] for start, end, inside in zip(starts, starts[1:], met) if inside]
        if not seen:
            return
        coverage = scene.draw(seen, max(pen, 1.0), self.kinds.shape, pressure, rng)
        strength: float | np.ndarray = contrast * min(1.0, pen)
        if grain:
            noise = scene.smooth_noise(coverage.shape, rng.uniform(1.2, 3), rng) + scene.smooth_noise(coverage.shape, 40, rng)
            strength = strength * np.clip(1 - grain + grain * noise, 0.15, 1)
        self.put(coverage, kind, strength)

    def print(self, texts: list[tuple[str, float, float, int, str, float]], kind: int, contrast: float) -> None:
        """Print `(text, x, y of the line, height of a capital, typeface, stretch)`, all in the same ink."""
        half = self.size // 2
        side = 2 * self.size * FINE  # the sheet and half a picture beyond each border
        layer = Image.new("L", (side, side), 0)
        for text, x, y, capital, typeface, stretch in texts:
            font = load_typeface(typeface, round(capital * FINE))
            left, top, right, bottom = map(round, font.getbbox(text, anchor="ls"))
            if right <= left or bottom <= top:
                continue
            word = Image.new("L", (right - left, bottom - top), 0)
            ImageDraw.Draw(word).text((-left, -top), text, font=font, fill=255, anchor="ls")
            if stretch != 1:
                word = word.resize((max(1, round(word.width * stretch)), word.height), Image.Resampling.BILINEAR)
            place = round((x + half) * FINE + left), round((y + half) * FINE + top)
            layer.paste(255, place, word)
        to_layer = np.array([[FINE, 0, half * FINE], [0, FINE, half * FINE], [0, 0, 1.0]]) @ np.linalg.inv(self.camera.params)
        to_layer = to_layer @ np.diag([1 / FINE, 1 / FINE, 1.0])
        to_layer /= to_layer[2, 2]
        size = (self.size * FINE, self.size * FINE)
        seen = layer.transform(size, Image.Transform.PERSPECTIVE, tuple(to_layer.ravel()[:8]), Image.Resampling.BILINEAR)
        self.put(np.asarray(seen.reduce(FINE), np.float32) / 255, kind, contrast)
