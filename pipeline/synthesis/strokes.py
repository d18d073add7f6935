"""The project's own hand-print: skeletons from the stroke library, bent as hands bend them and inked with a pen."""

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from pipeline.characters import CLASSES, SIZE
from pipeline.characters.dataset import Characters, Splits
from pipeline.characters.normalise import normalise
from pipeline.synthesis.bend import bend
from pipeline.synthesis.ink import ink, weather
from pipeline.synthesis.options import StrokesOptions
from pipeline.synthesis.stroke_library import SPLITS, StrokeLibrary

CHUNK = 450  # samples of one task; part of the seed, so that the number of workers changes nothing


def generate(
    library: StrokeLibrary,
    options: StrokesOptions,
    train_per_class: int,
    valid_per_class: int,
    test_per_class: int,
    seed: int,
    workers: int = -1,
) -> Splits:
    """Samples in normal form; the hands of one split appear in no other.

    Args:
        workers: processes; -1 takes one per core. The result does not depend on it.

    Returns:
        Splits in an order without pattern: sample i of a split does not tell its label.
    """
    tasks = []
    for split, per_class in enumerate((train_per_class, valid_per_class, test_per_class)):
        labels = np.repeat(np.arange(len(CLASSES), dtype=np.uint8), per_class)
        np.random.default_rng([seed, split]).shuffle(labels)
        tasks += [(split, chunk, labels[at : at + CHUNK]) for chunk, at in enumerate(range(0, len(labels), CHUNK))]
    processes = min(effective_n_jobs(workers), len(tasks))
    shares = [tasks[i::processes] for i in range(processes)]  # one each: the library is sent along with every share
    run = Parallel(n_jobs=processes, max_nbytes=None)
    drawn = run(delayed(_draw_all)(library, options, seed, share) for share in shares)
    found = {task: images for share in drawn for task, images in share.items()}
    parts = []
    for split in range(len(SPLITS)):
        own = [(found[task[:2]], task[2]) for task in tasks if task[0] == split]
        images = np.concatenate([i for i, _ in own]) if own else np.zeros((0, SIZE, SIZE), np.uint8)
        labels = np.concatenate([n for _, n in own]) if own else np.zeros(0, np.uint8)
        parts.append(Characters(images, labels))
    return Splits(*parts)


def _draw_all(library: StrokeLibrary, options: StrokesOptions, seed: int, tasks: list) -> dict[tuple[int, int], np.ndarray]:
    return {(split, chunk): _draw(library, options, split, labels, [seed, split, chunk]) for split, chunk, labels in tasks}


def _draw(library: StrokeLibrary, options: StrokesOptions, split: int, labels: np.ndarray, seed: list[int]) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hands = library.hands_of(SPLITS[split])
    return np.stack([draw(library, hands, CLASSES[label], rng, options) for label in labels])


def draw(
    library: StrokeLibrary, hands: list[int], character: str, rng: np.random.Generator, options: StrokesOptions
) -> np.ndarray:
    """One sample (SIZE, SIZE) uint8 in normal form by a random one of `hands` that can write the character."""
    while True:
        hand = hands[rng.integers(len(hands))]
        if library.find(hand, CLASSES.index(character)):
            break
    strokes = strokes_of(library, hand, character, rng, options)
    pen = np.exp(rng.uniform(np.log(options.pen_min), np.log(options.pen_max)))
    height = int(rng.integers(options.pixels_min, options.pixels_max + 1))
    image = ink(strokes, height, pen * height, rng, options.pressure)
    return normalise(weather(image, rng, options.faint, options.blur, options.noise))


def strokes_of(
    library: StrokeLibrary, hand: int, character: str, rng: np.random.Generator, options: StrokesOptions
) -> list[np.ndarray]:
    """Strokes (K, 2) float64 of one character as one hand writes it this time, no two times alike.

    Coordinates are (x, y), y down: 0 at the top of a capital, 1 on the line it stands on, parts may reach beyond.
    A hand without the character borrows it from another hand of its split.
    """
    glyph = library.glyphs[choose_glyph(library, hand, character, rng, options)]
    return bend(glyph.strokes, rng, options)


def choose_glyph(library: StrokeLibrary, hand: int, character: str, rng: np.random.Generator, options: StrokesOptions) -> int:
    """Index of the glyph of the library that the hand writes for the character."""
    label = CLASSES.index(character)
    if library.variants is not None and library.splits[hand] == "train" and rng.random() < options.variants:
        hand = library.variants
    lower = library.find(hand, label, lower=True)
    if lower and rng.random() < options.lower_case:
        return lower[0]
    own = library.find(hand, label)
    while not own:
        hands = library.hands_of(library.splits[hand])
        own = library.find(hands[rng.integers(len(hands))], label)
    return own[rng.integers(len(own))]
