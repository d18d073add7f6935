"""Generated characters: skeletons from the stroke library, bent as hands bend them and inked with a pen."""

import math

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from pipeline.characters import SIZE
from pipeline.characters.alphabet import Alphabet
from pipeline.characters.dataset import Characters, Splits
from pipeline.characters.normalise import normalise_all
from pipeline.common.errors import DataError
from pipeline.synthesis.bend import Strokes, bend, skip
from pipeline.synthesis.nothing import draw_nothing
from pipeline.synthesis.options import StrokesOptions
from pipeline.synthesis.pen import draw
from pipeline.synthesis.skeletons import make_skeletons
from pipeline.synthesis.stroke_library import SPLITS, StrokeLibrary
from pipeline.synthesis.weather import weather

CHUNK = 512  # characters drawn from one seed, so that the number of workers changes nothing
WIDEST = 180  # pixels; wider things, such as two neighbours, are drawn smaller: the normal form shrinks them anyway
TOGETHER = 64  # characters of about the same size whose pictures are one array: it stays in the processor's cache


def generate(
    library: StrokeLibrary,
    alphabet: Alphabet,
    options: StrokesOptions,
    train_per_class: int,
    valid_per_class: int,
    test_per_class: int,
    seed: int,
    workers: int = -1,
) -> Splits:
    """Samples in normal form; a hand appears in one split only.

    Args:
        workers: processes; -1: one for each core. The result does not depend on it.

    Returns:
        Splits, their samples in random order.
    """
    tasks = []
    for split, per_class in enumerate((train_per_class, valid_per_class, test_per_class)):
        labels = plan_labels(alphabet, per_class, options)
        np.random.default_rng([seed, split]).shuffle(labels)
        tasks += [(split, chunk, labels[at : at + CHUNK]) for chunk, at in enumerate(range(0, len(labels), CHUNK))]
    processes = min(effective_n_jobs(workers), len(tasks))
    shares = [tasks[i::processes] for i in range(processes)]  # one each: the library is sent along with every share
    run = Parallel(n_jobs=processes, max_nbytes=None)
    drawn = run(delayed(_draw_all)(library, alphabet, options, seed, share) for share in shares)
    found = {task: images for share in drawn for task, images in share.items()}
    parts = []
    for split in range(len(SPLITS)):
        own = [(found[task[:2]], task[2]) for task in tasks if task[0] == split]
        images = np.concatenate([i for i, _ in own]) if own else np.zeros((0, SIZE, SIZE), np.uint8)
        labels = np.concatenate([n for _, n in own]) if own else np.zeros(0, np.uint8)
        parts.append(Characters(images, labels))
    return Splits(*parts)


def plan_labels(alphabet: Alphabet, per_class: int, options: StrokesOptions) -> np.ndarray:
    """Labels (N,) uint8 in order: `per_class` of each letter and digit, fewer of each sign, and some of the class `nothing`."""
    signs = alphabet.kinds[: len(alphabet)] == "sign"
    labels = np.repeat(np.arange(len(alphabet), dtype=np.uint8), np.where(signs, math.ceil(options.signs * per_class), per_class))
    more = round(options.nothing / (1 - options.nothing) * len(labels)) if alphabet.nothing else 0
    return np.append(labels, np.full(more, len(alphabet), np.uint8))


def _draw_all(
    library: StrokeLibrary, alphabet: Alphabet, options: StrokesOptions, seed: int, tasks: list
) -> dict[tuple[int, int], np.ndarray]:
    return {
        (split, chunk): draw_characters(
            library, SPLITS[split], alphabet, labels, np.random.default_rng([seed, split, chunk]), options
        )
        for split, chunk, labels in tasks
    }


def draw_characters(
    library: StrokeLibrary,
    split: str,
    alphabet: Alphabet,
    labels: np.ndarray,
    rng: np.random.Generator,
    options: StrokesOptions,
) -> np.ndarray:
    """Characters (N, SIZE, SIZE) uint8 in normal form for `labels` (N,), each by a random hand of the split.

    Raises:
        DataError: the library has no shape of one of the characters.
    """
    images = np.empty((len(labels), SIZE, SIZE), np.uint8)
    written = labels < len(alphabet)
    if written.any():
        chosen = choose_glyphs(library, split, alphabet, labels[written], rng, options)
        images[written] = draw_strokes(bend(library.skeletons, chosen, rng, options), rng, options)
    if not written.all():
        others = draw_nothing(library, split, alphabet.characters, int((~written).sum()), rng)
        images[~written] = draw_strokes(bend(make_skeletons(others), np.arange(len(others)), rng, options), rng, options)
    return images


def draw_strokes(strokes: Strokes, rng: np.random.Generator, options: StrokesOptions) -> np.ndarray:
    """Draw and photograph the strokes of N characters; return them as (N, SIZE, SIZE) uint8 in normal form."""
    count = len(strokes.characters) - 1
    pens = np.exp(rng.uniform(np.log(options.pen_min), np.log(options.pen_max), count))
    heights = rng.uniform(options.pixels_min, options.pixels_max, count)
    owners = np.repeat(np.arange(count), np.diff(strokes.characters))
    extent = np.maximum.reduceat(strokes.points, strokes.characters[:-1]) - np.minimum.reduceat(
        strokes.points, strokes.characters[:-1]
    )
    heights = np.minimum(heights, WIDEST / extent.max(axis=1))
    radii = (heights * pens / 2).astype(np.float32)[owners] * pressure(strokes, rng, options.pressure)
    points = strokes.points * heights.astype(np.float32)[owners, None]
    written = skip(strokes, rng, options.gap)

    low = np.minimum.reduceat(points - radii[:, None], strokes.characters[:-1])  # (N, 2)
    size = np.maximum.reduceat(points + radii[:, None], strokes.characters[:-1]) - low
    points -= low[owners] - 2  # two pixels of paper on each side
    images = np.empty((count, SIZE, SIZE), np.uint8)
    order = np.argsort(size.max(axis=1))  # in a picture as large as that of an M, a full stop would be lost in the noise
    for at in range(0, len(order), TOGETHER):
        chosen = order[at : at + TOGETHER]
        rank = np.full(count, -1)
        rank[chosen] = np.arange(len(chosen))
        own = np.flatnonzero((rank[owners] >= 0) & written)
        width, height = (np.ceil(size[chosen].max(axis=0)) + 5).astype(int)
        inked = draw(points[own], radii[own], rank[owners[own]], (len(chosen), height, width))
        images[chosen] = normalise_all(weather(inked, rng, options.faint, options.blur, options.noise))
    return images


def choose_glyphs(
    library: StrokeLibrary,
    split: str,
    alphabet: Alphabet,
    labels: np.ndarray,
    rng: np.random.Generator,
    options: StrokesOptions,
) -> np.ndarray:
    """Indices (N,) of the glyphs of the library that hands of the split write for the `labels` (N,)."""
    chosen = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        character = alphabet.characters[label]
        capitals, lowers = library.shapes(split, character)
        if not len(capitals):
            raise DataError(f"alphabet: no hand of the {split} split of the stroke library writes {character!r}; choose another")
        pick = rng.integers(len(capitals), size=len(rows))
        glyphs = capitals[pick]
        lower_case = options.lower_case if character.lower() not in alphabet.characters else 0.0
        small = (lowers[pick] >= 0) & (rng.random(len(rows)) < lower_case)
        glyphs[small] = lowers[pick][small]
        rare = library.rare_shapes(character)
        if split == "train" and len(rare):
            other = rng.random(len(rows)) < options.variants
            glyphs[other] = rare[rng.integers(len(rare), size=other.sum())]
        chosen[rows] = glyphs
    return chosen


def pressure(strokes: Strokes, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Relative widths (P,) float32 that change smoothly along each piece."""
    along = strokes.along()
    start, bow, end = (
        np.repeat(strength * rng.standard_normal(len(strokes.pieces) - 1, np.float32), np.diff(strokes.pieces)) for _ in range(3)
    )
    return np.exp(start * (1 - along) + end * along + bow * np.sin(np.float32(np.pi) * along))
