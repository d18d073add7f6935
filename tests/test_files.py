"""Files are whole or not there; what was there before survives a failure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.common.errors import DataError
from pipeline.common.files import replacing, replacing_folder, write_json, write_table


def test_a_failure_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"x": 1})
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == '{\n  "x": 1\n}\n' and os.listdir(tmp_path) == ["a.json"]


def test_a_failure_leaves_the_old_folder_and_no_rest(tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/old.txt").write_text("old")
    with pytest.raises(RuntimeError), replacing_folder(tmp_path / "pages") as temporary:
        (temporary / "new.txt").write_text("new")
        raise RuntimeError
    assert os.listdir(tmp_path / "pages") == ["old.txt"] and os.listdir(tmp_path) == ["pages"]
    with replacing_folder(tmp_path / "pages") as temporary:
        (temporary / "new.txt").write_text("new")
    assert os.listdir(tmp_path / "pages") == ["new.txt"]


KILLED = """
import os, sys
from pathlib import Path
from pipeline.common.files import replacing, replacing_folder
with replacing(Path(sys.argv[1]) / "a.json"), replacing_folder(Path(sys.argv[1]) / "pages"):
    os.kill(os.getpid(), 9)
"""


def test_the_next_write_removes_what_a_killed_one_left(tmp_path):
    root = Path(__file__).resolve().parent.parent
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=root).returncode == -9
    assert len(os.listdir(tmp_path)) == 2
    with replacing(tmp_path / "a.json"), replacing_folder(tmp_path / "pages"):
        assert len(os.listdir(tmp_path)) == 2
        living = subprocess.Popen(
            [sys.executable, "-c", KILLED.replace("os.kill(os.getpid(), 9)", "print(flush=True); input()"), str(tmp_path)],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        living.stdout.readline()
        assert len(os.listdir(tmp_path)) == 4, "another process's that still lives"
    write_json(tmp_path / "a.json", {})
    living.communicate(b"\n")
    assert living.returncode == 0 and sorted(os.listdir(tmp_path)) == ["a.json", "pages"]


def test_the_longest_names_can_be_written(tmp_path):
    write_json(tmp_path / ("x" * 250 + ".json"), {})
    assert len(os.listdir(tmp_path)) == 1


def test_a_full_disk_is_one_clear_line():
    with pytest.raises(DataError, match="/dev/full") as error, replacing("/dev/full/x.json"):
        pass
    assert "\n" not in str(error.value)


def test_tables_have_their_header_even_when_empty(tmp_path):
    write_table(tmp_path / "t.csv", [], columns=("a", "b"))
    assert (tmp_path / "t.csv").read_text() == "a,b\n"


def test_what_a_host_of_a_longer_name_writes_is_let_be(tmp_path):
    with replacing(tmp_path / "a.json") as temporary:
        start = temporary.name.removesuffix(f"{os.getpid()}.json")
    theirs = tmp_path / f"{start}elsewhere.123.json"
    theirs.write_text("half")
    write_json(tmp_path / "a.json", 1)
    assert theirs.read_text() == "half"


def test_a_number_no_process_can_have_is_a_dead_one(tmp_path):
    with replacing(tmp_path / "a.json") as temporary:
        start = temporary.name.removesuffix(f"{os.getpid()}.json")
    (tmp_path / f"{start}{10**20}.json").write_text("half")
    write_json(tmp_path / "a.json", 1)
    assert os.listdir(tmp_path) == ["a.json"]
