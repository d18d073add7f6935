"""Stage `prepare`, `python -m pipeline.prepare`: raw data -> characters in their normal form, and pages to read.

Writes prepared/characters.npz (train, valid, test), a contact sheet, the class counts, and the rendered pages.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from filelock import FileLock
from PIL import Image

from pipeline.characters import emnist, folder, nist36
from pipeline.characters.alphabet import ALPHANUMERIC, Alphabet
from pipeline.characters.dataset import Characters, Splits, concatenate, drop_duplicates, relabel, split_per_class, take_per_class
from pipeline.characters.normalise import normalise_all
from pipeline.characters.npz import load_splits, read_npz, save_splits
from pipeline.common import paths
from pipeline.common.errors import ConfigError, DataError
from pipeline.common.files import md5, replacing, replacing_folder, write_table, writing
from pipeline.common.options import OneOf, Options, Range
from pipeline.config.command import command
from pipeline.config.schema import Config, Sections
from pipeline.synthesis import strokes
from pipeline.synthesis.options import StrokesOptions
from pipeline.synthesis.render import RenderOptions, load_texts, render_pages
from pipeline.synthesis.stream import Stream
from pipeline.synthesis.stroke_library import StrokeLibrary, load_library

SHEET = 24  # characters of each class on the contact sheet
SOURCES = OneOf(("strokes", "nist36", "emnist", "folder", "npz"))


@dataclass
class DataConfig(Options):
    """Where the characters come from."""

    sources: Annotated[list[str], "of the characters; several are mixed, split by split", SOURCES]
    root: Annotated[str, "folder of the real data, for `npz` their file; strokes alone need none"]
    library: Annotated[str, "stroke library of the generator"]
    variant: Annotated[str, "emnist: which set of files to read", OneOf(("balanced", "byclass"))]
    download: Annotated[bool, "emnist: fetch the files (562 MB) if `root` does not hold them"]
    fresh: Annotated[bool, "strokes: generate new training characters in every epoch, while the network learns"]
    views: Annotated[int, "fresh: how often an epoch shows each character, distorted anew every time", Range(1)]
    train_per_class: Annotated[int, "samples of each class (fresh: in an epoch); 0: all that validation and test leave", Range(0)]
    valid_per_class: Annotated[
        int, "samples of each class; 0: all there are, or a tenth if the source has no such split", Range(0)
    ]
    test_per_class: Annotated[
        int, "samples of each class; 0: all there are, or a tenth if the source has no such split", Range(0)
    ]
    seed: Annotated[int, "of the generator and of random splits", Range(0)]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fresh and list(self.sources) != ["strokes"]:
            raise ConfigError(f"fresh: only strokes are generated, not {'+'.join(self.sources)}; set it to false")
        if "strokes" in self.sources and not self.train_per_class * self.valid_per_class * self.test_per_class:
            raise ConfigError("train_per_class: the generator needs to know how many; give 1 or more for each split")


SECTIONS: Sections = {"alphabet": Alphabet, "data": DataConfig, "strokes": StrokesOptions, "pages": RenderOptions}


def prepare(config: Config, output: Path) -> None:
    """Build the splits and the pages that `config.data`, `config.strokes` and `config.pages` describe."""
    library = load_library(Path(config.data.library))
    splits = build(config, library)
    save_splits(output / paths.CHARACTERS, splits, meta=described(config))
    shown, fresh = splits.train, splits.train.labels[:0]
    if config.data.fresh:
        generated = stream(config, library)
        shown, fresh = generated.sample(SHEET), generated.labels
    with replacing(output / paths.CONTACT_SHEET) as temporary:
        Image.fromarray(shown.sheet(config.alphabet.classes)).save(temporary)
    write_table(output / paths.COUNTS, count(splits, fresh, config.alphabet))
    write_pages(config, library, output / paths.PAGES)
    train = f"{len(fresh):,} drawn for each epoch," if config.data.fresh else f"{len(splits.train):,}"
    print(f"prepare: {train} train, {len(splits.valid):,} valid, {len(splits.test):,} test characters")


def build(config: Config, library: StrokeLibrary | None = None) -> Splits:
    """Read or generate every source, bring it to the normal form, mix the sources and drop duplicates.

    Args:
        library: the stroke library that `config` names; None reads it if the generator needs it.

    Raises:
        DataError: a split with nothing left in it.
    """
    splits = drop_duplicates(concatenate([_read(source, config, library) for source in config.data.sources]))
    for name, part in vars(splits).items():
        if not len(part) and not (name == "train" and config.data.fresh):
            raise DataError(
                f"data.sources: {'+'.join(config.data.sources)} leaves nothing for {name}: every image of it is also "
                "in another split; the images must differ"
            )
    return splits


def prepared(config: Config, output: Path) -> tuple[Splits, Path]:
    """The characters that `config` describes, and their file: the one of the stage, or one that is built now and kept.

    So nobody needs to prepare the data of an experiment or of a sweep over `data`, and the data of the pipeline do not change.
    """
    for path in dict.fromkeys((output / paths.CHARACTERS, paths.CHARACTERS, paths.PREPARED_CACHE / f"{_key(config)}.npz")):
        if path.exists():
            splits, made_from = load_splits(path)
            if made_from == described(config):
                return splits, path
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):  # if several jobs start together, one of them builds
        if not path.exists():
            print(f"prepare: {'+'.join(config.data.sources)} as configured is not prepared yet: building {path}")
            save_splits(path, build(config), described(config))
    return load_splits(path)[0], path


def stream(config: Config, library: StrokeLibrary | None = None) -> Stream:
    """The training characters if they are generated while the network learns.

    Args:
        library: the stroke library that `config` names; None reads it.
    """
    data = config.data
    library = library or load_library(Path(data.library))
    return Stream(library, config.alphabet, config.strokes, data.train_per_class, data.views, data.seed)


def described(config: Config) -> dict[str, Any]:
    """What the characters are made from, as far as they depend on it: stored beside them, and part of what a training is.

    Files count by what they hold, not by where they lie.
    """
    addresses = ("root", "library", "download")
    return {
        "alphabet": config.values["alphabet"],
        "data": {key: value for key, value in config.values["data"].items() if key not in addresses},
        "strokes": config.values["strokes"],
        "raw": _raw_digest(config.data),
    }


def _key(config: Config) -> str:
    return hashlib.md5(json.dumps(described(config), sort_keys=True).encode()).hexdigest()


def _raw_digest(data: DataConfig) -> str:
    """md5 over the raw files, and over their names within `data.root`: a folder of characters is named after its class."""
    files = {"library": Path(data.library)} if "strokes" in data.sources else {}
    if set(data.sources) != {"strokes"}:
        root = Path(data.root)
        within = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else []
        files |= {path.relative_to(root).as_posix(): path for path in within} or {"root": root}
    digest = hashlib.md5()
    for name, file in files.items():
        if file.is_file():
            digest.update(f"{name} {md5(file)} ".encode())
    return digest.hexdigest()


def _read(source: str, config: Config, library: StrokeLibrary | None) -> Splits:
    """One source in normal form."""
    data = config.data
    wanted = (data.train_per_class, data.valid_per_class, data.test_per_class)
    root = Path(data.root)
    alphabet = config.alphabet
    if source == "strokes":
        stored = (0 if data.fresh else data.train_per_class, *wanted[1:])
        library = library or load_library(Path(data.library))
        return strokes.generate(library, alphabet, config.strokes, *stored, seed=data.seed)
    if source == "nist36":
        read = nist36.read(root)
        raw = Splits(*(relabel(part, ALPHANUMERIC, alphabet.characters) for part in (read.train, read.valid, read.test)))
    elif source == "emnist":
        raw = emnist.read(root, alphabet.characters, data.variant, data.valid_per_class, data.seed, data.download)
    elif source == "folder":
        raw = folder.read(root, alphabet.characters, *wanted, data.seed)
    else:
        own, characters = read_npz(root)
        raw = split_per_class(relabel(own, characters, alphabet.characters), alphabet.characters, *wanted, data.seed)
    parts = [take_per_class(part, count, data.seed) for part, count in zip((raw.train, raw.valid, raw.test), wanted)]
    return Splits(*(Characters(normalise_all(part.images), part.labels) for part in parts))


def count(splits: Splits, fresh: np.ndarray, alphabet: Alphabet) -> list[dict[str, Any]]:
    """Samples of every class in every split, one row for each class; `fresh` are the labels of the generated characters."""
    labels = {name: part.labels for name, part in vars(splits).items()}
    labels["train"] = np.append(labels["train"], fresh)
    counts = {name: np.bincount(own, minlength=alphabet.classes) for name, own in labels.items()}
    return [
        {"character": character, **{name: int(of[label]) for name, of in counts.items()}}
        for label, character in enumerate(alphabet.names)
    ]


def write_pages(config: Config, library: StrokeLibrary, target: Path) -> None:
    """Render the texts that `config.pages` names as photos, each with its truth beside it."""
    with replacing_folder(target) as temporary:
        for name, image, truth in render_pages(library, load_texts(Path(config.pages.texts)), config.pages):
            Image.fromarray(image).save(temporary / f"{name}.jpg", quality=90)
            (temporary / f"{name}.txt").write_text(truth + "\n", encoding="utf-8")


if __name__ == "__main__":
    command("prepare", prepare)
