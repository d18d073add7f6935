import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.common.errors import ConfigError, DataError
from pipeline.nn import training
from pipeline.nn.checkpoint import load_checkpoint, save_checkpoint
from pipeline.nn.network import load_network
from pipeline.nn.options import TrainOptions
from pipeline.nn.training import fit

from .helpers import MLP, TRAIN, characters, network

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = replace(TRAIN, epochs=6, optimizer="adam", lr=0.01, schedule="cosine", warmup_epochs=0.5, weight_decay=0.01)
DROPOUT = replace(MLP, dropout=0.2)


def shift(images, rng):
    return np.roll(images, rng.integers(-2, 3), axis=2)


@pytest.fixture(autouse=True)
def every_epoch(monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)


def train(path, on_epoch=None, options=OPTIONS, seed=0, data=None, **context):
    net = network(DROPOUT)
    history = fit(net, data or characters(300), characters(100, 1), options, seed, shift, on_epoch, path, context)
    return net, history


def stop_after(epoch):
    def stop(record):
        if record.epoch == epoch:
            raise RuntimeError("stopped")

    return stop


@pytest.mark.parametrize("epoch", range(1, 7))
def test_goes_on_bit_for_bit(tmp_path, epoch):
    unbroken, expected = train(None)
    path = tmp_path / "checkpoint.npz"
    with pytest.raises(RuntimeError, match="stopped"):
        train(path, stop_after(epoch))
    seen = []
    resumed, history = train(path, seen.append)
    np.testing.assert_array_equal(resumed.weights, unbroken.weights)
    assert [record.epoch for record in seen] == list(range(1, 7))  # those from the checkpoint first
    assert [replace(r, seconds=0) for r in history.records] == [replace(r, seconds=0) for r in expected.records]
    assert history.best_epoch == expected.best_epoch


def test_a_finished_run_is_not_repeated(tmp_path):
    path = tmp_path / "checkpoint.npz"
    net, history = train(path)
    again, same = train(path)
    assert same == history and (again.weights == net.weights).all()


@pytest.mark.parametrize("change, key", [
    ({"options": replace(OPTIONS, lr=0.02)}, "train.lr was 0.01, is 0.02"),
    ({"seed": 1}, "seed was 0, is 1"),
    ({"data": characters(299)}, "data.train"),
    ({"augment": {"shift": 2}}, "context.augment.shift was None, is 2"),
])  # fmt: skip
def test_another_configuration_is_refused(tmp_path, change, key):
    path = tmp_path / "checkpoint.npz"
    train(path, options=OPTIONS)
    with pytest.raises(ConfigError, match=key) as error:
        train(path, **change)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


@dataclass
class StageOptions(TrainOptions):
    """What a stage adds: where it starts from, whether it goes on."""

    initial: str = "here/weights.npz"


def test_what_a_stage_adds_to_the_options_is_no_part_of_the_configuration(tmp_path):
    """A path tells nothing of what lies there; what does, its md5, is the stage's to give as context."""
    path = tmp_path / "checkpoint.npz"
    moved = [StageOptions(**vars(OPTIONS), initial=initial) for initial in ("here/weights.npz", "moved/weights.npz")]
    net, _ = train(path, options=moved[0])
    again, _ = train(path, options=moved[1])
    assert (again.weights == net.weights).all()


def test_damaged_files(tmp_path):
    path, arrays = tmp_path / "checkpoint.npz", {"weights": np.arange(5.0)}
    save_checkpoint(path, {"lr": 1}, {"records": []}, arrays)
    content = path.read_bytes()
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        with pytest.raises(DataError):
            load_checkpoint(path, {"lr": 1}, arrays)
    path.write_bytes(content)
    with pytest.raises(DataError, match="weights"):
        load_checkpoint(path, {"lr": 1}, {"weights": np.zeros(6)})
    assert load_checkpoint(path, {"lr": 1}, arrays) == {"records": []}
    assert load_checkpoint(tmp_path / "none.npz", {}, arrays) is None


@pytest.mark.parametrize("history", [{}, {"records": 3}, {"records": [1]}, {"records": [{"epoch": 1}]}])
def test_a_damaged_history(tmp_path, history, monkeypatch):
    path = tmp_path / "checkpoint.npz"
    monkeypatch.setattr(training, "load_checkpoint", lambda *args: history)
    with pytest.raises(DataError, match="history"):
        train(path)


def test_a_write_that_fails_leaves_the_previous_file(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.npz"
    save_checkpoint(path, {}, {"records": [1]}, {"weights": np.zeros(5)})
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    for broken in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, broken, full)
            with pytest.raises(DataError, match="No space left on device") as error:
                save_checkpoint(path, {}, {"records": [2]}, {"weights": np.ones(5)})
        assert str(path) in str(error.value) and path.read_bytes() == before
        assert os.listdir(tmp_path) == ["checkpoint.npz"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match="Permission denied"):
        save_checkpoint(tmp_path / "checkpoint.npz", {}, {}, {"weights": np.zeros(5)})
    tmp_path.chmod(0o700)


SCRIPT = """
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from pipeline.nn import training
from pipeline.nn.network import save_network
from tests.nn.helpers import characters, network
from tests.nn.test_checkpoint import DROPOUT, OPTIONS, shift

training.CHECKPOINT_SECONDS = 0
net = network(DROPOUT)
print("ready", flush=True)
options = replace(OPTIONS, epochs=60)
training.fit(net, characters(300), characters(100, 1), options, 0, shift, checkpoint=Path(sys.argv[1]))
save_network(Path(sys.argv[2]), net, {})
"""


def run(checkpoint: Path, model: Path, kill_after: float | None = None) -> float:
    """Train in a process of its own, killed after some seconds if told so; returns the seconds it took."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(checkpoint), str(model)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    start = time.perf_counter()
    if kill_after is not None:
        time.sleep(kill_after)
        process.send_signal(signal.SIGKILL)
    process.communicate()
    assert kill_after is not None or process.returncode == 0
    return time.perf_counter() - start


def kill_and_resume(tmp_path: Path, moments: int) -> None:
    checkpoint, model = tmp_path / "checkpoint.npz", tmp_path / "model.npz"
    seconds = run(tmp_path / "unbroken.npz", model)
    expected = model.read_bytes()
    for moment in range(moments):
        model.unlink()
        checkpoint.unlink(missing_ok=True)
        run(checkpoint, model, kill_after=seconds * random.Random(moment).random())
        run(checkpoint, model)
        assert model.read_bytes() == expected and load_network(model)


def test_killed_at_some_moments(tmp_path):
    kill_and_resume(tmp_path, 3)


@pytest.mark.slow
def test_killed_at_twenty_moments(tmp_path):
    kill_and_resume(tmp_path, 20)


def test_interrupted_by_ctrl_c_and_resumed(tmp_path):
    checkpoint, model = tmp_path / "checkpoint.npz", tmp_path / "model.npz"
    run(tmp_path / "unbroken.npz", model)
    expected = model.read_bytes()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(checkpoint), str(model)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    while not checkpoint.exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 0  # ended in order, with the best weights so far
    run(checkpoint, model)
    assert model.read_bytes() == expected
