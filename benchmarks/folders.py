"""Folders: how fast `python -m pipeline.read` starts and reads many pages, by one process and by two, and what that costs."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

ROOT = Path(__file__).parents[1]
PAGES = 40  # of a folder that is read for speed
MANY = 1000  # small pages that memory is watched over
WARM = 100  # of these are read before it is measured first

Row = tuple[str, str, str, bool]


def measure_folders(pages: list[np.ndarray], model: Path) -> Iterator[Row]:
    """(measure, value, floor, whether it holds) of reading photos, (H, W, 3) uint8, with a model, in processes of their own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one, many, small = (folder / part for part in ("one", "many", "small"))
        for part in (one, many, small):
            part.mkdir()
        Image.fromarray(pages[0]).save(one / "page.jpg")
        for number in range(PAGES):
            Image.fromarray(pages[number % len(pages)]).save(many / f"{number}.jpg")
        crop = Image.fromarray(pages[0]).crop((0, 0, pages[0].shape[1], pages[0].shape[0] // 4)).reduce(2)
        for number in range(MANY):
            crop.save(small / f"{number}.jpg")
        start = min(_read(one, model, "--again")[0] for _ in range(3))
        yield "one photo from a cold start, seconds on one core", f"{start:.2f}", "<= 1.50", start <= 1.5
        single, cpu = _read(many, model, "--again", cores=2)
        double, _ = _read(many, model, "--again", "--jobs", "2", cores=2)
        yield "pages a second, 1 job", f"{PAGES / single:.2f}", "", True
        gain = single / double
        yield "pages a second, 2 jobs on 2 cores", f"{PAGES / double:.2f}", f">= {1.8 * PAGES / single:.2f}", gain >= 1.8
        _, everything = _read(many, model, "--again", "--formats", "all", cores=2)
        yield "CPU seconds a page of a folder, text alone", f"{cpu / PAGES:.2f}", "", True
        limit = 1.3 * cpu
        yield "  all formats", f"{everything / PAGES:.2f}", f"<= {limit / PAGES:.2f}", everything <= limit
        first, last = _watch(small, model)
        yield f"memory after {WARM} pages, MB", f"{first:.0f}", "", True
        yield f"  after {MANY} pages", f"{last:.0f}", f"<= {1.1 * first:.0f}", last <= 1.1 * first


def _start(folder: Path, model: Path, *arguments: str, cores: int = 1) -> subprocess.Popen:
    line = [sys.executable, "-m", "pipeline.read", str(folder), "--out", f"{folder}.read", "--model", str(model), *arguments]
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    pinned = ["taskset", "-c", ",".join(map(str, allowed))]
    return subprocess.Popen([*pinned, *line], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _read(folder: Path, model: Path, *arguments: str, cores: int = 1) -> tuple[float, float]:
    """Seconds, and CPU seconds, that a folder takes from start to end."""
    before, start = os.times(), time.perf_counter()
    if status := _start(folder, model, *arguments, cores=cores).wait():
        raise RuntimeError(f"reading {folder} ended with {status}")
    seconds, after = time.perf_counter() - start, os.times()
    return seconds, after.children_user + after.children_system - before.children_user - before.children_system


def _watch(folder: Path, model: Path) -> tuple[float, float]:
    """Megabytes that the process takes after WARM pages, and shortly before its end."""
    process = _start(folder, model)
    records, first, last = Path(f"{folder}.read") / ".read", 0.0, 0.0
    while process.poll() is None:
        read = len(list(records.glob("*.json")))
        try:
            size = psutil.Process(process.pid).memory_info().rss / 2**20
        except psutil.NoSuchProcess:
            break
        first = size if read >= WARM and not first else first
        last = size if read >= 0.95 * MANY else last
        time.sleep(0.2)
    return first, last
