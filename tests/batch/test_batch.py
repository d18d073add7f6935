"""Files and folders: what is read, what is refused, what is left behind, and what a second start does."""

import csv
import io
import json
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from pipeline import read as command
from pipeline.batch import run as batch
from pipeline.batch import work
from pipeline.batch.sources import find_sources
from pipeline.characters.alphabet import CAPITALS, DIGITS
from pipeline.common.errors import ConfigError, EmptyPageError, PageError
from pipeline.forms.reading import Reading
from pipeline.output.export import SUFFIXES
from pipeline.reading import Character, Line, OcrOptions, Page, Word
from tests.batch.conftest import start
from tests.conftest import ROOT, clean_environment


@pytest.fixture
def read_count(tmp_path, monkeypatch) -> list[int]:
    """Two photos to read; a stub sees an A on them, nothing on black ones, an empty form on grey ones, and counts them."""
    seen = []

    def load_reader(options, model, form):
        work.check_readable(options, CAPITALS + DIGITS)

        def read(image, name):
            seen.append(1)
            if not image.any():
                raise EmptyPageError("nothing to read")
            if image[0, 0, 0] == 99:
                time.sleep(5)
            if form and image[0, 0, 0] == 200:
                return Page(image.shape[1], image.shape[0], 0.0, []), {
                    "number": Reading("", 1.0, []),
                    "agreed": Reading("", 1.0, []),
                }
            fields = {"number": Reading("A", 0.9, [0.9]), "agreed": Reading("", 0.8, [])} if form else {}
            return Page(image.shape[1], image.shape[0], 0.0, [Line([Word([Character("A", (5, 5, 20, 25), 0.9)])])]), fields

        return read

    monkeypatch.setattr(work, "load_reader", load_reader)
    monkeypatch.setattr(batch, "md5", lambda path: "")
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for name in ("b.png", "a.jpg"):
        Image.new("RGB", (60, 40), "white").save(f"photos/{name}")
    return seen


def run(*arguments: str, out: str = "read") -> list[str]:
    """Read as the command line says and return what is then in `out`."""
    command.main([*arguments, "--out", out])
    return sorted(path.name for path in Path(out).iterdir() if not path.name.startswith(".")) if Path(out).is_dir() else []


def statuses(out: str = "read") -> dict[str, str]:
    with open(Path(out) / "summary.csv", newline="") as file:
        return {row["name"]: row["status"] for row in csv.DictReader(file)}


def test_files_folders_and_standard_input(read_count, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(Path("photos/b.png").read_bytes())))
    written = run("photos/b.png", "photos", "-", "--formats", "all")
    assert written == sorted(
        [*(f"{n}{suffix}" for n in ("b", "a", "b-2", "page") for suffix in SUFFIXES.values()), "summary.csv"]
    )
    assert capsys.readouterr().out.splitlines()[::3] == ["photos/b.png:", "photos/a.jpg:", "photos/b.png:", "-:"]


def test_one_photo_prints_its_text_alone_and_does_so_again(read_count, capsys):
    for _ in range(2):
        run("photos/a.jpg")
        assert capsys.readouterr().out == "A\n"
    assert len(read_count) == 1


NAMES = ["photo (1).jpg", "café.jpg", "a=b.jpg", "x, y.jpg", "[d].jpg", "it's mine.jpg", "-dash.jpg", "2024"]


def test_any_file_name_works_as_typed(read_count, monkeypatch):
    monkeypatch.setenv("HOME", str(Path.cwd()))
    for name in [*NAMES, "home.jpg"]:
        Image.new("RGB", (60, 40), "white").save(name, "JPEG")
    os.rename("photos/b.png", b"photos/b\xff.png")
    assert command.main(["--out", "read", "--", *NAMES, "~/home.jpg", "photos"]) == 0
    assert set(statuses().values()) == {"read"} and len(statuses()) == len(NAMES) + 3


@pytest.mark.parametrize(
    "pages, said",
    [(["nowhere.jpg"], "nowhere.jpg: no such file or folder"), (["photos", "empty"], "empty: holds no photos")],
)
def test_what_is_not_there_is_said_before_anything_is_read(read_count, pages, said, capsys):
    Path("empty").mkdir()
    assert run(*pages) == [] and said in capsys.readouterr().err and not read_count


def test_pages_come_in_natural_order_and_hidden_files_and_results_are_left_alone(read_count):
    for name in ("page10.png", "page2.png", "._page2.png", ".hidden.png", "sub/page1.png", "done/old.png"):
        Path("photos", name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (60, 40), "white").save(f"photos/{name}")
    Path("photos/done/.read").mkdir()
    assert [source.name for source in find_sources("photos")] == ["a", "b", "page2", "page10"]
    assert [source.name for source in find_sources("photos", recursive=True)] == ["a", "b", "page2", "page10", "page1"]


def test_every_page_has_its_status_and_failed_ones_keep_no_earlier_result(read_count, capsys):
    run("photos", "--formats", "txt,json")
    Path("photos/b.png").write_text("hello")
    Image.new("RGB", (60, 40)).save("photos/black.png")
    assert run("photos", "--formats", "txt,json") == ["a.json", "a.txt", "black.json", "black.txt", "summary.csv"]
    assert statuses() == {"a": "read", "b": "failed", "black": "empty"}
    errors = capsys.readouterr().err.splitlines()
    assert "photos/b.png: not an image" in errors[1] and "3 pages: 1 read, 1 empty, 1 failed, 0 doubtful" in errors[2]
    assert Path("read/black.txt").read_text() == ""


def test_earlier_results_are_kept_where_new_ones_cannot_be_written(read_count, capsys):
    def content() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in Path("read").iterdir() if path.is_file()}

    run("photos", "--formats", "txt,csv")
    before = content()
    Path("read/a.json").mkdir()
    assert command.main(["photos", "--formats", "txt,json", "--out", "read"]) == 1
    assert "a.json is a folder); what was there before is intact" in capsys.readouterr().err
    assert content() == before
    Path("read/a.json").rmdir()
    assert run("photos", "--formats", "txt,csv") == sorted(before) and len(read_count) == 4  # what was not written is read again
    assert run("photos", "--formats", "json", "--again") == ["a.json", "b.json", "summary.csv"]  # no other formats stay


def test_a_page_with_nothing_on_it_says_so_if_it_was_named(read_count, capsys):
    Image.new("RGB", (60, 40)).save("photos/black.png")
    run("photos/black.png")
    assert capsys.readouterr().err == "photos/black.png: nothing to read\n"
    run("photos")
    assert capsys.readouterr().err.startswith("read: 3 pages")


def test_what_the_terminal_cannot_show_is_escaped(read_count, monkeypatch):
    Image.new("RGB", (60, 40), "white").save("photos/üñ—名.png")
    shown = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(shown, encoding="ascii"))
    assert command.main(["photos", "--out", "read"]) == 0
    assert b"photos/\\xfc\\xf1\\u2014\\u540d.png:\nA\n" in shown.getvalue()


def test_a_record_is_found_again_whatever_the_language(tmp_path):
    batch.records.save(batch.Record("h\udcc3\udcbc", "hü.png", 1, "read", "", []), tmp_path)
    assert batch.records.load(tmp_path, "hü").name == "hü"


def test_a_second_start_reads_what_is_missing_changed_or_asked_for_in_another_way(read_count):
    def reads(*more: str) -> int:
        before = len(read_count)
        run("photos", *more)
        return len(read_count) - before

    assert reads() == 2 and reads() == 0
    Path("read/a.txt").unlink()
    assert reads() == 1
    Image.new("RGB", (90, 40), "white").save("photos/a.jpg")
    assert reads() == 1
    assert reads("--reject-below", "0.5") == 2 and reads("--formats", "json", "--reject-below", "0.5") == 2
    assert reads("--again") == 2
    Path("read/.read/a.json").write_text("{")
    assert reads() == 1


def test_what_a_killed_process_left_half_written_is_removed(read_count):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    Path("read").mkdir()
    names = [f".a.txt.{platform.node()}.{ended.pid}", f".c.txt.{platform.node()}.{os.getpid()}", ".mine", ".a.txt.elsewhere.7"]
    for name in names:
        Path("read", name).write_text("half")
    run("photos")
    assert [Path("read", name).exists() for name in names] == [False, True, True, True]


def test_parts_share_the_pages(read_count):
    for name in "cdefg":
        Image.new("RGB", (60, 40), "white").save(f"photos/{name}.png")
    options = command._options({"pages": "photos", "output": "read", "formats": ["txt"], "parts": 3})
    for part in range(3):
        options.part = part
        batch.run(find_sources("photos"), options, Path("m"), Path("read"), remember=True, show=False)
    assert len(read_count) == 7 and list(statuses()) == list("abcdefg")


def test_a_page_that_takes_too_long_is_given_up(read_count):
    Image.new("RGB", (60, 40), (99, 99, 99)).save("photos/slow.png")
    run("photos", "--seconds", "0.2")
    assert statuses() == {"a": "read", "b": "read", "slow": "failed"}


def test_pages_of_one_file_are_numbered_and_one_pdf(read_count):
    pages = [Image.new("RGB", (60, 40), "white") for _ in range(2)]
    pages[0].save("two.tif", save_all=True, append_images=pages[1:])
    pages[0].save("two.pdf", save_all=True, append_images=[*pages[1:], Image.new("RGB", (60, 40))])
    written = run("two.tif", "two.pdf", "--formats", "txt,pdf")
    assert statuses() == {"two-1": "read", "two-2": "read", "two-3-1": "read", "two-3-2": "read", "two-3-3": "empty"}
    assert {"two.pdf", "two-3.pdf"} < set(written) and (pages_of("read/two.pdf"), pages_of("read/two-3.pdf")) == (2, 3)
    assert "pages.pdf" in run("photos", "--formats", "pdf", "--pdf", "one", out="all")


def pages_of(pdf: str) -> int:
    return len(pypdfium2.PdfDocument(pdf))


def test_the_pdf_of_a_file_has_all_of_its_pages_or_is_not_written(read_count, capsys):
    several("two.tif")
    assert "two.pdf" in run("two.tif", "photos/a.jpg", "--formats", "pdf")
    slow = Image.new("RGB", (60, 40), (99, 99, 99))
    Image.new("RGB", (60, 40), "white").save("two.tif", save_all=True, append_images=[slow, Image.new("RGB", (60, 40))])
    capsys.readouterr()
    given = ["two.tif", "photos/a.jpg", "--formats", "pdf", "--seconds", "0.2"]
    assert run(*given) == ["a.pdf", "summary.csv", "two-1.pdf", "two-3.pdf"]
    assert "read/two.pdf: is not written, because two.tif, page 2 could not be read; the other pages" in capsys.readouterr().err
    assert "pages.pdf" in run(*given, "--pdf", "one") and pages_of("read/pages.pdf") == 3
    assert "read/pages.pdf: is without two.tif, page 2, which could not be read\n" in capsys.readouterr().err


def several(file: str, count: int = 2) -> str:
    """A file with several pages."""
    Path(file).parent.mkdir(exist_ok=True)
    pages = [Image.new("RGB", (60, 40), "white") for _ in range(count)]
    pages[0].save(file, save_all=True, append_images=pages[1:])
    return file


def test_no_result_has_the_name_of_another(read_count, monkeypatch, capsys):
    for name in ("letter.png", "summary.jpg", "forms.jpg", "pages.jpg", "x.jpg", "x.page.jpg", "z" * 240 + ".png"):
        Image.new("RGB", (60, 40), "white").save(name)
    files = [several(f"{folder}/scan.pdf") for folder in "ab"] + [
        several("letter.tif"),
        *(str(path) for path in Path().glob("*.[jp]*")),
    ]
    for _ in range(2):
        written = run(*files, "--formats", "all")
        assert "cannot be" not in capsys.readouterr().err
        joined = ["scan.pdf", "scan-3.pdf", "letter.pdf"]
        assert [pages_of(f"read/{name}") for name in joined] == [2, 2, 2]
        assert len(written) == 13 * len(SUFFIXES) + len([*joined, "summary.csv"])
        assert len(statuses()) == 13
    for _ in range(2):
        assert "pages-2.pdf" in run("pages.jpg", "letter.png", "--formats", "pdf", "--pdf", "one", out="one")
        assert pages_of("one/pages.pdf") == 2
    assert run("summary.jpg", out="text") == ["summary.csv", "summary.txt"]
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(Path("letter.tif").read_bytes())))
    assert run("-", "--formats", "pdf", out="in") == ["page-1.pdf", "page-2.pdf", "page.pdf", "summary.csv"]


@pytest.mark.parametrize(
    "output, said",
    [
        ("photos", "holds the pages themselves"),
        ("file", "is a file; name a folder"),
        ("file/x/y", "file is a file; name a folder"),
    ],
)
def test_an_output_that_would_do_harm_is_refused(read_count, output, said, capsys):
    Path("file").write_text("mine")
    before = sorted(Path("photos").iterdir())
    run("photos", out=output)
    assert said in capsys.readouterr().err
    assert sorted(Path("photos").iterdir()) == before and Path("file").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["photos", "--formats", "doc"], "formats: must name one or more of"),
        (["photos", "--jobs", "0"], "jobs: must be 1 or more"),
        (["photos", "--reject-below", "2"], "--reject-below: must be a number from 0 to 1, not 2.0"),
        (["photos", "--out", "/proc/nothing"], "cannot be written"),
        (["photos", "--characters", ""], "--characters: must not be empty"),
        (["photos", "--pattern", ""], "--pattern: must not be empty"),
        (["photos", "--pattern", "[a-z]+"], "read: --pattern: '[a-z]+' allows no text of what is read"),
        (["photos", "--characters", "helo"], "read: --characters: the network does not read 'ehlo'"),
        (["photos", "--out", ""], "--out: must not be empty"),
        (["photos", "--form", ""], "--form: an empty name is no file"),
        (["photos", "--form", "exam_cover", "--mode", "word"], "--mode: has no effect on a form"),
        (["photos", "--form", "exam_cover", "--pattern", "A"], "--pattern: has no effect on a form"),
        (["photos", "--form", "exam_cover", "--characters", "A"], "--characters: has no effect on a form"),
    ],
)
def test_mistakes_are_one_line(read_count, arguments, said, capsys):
    assert command.main(arguments) == 1
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["photos", "--jbos", "2"], "--jbos: no such option; did you mean --jobs?"),
        (["photos", "--jobs", "two"], "--jobs: invalid int value: 'two'"),
        (["photos", "--mode", "lines"], "--mode: invalid choice: 'lines'"),
        ([], "the following arguments are required: FILE"),
    ],
)
def test_what_the_command_line_does_not_know_is_one_line(read_count, arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    err = capsys.readouterr().err
    assert ended.value.code == 2 and said in err and err.startswith("read: ") and err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["ocr.pages=[]"], "ocr: ocr.pages: names no photos"),
        (["ocr.pages=[a.jpg]", "form=exam_cover", "ocr.mode=word"], "ocr: ocr.mode: has no effect on a form"),
    ],
)
def test_mistakes_of_the_stage_are_one_line(arguments, said):
    line = [sys.executable, "-m", "pipeline.ocr", *arguments]
    done = subprocess.run(line, cwd=ROOT, env=clean_environment(), capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith(said) and done.stderr.count("\n") == 1


def test_truths_are_scored_be_they_text_or_not(read_count, capsys):
    Path("photos/a.txt").write_bytes(b"A \xff")
    run("photos")
    assert "1 page scored" in capsys.readouterr().err


@pytest.fixture
def photos(tmp_path) -> Path:
    from tests.reading.conftest import set_text

    (tmp_path / "photos").mkdir()
    for number in range(6):
        Image.fromarray(set_text(f"PAGE {number}\nOF SIX")).save(tmp_path / f"photos/{number}.png")
    Image.fromarray(np.full((200, 300, 3), 200, np.uint8)).save(tmp_path / "photos/blank.png")
    return tmp_path


def test_two_processes_print_what_one_does(photos, trained_model):
    one, two = (start(photos / jobs, str(photos / "photos"), "--jobs", jobs) for jobs in "12")
    printed = one.communicate(timeout=120)[0]
    assert printed == two.communicate(timeout=120)[0] and printed.count("photos/") == 7
    assert one.returncode == two.returncode == 0


def test_a_killed_run_is_taken_up_where_it_ended(photos, trained_model):
    first = start(photos, str(photos / "photos"), "--formats", "txt,json")
    while not (photos / "read/1.txt").exists() and first.poll() is None:
        time.sleep(0.05)
    first.kill()
    first.wait()
    whole = {
        path.stem for path in (photos / "read/.read").glob("*.json") if not path.name.startswith(".")
    }  # the others are halves
    assert all((photos / f"read/{name}{suffix}").exists() for name in whole for suffix in (".txt", ".json"))
    kept = {name: (photos / f"read/{name}.txt").stat().st_mtime_ns for name in whole}
    second = start(photos, str(photos / "photos"), "--formats", "txt,json")
    second.communicate(timeout=120)
    assert second.returncode == 0 and len(statuses(str(photos / "read"))) == 7
    assert kept == {name: (photos / f"read/{name}.txt").stat().st_mtime_ns for name in kept}


def test_nobody_needs_to_listen(photos, trained_model):
    started = start(photos, str(photos / "photos"))
    started.stdout.readline()
    started.stdout.close()
    assert started.wait(timeout=120) == 0 and len(statuses(str(photos / "read"))) == 7


def test_reading_imports_only_what_it_needs(photos, trained_model):
    with Image.open(photos / "photos/1.png") as page:
        on_a_desk = Image.new("L", (page.width + 160, page.height + 160), 40)
        on_a_desk.paste(page.convert("L"), (80, 80))
    on_a_desk.save(photos / "photos/desk.png")
    code = (
        "import sys; from pipeline.read import main; "
        f"main([{str(photos / 'photos/desk.png')!r}, '--out', {str(photos / 'read')!r}]); "
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import json; {code}"], cwd=ROOT, env=clean_environment(), capture_output=True, text=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    heavy = (
        "hydra omegaconf mlflow dvc matplotlib pandas sklearn skimage.feature scipy.stats scipy.optimize scipy.spatial "
        "pypdfium2 fpdf joblib tqdm"
    )  # not scipy.linalg: SciPy 1.18, for Python 3.12 and later, imports it within scipy.ndimage
    assert not loaded & set(heavy.split())


def test_an_unreadable_page_is_an_error(tmp_path):
    Path(tmp_path / "bad.jpg").write_text("no")
    with pytest.raises(PageError):
        find_sources(str(tmp_path / "bad.jpg"))[0].load()


FORM = "template: blank.png\nfields:\n  number: {box: [0, 0, 1, 0.5]}\n  agreed: {box: [0, 0.5, 1, 1], kind: checkbox}\n"


def test_forms_are_rows_of_a_table_and_scored(read_count, capsys):
    Path("form.yaml").write_text(FORM)
    Path("photos/a.csv").write_text("number,agreed\na,x\n")
    Image.new("RGB", (60, 40), "black").save("photos/c.png")
    written = run("photos", "--form", "form.yaml", "--reject-below", "0.95")
    assert {"forms.csv", "coverage.csv", "summary.csv", "a.txt"} <= set(written)
    with open("read/forms.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == "name file page status number number_confidence agreed agreed_confidence flagged".split()
    assert [(row["name"], row["status"], row["number"], row["agreed"]) for row in rows] == [
        ("a", "read", "?", ""),
        ("b", "read", "?", ""),
        ("c", "empty", "", ""),
    ]
    said = capsys.readouterr()
    assert "number: ?" in said.out and "1 form scored: fields 2, character accuracy 1, field accuracy 0.5" in said.err
    run("photos", "--form", "form.yaml")
    assert "number: A" in capsys.readouterr().out


def test_a_form_with_nothing_in_it_is_not_doubtful(read_count, capsys):
    Path("form.yaml").write_text(FORM)
    Image.new("RGB", (60, 40), (200, 200, 200)).save("photos/c.png")
    run("photos", "--form", "form.yaml")
    assert "3 pages: 3 read, 0 empty, 0 failed, 0 doubtful" in capsys.readouterr().err


def test_a_truth_that_cannot_be_read_is_left_out_in_one_line(read_count, capsys):
    Path("form.yaml").write_text(FORM)
    for name in "cdef":
        Image.new("RGB", (60, 40), "black" if name == "f" else "white").save(f"photos/{name}.png")
    Path("photos/a.csv").write_text("town\nX\n")
    Path("photos/b.csv").mkdir()
    Path("photos/c.csv").write_bytes(b"number\n\xff\n")
    Path("photos/d.csv").write_text("number,agreed\nA,,more\n")
    Path("photos/e.csv").write_text("number,agreed\nA,\n")
    Path("photos/f.csv").write_text("number\nA\n")
    assert {"forms.csv", "summary.csv"} < set(run("photos", "--form", "form.yaml"))
    err = capsys.readouterr().err.splitlines()
    assert err[0] == "photos/a.csv: town is no field of the form; a.jpg is not scored"
    assert err[1] == "photos/b.csv: cannot be read as a table (Is a directory); b.png is not scored"
    assert [line.partition(":")[0] for line in err[2:4]] == ["photos/c.csv", "photos/d.csv"]
    assert "2 forms scored: fields 3" in err[-1]
    Path("photos/a.txt").mkdir()
    run("photos", out="text")
    assert capsys.readouterr().err.startswith("photos/a.txt: cannot be read (Is a directory); a.jpg is not scored\n")
    assert set(statuses("text").values()) == {"read", "empty"}


def test_a_form_that_is_none_is_refused(read_count, capsys):
    assert command.main(["photos", "--form", "nowhere"]) == 1
    assert "nowhere is no file, and no form of conf/form/, which holds exam_cover" in capsys.readouterr().err


@pytest.mark.parametrize(
    "known, said",
    [
        ({"characters": "helo"}, "characters: the network does not read 'ehlo'"),
        ({"characters": "abc012"}, "characters: the network does not read 'abc'"),
        ({"pattern": "[a-z]{3}"}, "pattern: '[a-z]{3}' allows no text"),
        ({"characters": "0123456789", "pattern": "[A-Z]+"}, "pattern: '[A-Z]+' allows no text of what is read, 0123456789"),
        ({"characters": "0123456789 -"}, None),
        ({"pattern": "^[A-Z]{2}[0-9]+$"}, None),
    ],
)
def test_a_constraint_that_nothing_meets_is_refused(known, said):
    """Every page would seem empty."""
    constrained = OcrOptions(1_000_000, True, "keep", 0.0, 8, 0.0, **known)
    if said is None:
        work.check_readable(constrained, CAPITALS + DIGITS + "-")
        return
    with pytest.raises(ConfigError, match=re.escape(said)):
        work.check_readable(constrained, CAPITALS + DIGITS + "-")
