"""Brings what `dvc repro` measured, read and drew into README.md and docs/: `python -m scripts.update_docs`.

A number stands between `<!-- evaluate test/accuracy -->` and `<!-- / -->`: the file below reports/metrics/, and the keys in it.
The heat map is that of `pipeline.train -m experiment=grid` and `pipeline.promote --dry-run`, if that was the last sweep.
`measured` is docs/measured.json, for what takes data that are not part of the project; commands stand beside the numbers.
A text stands between `<!-- reports/pages/6_note.txt -->` and `<!-- / -->`, what the command above prints between
`<!-- prints -->` and `<!-- / -->`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.characters import SIZE

ROOT = Path(__file__).resolve().parent.parent
NUMBER = re.compile(r"<!-- (\w+) (\S+) -->[^<]*<!-- / -->")
TEXT = re.compile(r"<!-- (\S+\.txt) -->\n.*?<!-- / -->", re.DOTALL)
PRINTED = re.compile(r"^    (.+)\n\n<!-- prints -->\n[\s\S]*?<!-- / -->", re.MULTILINE)
NEEDED = ("pipeline", "conf", "data", "models", "prepared")  # folders of the project, to read pages and forms
MADE = [ROOT / "prepared/pages", ROOT / "prepared/forms", *(ROOT / f"models/{name}.npz" for name in ("model", "ink", "lattice"))]
PICTURES = {"reports/pages/6_note.png": "docs/page.png", "reports/figures/confused_pairs.png": "docs/confused_pairs.png"}
SWEEP, GRID = "reports/sweep.md", "experiment=grid`"  # the report of the last sweep; the sweep that is shown
SWEEP_PICTURES = ("heat_map", "parallel_coordinates")
CONTACT_SHEET, SAMPLES, COLUMNS = "prepared/contact_sheet.png", 9, 3
STEPS_PAGE, WIDTH = "prepared/pages/6_note.jpg", 900
STEPS = ("1_sheet", "2_pixels", "3_ink", "4_lines", "5_pieces", "6_candidates_line02")
DIGITS = 3
UNKNOWN = "-"


def find(source: str, keys: str) -> str:
    """The number under `a/b` or under the key `a/b` itself, rounded; `-` if it has not been measured."""
    path = ROOT / ("docs/measured.json" if source == "measured" else f"reports/metrics/{source}.json")
    value = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    while keys and isinstance(value, dict):
        key = keys if keys in value else keys.split("/")[0]
        value, keys = value.get(key, UNKNOWN), keys[len(key) + 1 :]
    return value if isinstance(value, str) else f"{value:.{DIGITS}f}" if isinstance(value, float) else str(value)


def updated(text: str) -> str:
    """The document with all numbers and texts as they are now."""
    text = NUMBER.sub(lambda m: f"<!-- {m[1]} {m[2]} -->{find(m[1], m[2])}<!-- / -->", text)

    def with_text(match: re.Match) -> str:
        path = ROOT / match[1]
        if not path.exists():
            return match[0]
        return f"<!-- {match[1]} -->\n{_block(path.read_text(encoding='utf-8'))}\n<!-- / -->"

    def with_print(match: re.Match) -> str:
        if not all(path.exists() for path in MADE):
            return match[0]
        return f"    {match[1]}\n\n<!-- prints -->\n{_block(printed(match[1]))}\n<!-- / -->"

    return PRINTED.sub(with_print, TEXT.sub(with_text, text))


def _block(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.strip().splitlines())


@cache
def printed(command: str) -> str:
    """What a command prints where nothing has been read before; its results are thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        for name in NEEDED:
            Path(folder, name).symlink_to(ROOT / name)
        Path(folder, "outputs").mkdir()
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            command,
            shell=True,
            cwd=folder,
            env={**os.environ, "PATH": path},
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    return done.stdout


def documents() -> list[Path]:
    """README.md and all pages of docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def main() -> None:
    for document in documents():
        before = document.read_text(encoding="utf-8")
        after = updated(before)
        if after != before:
            document.write_text(after, encoding="utf-8")
            print(f"{document.relative_to(ROOT)}: updated")
        if f">{UNKNOWN}<!-- / -->" in after:
            print(f"{document.relative_to(ROOT)}: has numbers that nobody measured yet, shown as {UNKNOWN}", file=sys.stderr)
    for source, target in PICTURES.items():
        if (ROOT / source).exists():
            shutil.copyfile(ROOT / source, ROOT / target)
    if (ROOT / SWEEP).exists() and GRID in (ROOT / SWEEP).read_text(encoding="utf-8"):
        for name in SWEEP_PICTURES:
            shutil.copyfile(ROOT / "reports/sweep" / f"{name}.png", ROOT / "docs" / f"{name}.png")
    draw_steps()
    if (ROOT / CONTACT_SHEET).exists():
        arranged(np.asarray(Image.open(ROOT / CONTACT_SHEET))).save(ROOT / "docs/contact_sheet.png", optimize=True)


def draw_steps() -> None:
    """The pictures of docs/reader.md: one page on its way through the reader."""
    page, target = ROOT / STEPS_PAGE, ROOT / "docs/steps"
    if not page.exists() or not (ROOT / "models/lattice.npz").exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        read = [sys.executable, "-m", "pipeline.read", page, "--out", f"{folder}/read", "--debug", f"{folder}/steps"]
        subprocess.run(read, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        target.mkdir(exist_ok=True)
        for name, source in {"0_photo": page, **{n: Path(folder, "steps", page.stem, f"{n}.png") for n in STEPS}}.items():
            picture = Image.open(source).convert("RGB")
            picture.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
            picture.save(target / f"{name}.jpg", quality=85)


def arranged(sheet: np.ndarray) -> Image.Image:
    """The contact sheet, a row a class, as three columns of rows with some samples of each class; dark ink on white."""
    rows = sheet[:, : SAMPLES * SIZE].reshape(-1, SIZE, SAMPLES * SIZE)  # (classes, SIZE, SAMPLES * SIZE)
    each = -(-len(rows) // COLUMNS)
    gap = SIZE // 2
    picture = np.full((each * SIZE, COLUMNS * (SAMPLES * SIZE + gap) - gap), 255, np.uint8)
    for number, row in enumerate(rows):
        top, left = number % each * SIZE, number // each * (SAMPLES * SIZE + gap)
        picture[top : top + SIZE, left : left + SAMPLES * SIZE] = 255 - row
    return Image.fromarray(picture)


if __name__ == "__main__":
    main()
