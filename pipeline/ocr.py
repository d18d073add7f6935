"""Stage 5, `python -m pipeline.ocr`: page photos -> text.

For every page it writes the text, JSON, hOCR, ALTO, a searchable PDF and a picture of what was read where, and scores the
page where a `<stem>.txt` with the truth lies beside the photo. `ocr.pages=FOLDER_OR_FILE ocr.output=FOLDER` reads other photos.
"""

import io
import os
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from pipeline import tracking
from pipeline.common import paths
from pipeline.common.errors import ConfigError, PageError
from pipeline.common.files import md5, replacing_folder, write_json
from pipeline.config.command import command
from pipeline.config.schema import Config, Sections, TrackingConfig
from pipeline.nn.network import load_network
from pipeline.nn.unet import load_unet
from pipeline.output.export import export
from pipeline.output.score import Score, score, total
from pipeline.reading.language import load_language
from pipeline.reading.options import OcrOptions
from pipeline.reading.photo import SUFFIXES, load_photo
from pipeline.reading.reader import read


@dataclass
class OcrConfig(OcrOptions):
    """What the page reader's own `OcrOptions` hold, and where the stage reads and writes.

    Attributes:
        pages: photos or folders of photos; `-` reads one photo from standard input; null: the rendered pages.
        output: folder for the text, JSON, hOCR, ALTO and annotated picture of each page; null: the stage's own.
        model: weights to read with; null: those that `train` wrote.
        ink: network that says what each pixel shows; null: the one of the stage `ink`; `none`: thresholds instead.
        language: table of the character language model.
    """

    pages: Any
    output: str | None
    model: str | None
    ink: str | None
    language: str


SECTIONS: Sections = {"ocr": OcrConfig, "tracking": TrackingConfig}


STDIN = Path("-")


def ocr(config: Config, output: Path) -> None:
    """Read the rendered pages as the stage does, or the photos that `config.ocr.pages` names.

    Raises:
        PageError: at the end, if any page could not be read; the others are written all the same.
    """
    model = Path(config.ocr.model or output / paths.MODEL)
    network, _ = load_network(model)
    ink = None if config.ocr.ink == "none" else load_unet(Path(config.ocr.ink or output / paths.INK))[0]
    language = load_language(Path(config.ocr.language)) if config.ocr.language_weight > 0 else None
    as_stage = config.ocr.pages is None
    sources = find_pages([output / paths.PAGES] if as_stage else config.ocr.pages)
    target = output / paths.READ_PAGES if as_stage else Path(config.ocr.output or "outputs/read")
    if target.resolve() in {source.resolve().parent for source in sources}:
        raise ConfigError(f"ocr.output: {target} holds the pages themselves; their .txt files would be overwritten")
    if target.exists() and not target.is_dir():
        raise ConfigError(f"ocr.output: {target} is a file; name a folder")
    scores: dict[str, Score] = {}
    failed = 0
    with replacing_folder(target) if as_stage else nullcontext(target) as folder:
        for source, name in tqdm(name_pages(sources), desc="ocr", unit="page", disable=not sys.stderr.isatty(), leave=False):
            try:
                photo = load(source)
                page = read(photo, network, config.ocr, language, ink)
            except PageError as error:
                failed += 1
                reason = str(error)
                print(f"ocr: {reason if str(source) in reason else f'{source}: {reason}'}", file=sys.stderr)
                continue
            export(page, photo, folder / name, source.name)
            truth = source.with_suffix(".txt")
            if truth.exists():
                scores[name] = score(page.text, truth.read_text(encoding="utf-8", errors="replace"))
            if not as_stage:
                print(f"{printable(source)}:\n{page.text}\n" if len(sources) > 1 else page.text)
    result: dict[str, Any] = {
        "pages": {name: in_words(part) for name, part in scores.items()},
        "total": in_words(total(list(scores.values()))),
    }
    if as_stage:
        write_json(output / paths.OCR_METRICS, result)
        record(config, model, target, result["total"])
    if scores:
        print(
            f"ocr: {len(scores)} pages scored: " + ", ".join(f"{key} {value:.4f}" for key, value in result["total"].items()),
            file=sys.stdout if as_stage else sys.stderr,
        )
    if failed:
        raise PageError(f"{failed} of {len(sources)} pages could not be read")


def find_pages(named: Any) -> list[Path]:
    """Every photo that one name or a list of them stands for, in order: files, folders and `-` (standard input).

    Raises:
        PageError: something named is not there, or holds no photo.
    """
    pages: list[Path] = []
    for path in (Path(str(name)) for name in (named if isinstance(named, list) else [named])):  # 2024 may be a folder
        if path.is_dir():
            found = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
            if not found:
                raise PageError(f"{path}: holds no photos ({' '.join(SUFFIXES)})")
            pages += found
        elif path.exists() or path == STDIN:
            pages.append(path)
        else:
            raise PageError(f"{path}: no such file or folder; name a photo, or a folder of photos, in ocr.pages")
    if not pages:
        raise PageError("ocr.pages: names no photos; name files, folders, or - for standard input")
    return pages


def name_pages(pages: list[Path]) -> list[tuple[Path, str]]:
    """Each page with the name its results get: its stem, numbered where two pages share one."""
    named: dict[str, Path] = {}
    for page in pages:
        stem = "page" if page == STDIN else page.stem
        number = 1
        while (name := stem if number == 1 else f"{stem}-{number}") in named:
            number += 1
        named[name] = page
    return [(page, name) for name, page in named.items()]


def printable(source: Path) -> str:
    """The file's name; a name on disk may be no valid text."""
    return os.fsencode(source).decode("utf-8", "replace")


def load(source: Path) -> np.ndarray:
    """The photo in a file or on standard input."""
    return load_photo(io.BytesIO(sys.stdin.buffer.read()), "standard input") if source == STDIN else load_photo(source)


def in_words(part: Score) -> dict[str, float]:
    """A score under the names used everywhere: accuracy without spaces, CER with spaces, WER."""
    return {"character_accuracy": round(part.accuracy, 4), "cer": round(part.cer, 4), "wer": round(part.wer, 4)}


def record(config: Config, model: Path, folder: Path, result: dict[str, float]) -> None:
    """Add the scores and the pages to the MLflow run of the model."""
    with tracking.Run(config.tracking, "ocr", {"stage": "ocr"}, weights=md5(model)) as run:
        run.params({"ocr": config.values["ocr"]})
        run.metrics({f"ocr/{key}": value for key, value in result.items()})
        run.artifact(folder)


if __name__ == "__main__":
    command("ocr", ocr)
