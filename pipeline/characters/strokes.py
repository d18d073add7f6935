"""The project's own hand-print: skeletons from the stroke library, bent as hands bend them and inked with a pen."""

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from pipeline.characters import CLASSES, SIZE
from pipeline.characters.dataset import Characters, Splits
from pipeline.characters.ink import ink, weather
from pipeline.characters.normalise import normalise
from pipeline.characters.stroke_library import SPLITS, StrokeLibrary, load_library  # noqa: F401 (one door for users)
from pipeline.errors import ConfigError

CHUNK = 450  # samples of one task; part of the seed, so that the number of workers changes nothing
SPACING = 0.04  # distance of a stroke's points, in heights of a capital


@dataclass
class StrokesOptions:
    """How far a hand departs from its model. Lengths are in heights of a capital; 0 switches each off.

    Attributes:
        lower_case: probability of the lower-case shape where the hand has one that people write for the capital.
        variants: probability in the training split of one of the library's rarer shapes of the character.
        bend: standard deviation of the smooth random field that moves all points.
        shift, turn: standard deviation of a single stroke's displacement, and of its rotation in degrees.
        corner_break: probability that the pen is lifted at a sharp corner, so that both sides move on their own.
        lean: mean of the horizontal shear: most people lean to the right.
        slant: standard deviation of the horizontal shear.
        rotation: standard deviation in degrees.
        widen: mean of the logarithm of width over height, against the model: people write wider than fonts.
        stretch: standard deviation of the same.
        tremor: standard deviation of the pen's shaking.
        gap: probability that the pen skips somewhere.
        pen_min, pen_max: width of the pen; in between, its logarithm is uniform.
        pressure: standard deviation of the logarithm of the width along a stroke.
        faint: greatest share of the ink that an uneven pen or the grain of paper takes away.
        pixels_min, pixels_max: height of the character in the photo; few pixels blur it.
        blur: greatest standard deviation in pixels of the photo's blur.
        noise: standard deviation of the photo's noise, of 255.
    """

    lower_case: float
    variants: float
    bend: float
    shift: float
    turn: float
    corner_break: float
    lean: float
    slant: float
    rotation: float
    widen: float
    stretch: float
    tremor: float
    gap: float
    pen_min: float
    pen_max: float
    pressure: float
    faint: float
    pixels_min: int
    pixels_max: int
    blur: float
    noise: float

    def __post_init__(self) -> None:
        for key in ("lower_case", "variants", "corner_break", "gap", "faint"):
            if not 0 <= getattr(self, key) <= 1:
                raise ConfigError(f"{key}: {getattr(self, key)} must be from 0 to 1")
        for key in ("bend", "shift", "turn", "slant", "rotation", "stretch", "tremor", "pressure", "blur", "noise"):
            if not 0 <= getattr(self, key) < 1000:
                raise ConfigError(f"{key}: {getattr(self, key)} must be 0 or more")
        for key in ("lean", "widen"):
            if not -1 <= getattr(self, key) <= 1:
                raise ConfigError(f"{key}: {getattr(self, key)} must be from -1 to 1")
        if not 0 < self.pen_min <= self.pen_max <= 0.5:
            raise ConfigError(f"pen_min: {self.pen_min} must be above 0 and at most pen_max, {self.pen_max} at most 0.5")
        if not 8 <= self.pixels_min <= self.pixels_max <= 512:
            raise ConfigError(f"pixels_min: {self.pixels_min} must be from 8 to pixels_max, {self.pixels_max} at most 512")


def generate(library: StrokeLibrary, options: StrokesOptions, train_per_class: int, valid_per_class: int, test_per_class: int,
             seed: int, workers: int = -1) -> Splits:
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
        tasks += [(split, chunk, labels[at:at + CHUNK]) for chunk, at in enumerate(range(0, len(labels), CHUNK))]
    processes = min(effective_n_jobs(workers), len(tasks))
    shares = [tasks[i::2 * processes] for i in range(2 * processes)]  # few, for the library is sent along with each
    run = Parallel(n_jobs=processes, max_nbytes=None)
    drawn = run(delayed(_draw_all)(library, options, seed, share) for share in shares if share)
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


def _draw_tasks(library: StrokeLibrary, options: StrokesOptions, tasks: list, seed: int) -> list[np.ndarray]:
    return [_draw(library, options, split, labels, [seed, split, chunk]) for split, chunk, labels in tasks]


def _draw(library: StrokeLibrary, options: StrokesOptions, split: int, labels: np.ndarray, seed: list[int]) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hands = library.hands_of(SPLITS[split])
    return np.stack([draw(library, hands, CLASSES[label], rng, options) for label in labels])


def draw(library: StrokeLibrary, hands: list[int], character: str, rng: np.random.Generator, options: StrokesOptions) -> np.ndarray:
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


def strokes_of(library: StrokeLibrary, hand: int, character: str, rng: np.random.Generator, options: StrokesOptions) -> list[np.ndarray]:
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


def bend(strokes: list[np.ndarray], rng: np.random.Generator, options: StrokesOptions) -> list[np.ndarray]:
    """The strokes (K, 2), each moved on its own, then all together: field, slant, stretch, rotation; then tremor and gaps."""
    pieces = [dense(piece) for stroke in strokes for piece in lift_pen(stroke, rng, options.corner_break)]
    pieces = [nudge(piece, rng, options.shift, options.turn) for piece in pieces]
    lengths = np.cumsum([len(piece) for piece in pieces])[:-1]
    points = np.concatenate(pieces)  # (P, 2)
    points = points + field(points, rng, options.bend)
    points = affine(points, rng, options)
    points = points + tremble(len(points), rng, options.tremor)
    return skip(np.split(points, lengths), rng, options.gap)


def lift_pen(stroke: np.ndarray, rng: np.random.Generator, probability: float) -> list[np.ndarray]:
    """The stroke (K, 2) cut at some of its corners."""
    if len(stroke) < 3 or not probability:
        return [stroke]
    steps = np.diff(stroke, axis=0)
    steps /= np.maximum(np.hypot(*steps.T), 1e-9)[:, None]
    corners = 1 + np.flatnonzero((steps[:-1] * steps[1:]).sum(axis=1) < 0.5)  # turns by more than 60 degrees
    cuts = corners[rng.random(len(corners)) < probability].tolist()
    return [stroke[a:b + 1] for a, b in zip([0, *cuts], [*cuts, len(stroke) - 1])]


def dense(stroke: np.ndarray) -> np.ndarray:
    """The stroke (K, 2) with points SPACING apart."""
    lengths = np.hypot(*np.diff(stroke, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.linspace(0, along[-1], max(2, int(along[-1] / SPACING) + 1))
    return np.stack([np.interp(at, along, stroke[:, 0]), np.interp(at, along, stroke[:, 1])], axis=1)


def nudge(points: np.ndarray, rng: np.random.Generator, shift: float, turn: float) -> np.ndarray:
    """One stroke moved and turned about its own middle."""
    angle = np.radians(rng.normal(0, turn)) if turn else 0.0
    middle = points.mean(axis=0)
    rotate = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (points - middle) @ rotate + middle + rng.normal(0, 1, 2) * shift


def field(points: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Displacements (P, 2) by a smooth random field: a few random plane waves about as long as the character."""
    waves = 4
    frequency = rng.normal(0, 4.0, (2, waves))  # radians per height of a capital
    phase = rng.uniform(0, 2 * np.pi, waves)
    weight = rng.normal(0, 1, (waves, 2)) * (strength * np.sqrt(2 / waves))
    return np.sin(points @ frequency + phase) @ weight


def affine(points: np.ndarray, rng: np.random.Generator, options: StrokesOptions) -> np.ndarray:
    """Slant, stretch and rotation about the middle of a capital."""
    slant, rotation, stretch = rng.normal(0, 1, 3) * (options.slant, np.radians(options.rotation), options.stretch)
    slant, stretch = slant + options.lean, stretch + options.widen
    centre = np.array([points[:, 0].mean(), 0.5])
    shear = np.array([[1.0, 0.0], [-slant, 1.0]])
    scale = np.diag([np.exp(stretch / 2), np.exp(-stretch / 2)])
    rotate = np.array([[np.cos(rotation), np.sin(rotation)], [-np.sin(rotation), np.cos(rotation)]])
    return (points - centre) @ shear @ scale @ rotate + centre


def tremble(count: int, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Displacements (P, 2) of neighbouring points that are alike, as a hand shakes: white noise averaged over three points."""
    white = rng.normal(0, strength, (count + 2, 2))
    return (white[:-2] + white[1:-1] + white[2:]) / np.sqrt(3)


def skip(pieces: list[np.ndarray], rng: np.random.Generator, probability: float) -> list[np.ndarray]:
    """The strokes, one of them perhaps with a gap of a few points."""
    if rng.random() >= probability:
        return pieces
    chosen = int(rng.integers(len(pieces)))
    points = pieces[chosen]
    if len(points) < 12:
        return pieces
    start = int(rng.integers(3, len(points) - 6))
    return [*pieces[:chosen], points[:start], points[start + int(rng.integers(2, 5)):], *pieces[chosen + 1:]]
