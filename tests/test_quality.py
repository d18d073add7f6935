"""What the pipeline's own model can do: characters by unseen hands, characters drawn for the tests, the rendered pages.

It reads what `make repro` made; a change of the code that makes reading worse fails here without training anything anew.
"""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.characters import CLASSES
from pipeline.nn.network import load_network, save_network
from pipeline.synthesis.pen import draw
from scripts.build_strokes import read_stroke
from tests.conftest import ROOT, clean_environment

MADE = [
    ROOT / "prepared/characters.npz",
    ROOT / "prepared/pages",
    ROOT / "prepared/forms",
    *(ROOT / "models" / f"{name}.npz" for name in ("model", "ink", "lattice")),
]
DRAWN = Path(__file__).parent / "data/drawn_characters.txt"

pytestmark = pytest.mark.skipif(not all(path.exists() for path in MADE), reason="`make repro` has not made the models yet")


@pytest.fixture(scope="module")
def stage(tmp_path_factory) -> Callable[..., str]:
    """Runs a stage on what `make repro` made; it writes into a folder of its own, `stage.folder`."""
    folder = tmp_path_factory.mktemp("quality")
    for name in ("prepared", "models"):
        (folder / name).symlink_to(ROOT / name)

    def run(name: str, *overrides: str) -> str:
        command = [sys.executable, "-m", f"pipeline.{name}", "tracking.uri=none", f"hydra.run.dir={folder}", *overrides]
        done = subprocess.run(command, cwd=ROOT, env=clean_environment(), text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.folder = folder
    return run


FLOORS = {
    "test/accuracy_characters": 0.86,  # by fonts no network has learnt from, many of them hard to read
    "test/accuracy_signs_alike": 0.8,  # - and _ are one shape, and so are , and '
    "test/accuracy_nothing": 0.65,
}
CALIBRATION = 0.04  # how far confidence may be from accuracy, on average
CER = 0.06  # of all rendered pages


def gate(measured: dict[str, float]) -> set[str]:
    """What a network's measures on generated characters miss."""
    missed = {name for name, floor in FLOORS.items() if measured[name] <= floor}
    return missed | ({"test/calibration_error"} if measured["test/calibration_error"] >= CALIBRATION else set())


def on_characters(stage: Callable[..., str], *overrides: str) -> dict[str, float]:
    stage("evaluate", *overrides)
    return json.loads((stage.folder / "reports/metrics/evaluate.json").read_text())


def test_characters_of_unseen_hands_are_read_and_the_confidence_is_honest(stage):
    assert gate(on_characters(stage)) == set()


def test_the_gate_sees_that_two_letters_are_mixed_up_and_that_confidence_is_twice_what_it_should_be(stage, tmp_path):
    before = on_characters(stage)["test/accuracy_characters"]
    damaged = on_characters(stage, f"evaluate.model={mixed_up(tmp_path / 'mixed.npz', 'E', 'T')}")
    assert before - damaged["test/accuracy_characters"] == pytest.approx(2 / 36, abs=0.015)  # those two classes, no other
    assert "test/accuracy_characters" in gate(damaged)
    network, extra = load_network(MADE[3])
    for values in network.layers[-1].params.values():
        values *= 2
    save_network(tmp_path / "sure.npz", network, extra)
    assert gate(on_characters(stage, f"evaluate.model={tmp_path / 'sure.npz'}")) == {"test/calibration_error"}


def mixed_up(path: Path, one: str, other: str) -> Path:
    """The pipeline's network with the outputs of two characters exchanged, in a file."""
    network, extra = load_network(MADE[3])
    a, b = (extra["alphabet"]["characters"].index(character) for character in (one, other))
    for values in network.layers[-1].params.values():
        values[..., [a, b]] = values[..., [b, a]]
    save_network(path, network, extra)
    return path


def test_characters_drawn_for_the_tests_are_read(stage, tmp_path):
    images, labels = drawn_characters()
    np.savez(tmp_path / "drawn.npz", images=images, labels=labels)
    measured = json.loads(stage("evaluate", f"evaluate.on={tmp_path / 'drawn.npz'}").splitlines()[-1])
    assert measured["n"] == len(labels) == 36 * 6
    assert measured["accuracy"] > 0.9


@pytest.fixture(scope="module")
def read(stage) -> dict:
    """What the stage ocr says of the rendered pages and the filled forms."""
    stage("ocr")
    return json.loads((stage.folder / "reports/metrics/ocr.json").read_text())


def test_the_rendered_pages_are_read(read):
    assert len(read["pages"]) == 9
    assert read["pages"]["9_receipt"]["cer"] < 0.25  # nearly half of it are signs
    assert read["total"]["cer"] < CER
    assert (
        sum(page["cer"] < 0.1 for page in read["pages"].values()) >= 6
    )  # 2_letters and 5_label lose short strokes to lines: to be mended


@pytest.fixture(scope="module")
def line(tmp_path_factory) -> Path:
    """A line cut out of a rendered page."""
    path = tmp_path_factory.mktemp("line") / "line.png"
    with Image.open(ROOT / "prepared/pages/6_note.jpg") as page:
        page.crop((190, 385, 1540, 510)).save(path)
    return path


def text_of(path: Path, *options: str) -> str:
    command = [sys.executable, "-m", "pipeline.read", str(path), "--out", str(path.parent / "out"), "--again", *options]
    done = subprocess.run(command, cwd=ROOT, env=clean_environment(), text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("turns", range(4))
def test_a_cut_out_line_reads_the_same_whichever_way_it_is_turned(line, turns, tmp_path):
    with Image.open(line) as picture:
        picture.rotate(90 * turns, expand=True).save(tmp_path / "turned.png")
    assert text_of(tmp_path / "turned.png") == "THE QUICK BROWN FOX JUMPED"


@pytest.mark.parametrize("word", ["FOXES", "BROWNIES", "JUMPEDOVERTHEMOON"])
def test_a_list_of_words_takes_nothing_from_a_line_that_only_begins_like_it(line, word, tmp_path):
    (tmp_path / "words.txt").write_text(word)
    assert text_of(line, "--words", str(tmp_path / "words.txt")) == "THE QUICK BROWN FOX JUMPED"


def test_the_gate_sees_that_a_page_is_read_with_two_letters_mixed_up(stage, tmp_path):
    """The language model puts some of them right; what is left must still be seen."""
    (tmp_path / "prepared/forms").mkdir(parents=True)
    pages = tmp_path / "prepared/pages"
    pages.mkdir()
    for file in (ROOT / "prepared/pages").glob("1_list.*"):
        shutil.copy(file, pages)
    model = mixed_up(tmp_path / "mixed.npz", "E", "T")
    for name, expected in {MADE[3]: True, model: False}.items():
        stage(
            "ocr",
            f"hydra.run.dir={tmp_path}",
            f"ocr.model={name}",
            *(f"ocr.{n}={ROOT}/models/{n}.npz" for n in ("ink", "lattice")),
        )
        read = json.loads((tmp_path / "reports/metrics/ocr.json").read_text())
        assert (read["total"]["cer"] < CER) == expected


def test_the_filled_forms_are_read(read):
    forms = read["forms"]
    assert set(forms) == {"exam_cover", "order_sheet", "total"}
    assert forms["total"]["character_accuracy"] >= 0.96  # wanted are 0.97, 0.90 and 0.98: an open 9 is read as 5
    assert forms["total"]["field_accuracy"] >= 0.90
    assert forms["total"]["field_accuracy_at_90"] >= 0.92


def test_a_form_is_found_on_a_desk_with_more_corners_than_it_has(tmp_path):
    def run(*command: str) -> None:
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=clean_environment(), check=True, capture_output=True)

    run("pipeline.fill", f"hydra.run.dir={tmp_path}", "fill.forms=[order_sheet]", "fill.seed=2", "fill.copies=4")
    form = tmp_path / "prepared/forms/order_sheet/4"  # lies across, on a pattern as bright as the sheet
    run("pipeline.read", f"{form}.jpg", "--form", "order_sheet", "--out", str(tmp_path / "read"))
    with open(f"{form}.csv", newline="", encoding="utf-8") as file:
        (written,) = csv.DictReader(file)
    with open(tmp_path / "read/forms.csv", newline="", encoding="utf-8") as file:
        (read,) = csv.DictReader(file)
    assert sum(read[name] == text for name, text in written.items()) > 0.8 * len(written)


def test_a_filled_form_is_read_without_its_description(tmp_path):
    form = ROOT / "prepared/forms/order_sheet/1"
    command = [sys.executable, "-m", "pipeline.read", f"{form}.jpg", "--formats", "txt,csv", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=clean_environment(), check=True, capture_output=True)
    with open(f"{form}.csv", newline="", encoding="utf-8") as file:
        written = [text for text in list(csv.reader(file))[1] if len(text) > 2]
    with open(tmp_path / "1.csv", newline="", encoding="utf-8") as file:
        read = {column for row in csv.reader(file) for column in row}
    assert sum(text in read for text in written) > len(written) / 2  # nothing but its lines says that a comb is one word


def drawn_characters() -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 64, 64) uint8, bright ink on 0, and labels (N,): each character upright and slanted, by three pens."""
    images, labels = [], []
    for line in DRAWN.read_text().splitlines():
        if line.startswith("#"):
            continue
        points = np.concatenate([dense(read_stroke(stroke)) for stroke in line[1:].split("|")])
        for slant in (0.0, 0.25):
            for pen in (2.0, 3.5, 6.0):
                x = points[:, 0] - slant * points[:, 1]
                placed = np.stack([x - (x.min() + x.max()) / 2, points[:, 1] - 0.5], 1) * 40 + 32
                inked = draw(placed.astype(np.float32), np.full(len(x), pen / 2, np.float32), np.zeros(len(x), int), (1, 64, 64))
                images.append((inked[0] * 255).astype(np.uint8))
                labels.append(CLASSES.index(line[0]))
    return np.stack(images), np.array(labels, np.uint8)


def dense(stroke: np.ndarray) -> np.ndarray:
    """The stroke (K, 2) with points so near each other that the pen's touches join."""
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    at = np.linspace(0, along[-1], 2 + int(along[-1] / 0.01))
    return np.stack([np.interp(at, along, stroke[:, axis]) for axis in (0, 1)], 1)
