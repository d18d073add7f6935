"""How well, and how fast, pages are read: `make bench-ocr`, or

    python benchmarks/bench_ocr.py [models/model.npz]

Prints each measure with its floor and whether it holds. Then a row for each folder of pages, with what ready-made readers make
of it where they are installed: Tesseract (`apt-get install tesseract-ocr`) and RapidOCR (`pip install rapidocr onnxruntime`).
Real pages, photos with their text beside them, are looked for in the folders of `../shared/real`, or of the folder named by
HANDPRINT_REAL_DATA; the course's photos are those in `pages`.
"""

import argparse
import importlib.util
import io
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import yaml
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_otsu

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.drawn_pages import DRAWN, draw_pages  # noqa: E402
from benchmarks.filled_forms import fill_forms, words_read  # noqa: E402
from benchmarks.folders import measure_folders  # noqa: E402
from pipeline.characters import CLASSES  # noqa: E402
from pipeline.common.errors import PageError  # noqa: E402
from pipeline.output.score import Score, score, total  # noqa: E402
from pipeline.reading import OcrOptions, read  # noqa: E402
from pipeline.reading.models import load_models  # noqa: E402
from pipeline.reading.photo import load_photo  # noqa: E402
from pipeline.synthesis.render import RenderOptions, load_texts, render_pages  # noqa: E402
from pipeline.synthesis.stroke_library import load_library  # noqa: E402

Pages = list[tuple[np.ndarray, str]]
Reader = Callable[[np.ndarray], str]
REAL = Path(os.environ.get("HANDPRINT_REAL_DATA", ROOT.parent / "shared" / "real"))
TURNS = (90, 180, 270, 7, -7, 20, -20)
HARD = {
    "squared paper, pencil": {"papers": ["squared"], "pens": ["pencil"]},
    "a sheet on a dark desk, seen at an angle": {"desk": 1.0, "perspective": 0.1},
    "deep shadows": {"shadow": 0.8, "gradient": 0.7},
    "turned by up to 15 degrees": {"rotation": 15.0},
    "lines that slant by 4 degrees": {"line_slope": 4.0},
    "letters far apart": {"letter_gap": 0.9, "word_gap": 2.2},
    "letters of uneven size, slant and place": {"baseline_jitter": 0.1, "size_jitter": 0.12, "slant_jitter": 6.0, "slant": 12.0},
    "a third of the size": {"width": 640, "height": 480},
}
"""Rendered pages that are harder to read than the default ones."""
FORMS = {"exam_cover": 0.55, "order_sheet": 0.7}
"""Forms of the project that are read as pages, and the least share of the words in their fields that are read exactly."""


def load_pages(folder: Path) -> Pages:
    """The photos of a folder that have their text beside them."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png")) if folder.is_dir() else []
    return [(load_photo(path), text.read_text()) for path in paths if (text := path.with_suffix(".txt")).exists()]


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


def text_of(image: np.ndarray, reader: Reader) -> str:
    """What is read; nothing on a page that a reader refuses."""
    try:
        return reader(image)
    except PageError:
        return ""


def measure(pages: Pages, reader: Reader) -> tuple[list[Score], float]:
    """The score of each page, and CPU seconds a page, those of other processes that were started included."""
    scores, start = [], os.times()
    for image, truth in pages:
        scores.append(score(text_of(image, reader), truth))
    return scores, (sum(os.times()[:4]) - sum(start[:4])) / len(pages)


def floors(on: Reader, off: Reader, real: Pages, seeds: int) -> Iterator[tuple[str, str, str, bool]]:
    """(measure, value, floor, whether it holds) for each line of the table; `off` reads without the language model."""

    def at_least(name: str, value: float, floor: float) -> tuple[str, str, str, bool]:
        return name, f"{value:.3f}", f">= {floor:.3f}", value >= floor

    def at_most(name: str, value: float, floor: float) -> tuple[str, str, str, bool]:
        return name, f"{value:.3f}", f"<= {floor:.3f}", value <= floor

    if real:
        scores, seconds = measure(real, on)
        upright = total(scores)
        yield at_least("course photos, character accuracy", upright.accuracy, 0.97)
        yield at_most("course photos, CER with spaces", upright.cer, 0.04)
        yield at_most("course photos, WER", upright.wer, 0.1)
        yield at_most("course photos, CPU seconds a page", seconds, 0.4)
        for degrees in TURNS:
            turned = total(measure([(turn(image, degrees), truth) for image, truth in real], on)[0])
            yield at_least(f"  turned by {degrees} degrees, accuracy", turned.accuracy, upright.accuracy - 0.02)
    texts = load_texts(ROOT / "data/pages")

    def rendered(**changes: object) -> float:
        return total(measure([page for seed in range(seeds) for page in render(texts, seed=seed, **changes)], on)[0]).accuracy

    yield at_least("rendered pages, character accuracy", rendered(), 0.95)
    for name, changes in HARD.items():
        yield at_least(f"  {name}", rendered(**changes), 0.88)
    yield at_least("rendered, 10 % of neighbours touch, accuracy", rendered(join=0.1), 0.93)
    yield at_most("rendered, 12 megapixels, CPU seconds a page", measure(render(texts, width=4000, height=3000), on)[1], 0.4)
    for form, floor in FORMS.items():
        words = words_read(fill_forms(form, 12 * seeds), lambda photo: text_of(photo, on))
        yield at_least(f"filled forms without a description, words: {form}", words, floor)
    for name, (contents, floor) in DRAWN.items():
        yield at_least(f"drawn pages, accuracy: {name}", total(measure(draw_pages(contents, 4 * seeds), on)[0]).accuracy, floor)
    codes = render(random_codes(8 * seeds, np.random.default_rng(0)))
    with_model, without = measure(codes, on)[0], measure(codes, off)[0]
    yield at_least("random codes, accuracy, language model off", total(without).accuracy, 0.9)
    yield at_least("random codes, accuracy, language model on", total(with_model).accuracy, 0.9)
    gains = np.array([a.accuracy - b.accuracy for a, b in zip(with_model, without)])
    interval = 1.96 * gains.std(ddof=1) / np.sqrt(len(gains))
    yield (
        f"  gain by it, mean and 95 % interval, {len(gains)} pages",
        f"{gains.mean():+.3f} +- {interval:.3f}",
        ">= 0",
        bool(gains.mean() >= 0),
    )


def peers() -> Iterator[tuple[str, Reader]]:
    """Ready-made readers that are installed, as they come, and with the settings that suited these pages best."""
    if shutil.which("tesseract"):
        yield "Tesseract, as it comes", lambda image: tesseract(Image.fromarray(image))
        yield "Tesseract, tuned", lambda image: tesseract(black_on_white(image, 500), "--psm", "6", "--dpi", "300")
    if importlib.util.find_spec("rapidocr"):
        from rapidocr import RapidOCR

        engine = RapidOCR(params={"Global.log_level": "error"})

        def rapid(image: Image.Image, **settings: bool) -> str:
            result = engine(image, **settings)
            return result.to_markdown() if result.txts else ""  # what it found, line by line

        yield "RapidOCR, as it comes", lambda image: rapid(Image.fromarray(image))
        yield "RapidOCR, tuned", lambda image: rapid(Image.fromarray(image).reduce(max(1, image.shape[1] // 1000)), use_cls=False)


def tesseract(image: Image.Image, *settings: str) -> str:
    """On one thread: on more it waits in a busy loop, which costs it time and counts against it."""
    stream = io.BytesIO()
    image.save(stream, "BMP")
    return subprocess.run(
        ["tesseract", "stdin", "stdout", *settings],
        input=stream.getvalue(),
        capture_output=True,
        check=True,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    ).stdout.decode()


def black_on_white(image: np.ndarray, width: int) -> Image.Image:
    """What Tesseract's documentation asks for: letters some 30 pixels high, black on even white, with a white border."""
    small = Image.fromarray(image).convert("L").resize((width, round(width * image.shape[0] / image.shape[1])), Image.LANCZOS)
    gray = np.asarray(small, float)
    even = np.clip(gray / np.maximum(gaussian_filter(gray, width / 40), 1), 0, 1)
    clean = gaussian_filter((even > threshold_otsu(even)).astype(float), 0.7)
    return Image.fromarray((np.pad(clean, 20, constant_values=1) * 255).astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", type=Path, default=ROOT / "models/model.npz")
    parser.add_argument("--seeds", type=int, default=2, help="renderings of each text; 8 pages of random codes for each")
    arguments = parser.parse_args()
    lattice, ink = (arguments.model.with_name(f"{name}.npz") for name in ("lattice", "ink"))
    models = load_models(arguments.model, lattice, ROOT / "data/language.npz", ink)
    values = yaml.safe_load((ROOT / "conf/ocr/pages.yaml").read_text())
    options = OcrOptions(**{field.name: values[field.name] for field in fields(OcrOptions)})
    without = replace(options, language_weight=0.0)
    real = load_pages(REAL / "pages")

    def on(image: np.ndarray) -> str:
        return read(image, models, options).text

    def off(image: np.ndarray) -> str:
        return read(image, models, without).text

    if not real:
        print(f"(no photos in {REAL / 'pages'}: the course's pages are left out)")
    print(f"{'measure':58} {'value':>16}   {'floor':12} holds")
    missed = False
    rendered = [image for image, _ in render(load_texts(ROOT / "data/pages"))]
    rows = itertools.chain(floors(on, off, real, arguments.seeds), measure_folders(rendered, arguments.model.resolve()))
    for name, value, floor, holds in rows:
        missed |= not holds
        print(f"{name:58} {value:>16}   {floor:12} {'yes' if holds else 'NO'}", flush=True)

    folders = {folder.name: load_pages(folder) for folder in [*sorted(REAL.glob("*/")), REAL.parent / "cases"]}
    folders = {"rendered": render(load_texts(ROOT / "data/pages")), **{name: pages for name, pages in folders.items() if pages}}
    readers = {"this project": on, **dict(peers())}
    print(f"\n{'accuracy, CPU s a page':24}{'pages':>6}" + "".join(f"{name:>26}" for name in readers))
    for folder, pages in folders.items():
        print(f"{folder:24}{len(pages):6}", end="")
        for reader in readers.values():
            scores, seconds = measure(pages, reader)
            print(f"{total(scores).accuracy:18.3f}{seconds:8.2f}", end="", flush=True)
        print()
    sys.exit(missed)


if __name__ == "__main__":
    main()
