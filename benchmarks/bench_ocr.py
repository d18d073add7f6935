"""How well, and how fast, pages are read: `make bench-ocr`, or

    python benchmarks/bench_ocr.py [models/model.npz]

Prints each measure with its floor and whether it holds. The course's photos are read if they are there
(`../shared/real/pages`, or `pages` in the folder named by HANDPRINT_REAL_DATA). Tesseract and RapidOCR read the same photos
beside it where they are installed.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Callable, Iterable

import numpy as np
import yaml
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.characters import CLASSES  # noqa: E402
from pipeline.characters.stroke_library import load_library  # noqa: E402
from pipeline.errors import PageError  # noqa: E402
from pipeline.nn.network import load_network  # noqa: E402
from pipeline.page import OcrOptions, read  # noqa: E402
from pipeline.page.language import load_language  # noqa: E402
from pipeline.page.photo import load_photo  # noqa: E402
from pipeline.page.render import RenderOptions, load_texts, render_pages  # noqa: E402
from pipeline.page.score import Score, score, total  # noqa: E402

Pages = list[tuple[np.ndarray, str]]
REAL = Path(os.environ.get("HANDPRINT_REAL_DATA", ROOT.parent / "shared" / "real")) / "pages"
TURNS = (90, 180, 270, 7, -7, 20, -20)


def load_real() -> Pages:
    return [(load_photo(path), path.with_suffix(".txt").read_text()) for path in sorted(REAL.glob("*.jpg"))]


def render(texts: dict[str, str], **changes: object) -> Pages:
    """Pages in the default look but for `changes`."""
    values = yaml.safe_load((ROOT / "conf/pages/rendered.yaml").read_text())
    library = load_library(ROOT / "data/strokes.npz")
    return [(image, text) for _, image, text in render_pages(library, texts, RenderOptions(**{**values, **changes}))]


def random_codes(pages: int, rng: np.random.Generator) -> dict[str, str]:
    """Texts of codes and serial numbers, in which no character says anything about the next."""
    def code() -> str:
        return "".join(rng.choice(list(CLASSES), rng.integers(4, 9)))
    return {f"codes{i}": "\n".join(" ".join(code() for _ in range(3)) for _ in range(6)) for i in range(pages)}


def turn(image: np.ndarray, degrees: int) -> np.ndarray:
    """The photo turned counter-clockwise; what comes into view has the colour of its border."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(image, degrees // 90))
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    fill = tuple(int(v) for v in np.median(border, axis=0))
    return np.asarray(Image.fromarray(image).rotate(degrees, Image.BICUBIC, expand=True, fillcolor=fill))


def measure(pages: Pages, reader: Callable[[np.ndarray], str]) -> tuple[Score, float]:
    """The score of all pages together, and CPU seconds a page."""
    scores, start = [], time.process_time()
    for image, truth in pages:
        try:
            text = reader(image)
        except PageError:
            text = ""
        scores.append(score(text, truth))
    return total(scores), (time.process_time() - start) / max(len(pages), 1)


def rows(reader: Callable[[np.ndarray, bool], str], seeds: int) -> Iterable[tuple[str, float, str, bool | None]]:
    """(measure, value, floor, whether it holds) for each line of the table."""
    def plain(image: np.ndarray) -> str:
        return reader(image, True)

    real = load_real()
    if real:
        upright, seconds = measure(real, plain)
        yield "course photos, character accuracy", upright.accuracy, ">= 0.97", upright.accuracy >= 0.97
        yield "course photos, CER with spaces", upright.cer, "<= 0.04", upright.cer <= 0.04
        yield "course photos, WER", upright.wer, "", None
        for degrees in TURNS:
            turned, _ = measure([(turn(image, degrees), truth) for image, truth in real], plain)
            holds = turned.accuracy >= upright.accuracy - 0.02
            yield f"  turned by {degrees} degrees, accuracy", turned.accuracy, f">= {upright.accuracy - 0.02:.3f}", holds
        yield "course photos, CPU seconds a page", seconds, "<= 0.4", seconds <= 0.4
    else:
        print(f"(no photos in {REAL}: the course's pages are left out)")
    texts = load_texts(ROOT / "data/pages")
    pages = [page for seed in range(seeds) for page in render(texts, seed=seed)]
    yield "rendered pages, character accuracy", measure(pages, plain)[0].accuracy, "", None
    joined, seconds = measure([page for seed in range(seeds) for page in render(texts, seed=seed, join=0.1)], plain)
    yield "rendered, 10 % of neighbours joined", joined.accuracy, ">= 0.93", joined.accuracy >= 0.93
    large, seconds = measure(render(texts, width=4000, height=3000), plain)
    yield "rendered, 12 megapixels, CPU seconds a page", seconds, "<= 0.4", seconds <= 0.4
    codes = render(random_codes(2 * seeds, np.random.default_rng(0)))
    off, _ = measure(codes, lambda image: reader(image, False))
    on, _ = measure(codes, plain)
    yield "random codes, language model off", off.accuracy, "", None
    yield "random codes, language model on", on.accuracy, f">= {off.accuracy:.3f}", on.accuracy >= off.accuracy


def engines() -> Iterable[tuple[str, Callable[[np.ndarray], str]]]:
    """Ready-made readers that are installed."""
    if shutil.which("tesseract"):
        def tesseract(image: np.ndarray) -> str:
            command = ["tesseract", "stdin", "stdout", "--psm", "6"]
            data = Image.fromarray(image).convert("RGB")
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
                data.save(process.stdin, "BMP")
                process.stdin.close()
                return process.stdout.read().decode()
        yield "Tesseract --psm 6", tesseract
    if importlib.util.find_spec("rapidocr"):
        from rapidocr import RapidOCR
        engine = RapidOCR()
        yield "RapidOCR", lambda image: "\n".join(engine(image).txts or ())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", type=Path, default=ROOT / "models/model.npz")
    parser.add_argument("--seeds", type=int, default=2, help="renderings of each text")
    arguments = parser.parse_args()
    network, _ = load_network(arguments.model)
    language = load_language(ROOT / "data/language.npz")
    values = yaml.safe_load((ROOT / "conf/ocr/pages.yaml").read_text())
    options = OcrOptions(**{field.name: values[field.name] for field in fields(OcrOptions)})
    without = replace(options, language_weight=0.0)

    def reader(image: np.ndarray, with_language: bool) -> str:
        return read(image, network, options if with_language else without, language).text

    print(f"{'measure':48} {'value':>8}   {'floor':10} holds")
    for name, value, floor, holds in rows(reader, arguments.seeds):
        print(f"{name:48} {value:8.3f}   {floor:10} {'' if holds is None else 'yes' if holds else 'NO'}", flush=True)
    for name, engine in engines():
        start = os.times()
        result, _ = measure(load_real(), engine)
        spent = os.times()
        seconds = sum(spent[:4]) - sum(start[:4])
        print(f"{name:28} accuracy {result.accuracy:.3f}   CER {result.cer:.3f}   {seconds / 4:.2f} CPU seconds a page")


if __name__ == "__main__":
    main()
