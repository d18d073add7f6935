"""`python -m pipeline.ocr` on a user's own photos: what it reads, what it refuses, and what it then leaves behind."""

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from pipeline import ocr as stage
from pipeline.common.errors import ConfigError, DataError, PageError
from pipeline.reading import Character, Line, Page, Word

SUFFIXES = [".hocr", ".json", ".pdf", ".png", ".txt", ".xml"]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Two photos to read; the reader itself is a stub that sees an A on them, and nothing on black ones."""

    def read(image, network, options, language, ink):
        if not image.any():
            raise PageError("nothing to read")
        return Page(image.shape[1], image.shape[0], 0.0, [Line([Word([Character("A", (5, 5, 20, 25), 0.9)])])])

    monkeypatch.setattr(stage, "load_network", lambda path: (None, {}))
    monkeypatch.setattr(stage, "read", read)
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for name in ("b.png", "a.jpg"):
        Image.new("RGB", (60, 40), "white").save(f"photos/{name}")
    return tmp_path


def run(pages, output="read", language="none.npz", weight=0.0) -> list[str]:
    """Read `pages` and return what is then in `output`."""
    options = SimpleNamespace(
        pages=pages, output=output, model="model.npz", ink="none", language=language, language_weight=weight
    )
    stage.ocr(SimpleNamespace(ocr=options), Path("."))
    return sorted(path.name for path in Path(output).iterdir())


def test_files_folders_and_standard_input(folder, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(Path("photos/b.png").read_bytes())))
    written = run(["photos/b.png", "photos", "-"])
    assert written == sorted(f"{name}{suffix}" for name in ("b", "a", "b-2", "page") for suffix in SUFFIXES)
    assert capsys.readouterr().out.splitlines()[::3] == ["photos/b.png:", "photos/a.jpg:", "photos/b.png:", "-:"]


def test_one_photo_prints_its_text_alone(folder, capsys):
    run("photos/a.jpg")
    assert capsys.readouterr().out == "A\n"


def test_a_folder_may_be_called_as_a_number(folder):
    Path("photos").rename("2024")
    assert len(run(2024)) == 2 * len(SUFFIXES)


@pytest.mark.parametrize(
    "pages, said",
    [
        ("nowhere.jpg", "nowhere.jpg: no such file or folder"),
        (["photos", "empty"], "empty: holds no photos"),
        ([], "ocr.pages: names no photos"),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_read(folder, pages, said):
    Path("empty").mkdir()
    with pytest.raises(PageError, match=said):
        run(pages)
    assert not Path("read").exists()


def test_bad_pages_leave_nothing_and_do_not_stop_the_others(folder, capsys):
    Path("photos/text.jpg").write_text("hello")
    Image.new("RGB", (60, 40)).save("photos/black.png")
    with pytest.raises(PageError, match="2 of 4 pages could not be read"):
        run("photos")
    assert sorted(path.stem for path in Path("read").iterdir()) == ["a"] * len(SUFFIXES) + ["b"] * len(SUFFIXES)
    errors = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1].strip() for line in errors] == ["photos/black.png", "photos/text.jpg"]


@pytest.mark.parametrize("output, said", [("photos", "holds the pages themselves"), ("file", "is a file; name a folder")])
def test_an_output_that_would_do_harm_is_refused(folder, output, said):
    Path("file").write_text("mine")
    before = sorted(Path("photos").iterdir())
    with pytest.raises(ConfigError, match=f"ocr.output: {output} {said}"):
        run("photos", output)
    assert sorted(Path("photos").iterdir()) == before and Path("file").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_one_line(folder):
    with pytest.raises(DataError, match="cannot be written") as caught:
        run("photos", "/proc/nothing")
    assert "\n" not in str(caught.value)


def test_no_language_table_is_needed_when_it_is_off(folder):
    assert run("photos", language="none.npz", weight=0.0)
    with pytest.raises(DataError, match="set language_weight to 0"):
        run("photos", language="none.npz", weight=1.0)


def test_names_and_truths_that_are_no_valid_text(folder, capsys):
    """As a disk may hold them: not UTF-8."""
    os.rename("photos/b.png", b"photos/b\xff.png")
    Path("photos/a.txt").write_bytes(b"A \xff")
    assert len(run("photos")) == 2 * len(SUFFIXES)
    out, err = capsys.readouterr()
    assert out.encode("utf-8") and "1 pages scored" in err
