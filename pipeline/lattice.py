"""Stage `lattice`, `python -m pipeline.lattice`: fit the line model on rendered lines with exact segmentation.

It counts the kinds of tokens in random texts, measures the sizes of characters and their places in a line, and fits the weights
of the lattice by conditional likelihood, for the trained network; and the weights that tell the kinds of words, for what the word
network says of them.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from scipy import ndimage

from pipeline import tracking
from pipeline.characters.classifier import load_classifier
from pipeline.common import paths
from pipeline.common.files import md5, write_json
from pipeline.common.options import Options, Range
from pipeline.config.command import command
from pipeline.config.schema import Config, Sections, TrackingConfig
from pipeline.nn.network import Network
from pipeline.nn.unet import UNet
from pipeline.reading import straighten
from pipeline.reading.fit import Chart, Truth, chart, fit_weights, has_truth
from pipeline.reading.geometry import Geometry, find_frame, fit_geometry
from pipeline.reading.glyphs import Model
from pipeline.reading.kinds import END, fit_kinds
from pipeline.reading.language import Language, LanguageModel, load_language
from pipeline.reading.lattice import Lattice
from pipeline.reading.layout import Components, Row, find_components, find_lines
from pipeline.reading.line_model import LineModel, Weights, line_characters, save_line_model
from pipeline.reading.lines import build_lattices, usual_width
from pipeline.reading.search import search
from pipeline.reading.segment import unite
from pipeline.seeing.windows import cut_windows
from pipeline.seeing.word_kinds import FEATURES, LEAST_WRITTEN, WRITING, WordModel, features, fit_word_kinds, load_word_network
from pipeline.synthesis.crops import make_crop
from pipeline.synthesis.lines import WrittenPage, write_page
from pipeline.synthesis.notes import labelled
from pipeline.synthesis.render import RenderOptions, render_page
from pipeline.synthesis.stroke_library import StrokeLibrary, load_library
from pipeline.synthesis.texts import random_page, text_of
from pipeline.words import SHEETS, UNCLEAR, kinds_of, load_ink, look_for_words

SAME = 0.5  # least share of their union that a candidate and its character have in common
SHEET = 1024  # pixels; side of the sheets: as much of a page as is needed for its words to tell about each other
LABELLED = {**{contents: 0.9 * share for contents, share in SHEETS.items()}, labelled: 0.1}
"""What the sheets show by which the kinds of words are told apart: on pages that people bring, a label may stand by itself."""
SPARE = 0.2  # largest share of the ink of a character that may be left out


@dataclass
class LatticeConfig(Options):
    """What the line model is fitted to."""

    library: Annotated[str, "stroke library whose validation hands write the lines"]
    language: Annotated[str, "table of the character language model"]
    texts: Annotated[int, "random pages of text in which the kinds of tokens are counted", Range(1)]
    pages: Annotated[int, "pages that are written and read", Range(1)]
    rounds: Annotated[int, "searches, each with the weights fitted so far", Range(1)]
    beam: Annotated[int, "hypotheses kept at each step of that search", Range(1)]
    sheets: Annotated[int, "with words of all kinds, by which these are told apart", Range(1)]
    photos: Annotated[int, "pages that hold only writing, for the same", Range(1)]
    seed: Annotated[int, "of everything random", Range(0)]


SECTIONS: Sections = {"lattice": LatticeConfig, "pages": RenderOptions, "tracking": TrackingConfig}


@dataclass
class Sample:
    """A written page as the reader finds it: its components and rows."""

    page: WrittenPage
    found: Components
    rows: list[Row]


def lattice(config: Config, output: Path) -> None:
    """Fit the line model for the network that `train` wrote."""
    options = config.lattice
    network_path = output / paths.MODEL
    classifier = load_classifier(network_path)
    characters = line_characters(classifier.alphabet.characters)
    library = load_library(Path(options.library))
    kinds = fit_kinds([random_page(np.random.default_rng([options.seed, 0, i]), characters) for i in range(options.texts)])
    language = LanguageModel(load_language(Path(options.language)), kinds)
    samples = write_samples(library, characters, options.pages, options.seed)
    words = learn_words(library, load_ink(output / paths.INK), load_word_network(output / paths.WORDS), characters, config)
    model = LineModel(characters, Weights(), measure(samples, characters), kinds, words)
    for _ in range(options.rounds):
        data, share = expand(samples, classifier, model, language, options.beam)
        weights, likelihood = fit_weights(data, model.weights)
        model = replace(model, weights=weights)
    save_line_model(output / paths.LATTICE, model)
    result = {"lines": len(data.first), "reached": round(share, 4), "log_likelihood": round(likelihood, 4)}
    print("lattice: " + ", ".join(f"{key} {value}" for key, value in result.items()))
    write_json(output / paths.LATTICE_METRICS, result)
    with tracking.Run(config.tracking, "lattice", {"stage": "lattice"}, weights=md5(network_path)) as run:
        run.params({"lattice": config.values["lattice"]})
        run.metrics({f"lattice/{key}": value for key, value in result.items()})


def write_samples(library: StrokeLibrary, characters: str, count: int, seed: int) -> list[Sample]:
    """Pages by the hands of the validation split, from which no network has learnt."""
    hands = library.hands_of("valid")
    samples = []
    for number in range(count):
        page = write_page(library, hands[number % len(hands)], characters, np.random.default_rng([seed, 1, number]))
        found = find_components(page.ink)
        if found.areas.any():
            samples.append(Sample(page, found, find_lines(found)))
    return samples


def measure(samples: list[Sample], characters: str) -> Geometry:
    """Fit the sizes and places of characters on the pages."""
    places, labels, pieces = [], [], []
    for sample in samples:
        frames = [find_frame(sample.found, row) for row in sample.rows]
        boxes = [sample.found.boxes[row.pieces] for row in sample.rows]
        width = usual_width(np.concatenate([(b[:, 2] - b[:, 0]) / f.height for b, f in zip(boxes, frames)]))
        own = _owners(sample)
        row_of = {int(k): row for row, line in enumerate(sample.rows) for k in own[line.pieces] if k}
        for k, part in enumerate(ndimage.find_objects(sample.page.owner), 1):
            if part is not None and k in row_of and sample.page.characters[k - 1] in characters:
                box = part[1].start, part[0].start, part[1].stop, part[0].stop
                places.append(frames[row_of[k]].place(np.array(box), width)[0])
                labels.append(characters.index(sample.page.characters[k - 1]))
        for frame, some in zip(frames, boxes):
            runs = [unite(tuple(a), tuple(b)) for a, b in zip(some, some[1:])]
            pieces += list(frame.place(np.array([*some.tolist(), *runs]), width))
    return fit_geometry(np.array(places), np.array(labels), np.array(pieces), len(characters))


def _owners(sample: Sample) -> np.ndarray:
    """(M,) for each component, 1 + the index of the character that most of it belongs to; 0 for clutter."""
    counts = _count(sample.found.labels, sample.page.owner)
    return np.where(counts[:, 1:].any(axis=1), counts.argmax(axis=1), 0)[1 : len(sample.found.boxes) + 1]


def _count(labels: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """(labels, 1 + characters) pixels of each that belong to each; column 0 are those of none."""
    rows, columns = int(labels.max()) + 1, int(owner.max()) + 1
    return np.bincount(labels.ravel() * columns + owner.ravel(), minlength=rows * columns).reshape(rows, columns)


def expand(samples: list[Sample], network: Model, model: LineModel, language: Language, beam: int) -> tuple[Chart, float]:
    """The readings of all lines that were found as they were written, and the share in which the right one was kept."""
    kept, count = [], 0
    for sample in samples:
        found = sample.found._replace(labels=sample.found.labels.copy())
        state = language.start()
        for line in build_lattices(found, sample.rows, network, model):
            truth = align(line, found, sample.page, model.characters)
            if truth is None:
                continue
            count += 1
            graph = search(line, model, state, language, 1.0, beam)
            if has_truth(graph, truth):
                kept.append((line, graph, truth))
            text = "".join((END if space else "") + model.characters[label] for label, space in zip(truth.label, truth.space))
            state = language.read(state, text)[1]
    return chart(kept), len(kept) / max(count, 1)


def align(line: Lattice, found: Components, page: WrittenPage, characters: str) -> Truth | None:
    """The truth of a row; None if it does not hold a whole part of one written line."""
    counts = _count(found.labels, page.owner)
    sizes = np.bincount(page.owner.ravel(), minlength=len(page.characters) + 1)
    atoms = np.array([counts[list(atom.ids)].sum(axis=0) for atom in line.atoms])  # (A, 1 + characters)
    known = np.array([character in characters for character in page.characters])  # the others can only be left out
    mine = np.flatnonzero((atoms[:, 1:].sum(axis=0) > SAME * sizes[1:]) & known)
    if not len(mine) or np.ptp(page.line_of[mine]) or not known[mine[0] : mine[-1] + 1].sum() == len(mine):
        return None
    total = np.cumsum(np.vstack([np.zeros((1, atoms.shape[1]), int), atoms]), axis=0)
    character = np.full(len(line.candidates), -1)
    for index, candidate in enumerate(line.candidates):
        own = total[candidate.end] - total[candidate.start]
        best = 1 + int(own[1:].argmax())
        if best - 1 in mine and own[best] > SAME * (own.sum() + sizes[best] - own[best]):
            character[index] = np.searchsorted(mine, best - 1)
    largest = (atoms[:, 1:] / np.maximum(sizes[1:], 1) * known).max(axis=1)
    space = page.word_start[mine].copy()
    space[0] = False
    return Truth(character, np.array([characters.index(page.characters[k]) for k in mine]), space, largest < SPARE)


def learn_words(library: StrokeLibrary, ink: UNet, network: Network, characters: str, config: Config) -> WordModel:
    """Fit the weights that tell the kinds of words on sheets that hold writing, and on pages of writing, letter by letter.

    A sheet of little but print says nothing about a page that people bring to read what is written on it. Nor does lower case
    where only capitals are read: hands borrow it from typefaces, and would make print of these look like writing.
    """
    options, hands = config.lattice, library.hands_of("valid")
    capitals = characters.upper() == characters
    parts = [(np.zeros((0, len(FEATURES))), np.zeros(0, int), np.zeros(0))]  # if the ink network sees no ink, there are no words

    def add(gray: np.ndarray, truth: np.ndarray | None) -> None:
        sight = look_for_words(gray, ink)
        if sight is None:
            return
        words = sight.words
        owners, windows = cut_windows(sight)
        kinds = np.full(len(words.letters), WRITING) if truth is None else kinds_of(words, truth)
        if words.letters @ (kinds == WRITING) > LEAST_WRITTEN * words.letters.sum():
            known = np.flatnonzero((kinds != UNCLEAR) & ~words.single & (np.bincount(owners, minlength=len(kinds)) > 0))
            parts.append((features(words, owners, network.logits(windows))[known], kinds[known], words.letters[known]))

    for number in range(options.sheets):
        rng = np.random.default_rng([options.seed, 2, number])
        contrast, truth = make_crop(library, "valid", SHEET, rng, LABELLED, capitals)
        add(255 - contrast, truth)
    small = replace(config.pages, width=config.pages.width // 2, height=config.pages.height // 2)
    for number in range(options.photos):
        rng, hand = np.random.default_rng([options.seed, 3, number]), hands[number % len(hands)]
        able = "".join(character for character in characters if library.find(hand, character))
        text = "\n".join(text_of(line) for line in random_page(rng, able))
        pen, paper = small.pens[number % len(small.pens)], small.papers[number % len(small.papers)]
        photo = render_page(library, hand, text, pen, paper, small, rng)
        add(straighten.prepare(photo, photo.size).pixels, None)
    return WordModel(network, fit_word_kinds(*(np.concatenate(column) for column in zip(*parts))))


if __name__ == "__main__":
    command("lattice", lattice)
