"""The stage `prepare`."""

from pathlib import Path

from pipeline import prepare
from pipeline.common import paths
from pipeline.config.composition import compose_conf
from pipeline.config.schema import read
from pipeline.synthesis.stream import Stream


def test_the_library_is_read_once_and_one_stream_is_planned(tmp_path, monkeypatch):
    small = ["data=strokes", "alphabet=digits", "pages.width=300", "pages.height=200"]
    counts = [f"data.{split}_per_class=2" for split in ("train", "valid", "test")]
    config = read(compose_conf([*small, *counts], "prepare", prepare.SECTIONS), prepare.SECTIONS)
    calls = []
    load = prepare.load_library
    monkeypatch.chdir(paths.ROOT)
    monkeypatch.setattr(prepare, "load_library", lambda path: calls.append(path) or load(path))
    monkeypatch.setattr(prepare, "Stream", lambda *options: calls.append("stream") or Stream(*options))
    prepare.prepare(config, tmp_path)
    assert calls == [Path("data/strokes.npz"), "stream"]
    assert (tmp_path / paths.CHARACTERS).exists() and list((tmp_path / paths.PAGES).glob("*.jpg"))
