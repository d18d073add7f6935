"""A folder as people have them: all kinds of files and names, blank, damaged, locked; and a run that is killed."""

import csv
import json
import os
import random
import signal
import struct
import subprocess
import time
import zlib
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from hocr_spec import HocrValidator
from lxml import etree
from PIL import Image
from pypdf import PdfReader, PdfWriter

from pipeline.output.export import SUFFIXES
from tests.batch.conftest import start
from tests.reading.conftest import set_text
from tests.schemas import alto_schema, page_schema

NAMES = ["photo (1).jpg", "café.jpg", "a=b.jpg", "x, y.jpg", "[d].jpg", "it's mine.jpg", "page10.jpg", "page2.jpg"]
READ = ["a=b", "café", "it's mine", "page2", "page10", "photo (1)", "scan", "two-1", "two-2", "x, y", "[d]"]


def draw(text: str) -> Image.Image:
    return Image.fromarray(set_text(text, size=40, margin=30))


@pytest.fixture
def folder(tmp_path) -> Path:
    pages = tmp_path / "pages"
    pages.mkdir()
    for number, name in enumerate(NAMES):
        draw(f"ROOM {number}").save(pages / name)
    draw("SCAN").save(pages / "scan.pdf", resolution=150)
    draw("ONE").save(pages / "two.tif", save_all=True, append_images=[draw("TWO")])
    Image.fromarray(np.full((300, 400, 3), 220, np.uint8)).save(pages / "blank.png")
    locked = PdfWriter(PdfReader(pages / "scan.pdf"))
    locked.encrypt("secret")
    locked.write(pages / "locked.pdf")
    (pages / "cut.pdf").write_bytes((pages / "scan.pdf").read_bytes()[:900])
    (pages / "cut.jpg").write_bytes((pages / NAMES[0]).read_bytes()[:300])
    (pages / "bomb.png").write_bytes(bomb(60_000))
    for hidden in ("._page2.jpg", ".hidden.png", "notes.txt"):
        (pages / hidden).write_text("no page")
    return pages


def bomb(side: int) -> bytes:
    """A small PNG that says it holds `side` x `side` pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def summary(folder: Path) -> dict[str, dict[str, str]]:
    with open(folder / "read/summary.csv", newline="", encoding="utf-8") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def test_a_folder_as_people_have_them(folder, tmp_path, trained_model):
    (tmp_path / "read").mkdir()
    done = start(tmp_path, str(folder), "--formats", "all", "--pdf", "one", stderr=subprocess.PIPE)
    out, err = done.communicate(timeout=300)
    assert done.returncode == 1  # some could not be read
    rows = summary(tmp_path)
    assert [name for name, row in rows.items() if row["status"] == "read"] == sorted(READ, key=list(rows).index)
    assert list(rows).index("page2") + 1 == list(rows).index("page10")
    assert {name: row["status"] for name, row in rows.items() if name not in READ} == {
        "blank": "empty",
        **dict.fromkeys(("bomb", "cut", "cut-2", "locked"), "failed"),
    }
    for name, said in (
        ("bomb.png", "more than 100,000,000 pixels"),
        ("locked.pdf", "password"),
        ("cut.pdf", "is the file complete?"),
        ("cut.jpg", ""),
    ):
        lines = [line for line in err.splitlines() if f"{name}: " in line]
        assert len(lines) == 1 and said in lines[0] and "Traceback" not in err
    assert out.count(f"{folder}/") == len(READ) + 1
    for name in [*READ, "blank"]:
        files = {kind: tmp_path / "read" / f"{name}{suffix}" for kind, suffix in SUFFIXES.items()}
        alto_schema().assertValid(etree.parse(files["alto"]))
        page_schema().assertValid(etree.parse(files["page"]))
        assert HocrValidator("standard").validate(str(files["hocr"])).is_valid()
        assert (
            json.loads(files["json"].read_text(encoding="utf-8"))["text"] + "\n" * (name != "blank") == files["txt"].read_text()
        )
        assert all(file.exists() for file in files.values())
    left = {path.name for path in (tmp_path / "read").iterdir() if not path.name.startswith(".")}
    assert left == {f"{name}{suffix}" for name in [*READ, "blank"] for suffix in SUFFIXES.values()} | {"summary.csv", "pages.pdf"}
    assert len(pypdfium2.PdfDocument(tmp_path / "read/pages.pdf")) == len(READ) + 1


@pytest.mark.slow
def test_killed_at_ten_random_moments_every_page_is_read_once(tmp_path, trained_model):
    pages, read, draws = tmp_path / "pages", tmp_path / "read", random.Random(0)
    pages.mkdir()
    names: list[str] = []

    def draw_up_to(count: int) -> None:
        for number in range(len(names), count):
            names.append(f"page{number}")
            draw(f"NUMBER {number}").save(pages / f"{names[-1]}.png")

    written: dict[str, int] = {}
    kills, left = 0, 20
    while kills < 10:
        draw_up_to(len(written) + left)
        run = start(
            tmp_path, str(pages), "--jobs", "2", "--formats", "txt,json", stderr=subprocess.DEVNULL, start_new_session=True
        )
        wanted = len(written) + draws.randint(0, 3)
        while run.poll() is None and len(list((read / ".read").glob("page*.json"))) < wanted:
            time.sleep(0.02)
        time.sleep(draws.uniform(0, 0.5))
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            kills += 1
        else:  # a fast machine reads all that was left in half a second: leave it more
            assert run.returncode == 0
            left *= 2
        run.communicate()
        whole = {path.stem for path in (read / ".read").glob("*.json") if not path.name.startswith(".")}  # the others are halves
        assert (
            written.items() <= {name: (read / f"{name}.txt").stat().st_mtime_ns for name in whole}.items()
        )  # none is read again
        written = {name: (read / f"{name}.txt").stat().st_mtime_ns for name in whole}
        for name in whole:
            assert json.loads((read / f"{name}.json").read_text())["text"] + "\n" == (read / f"{name}.txt").read_text()
    draw_up_to(len(written) + left)
    assert len(written) > 5
    last = start(tmp_path, str(pages), "--jobs", "2", "--formats", "txt,json")
    last.communicate(timeout=300)
    assert last.returncode == 0 and list(summary(tmp_path)) == names
    assert written.items() <= {name: (read / f"{name}.txt").stat().st_mtime_ns for name in names}.items()
    assert {path.name for path in read.iterdir() if not path.name.startswith(".")} == {
        "summary.csv",
        *(f"{name}{suffix}" for name in names for suffix in (".txt", ".json")),
    }
    assert {path.name for path in read.iterdir() if path.name.startswith(".")} == {".read"}  # nothing half-written is left
