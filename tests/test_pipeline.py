"""The whole chain on tiny data, by the commands a user types."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.characters.classifier import load_classifier
from tests.conftest import clean_environment, copy_project


def dvc(project: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=project,
        env=clean_environment(),
        text=True,
        capture_output=True,
        timeout=900,
    )
    assert not check or done.returncode == 0, f"dvc {arguments}\n{done.stdout}\n{done.stderr}"
    return done


def ran(done: subprocess.CompletedProcess) -> list[str]:
    return re.findall(r"Running stage '(\w+)'", done.stdout)


def edit(file: Path, key: str, value) -> None:
    """Change one value of a conf file as a user would, in its line."""
    text, count = re.subn(rf"^{key}: [^#\n]*", f"{key}: {value} ", file.read_text(), flags=re.MULTILINE)
    assert count == 1, (file, key)
    file.write_text(text)


def shrink(project: Path) -> None:
    """Edit conf/ so that the whole pipeline takes seconds."""
    for key, value in (("train_per_class", 4), ("valid_per_class", 2), ("test_per_class", 2)):
        edit(project / "conf/data/strokes.yaml", key, value)
    edit(project / "conf/train/adam.yaml", "epochs", 2)
    edit(project / "conf/model/cnn.yaml", "channels", "[4, 4]")
    for key, value in (("widths", "[4, 4]"), ("epochs", 1), ("crops", 4), ("valid_crops", 2), ("size", 64), ("batch_size", 2)):
        edit(project / "conf/ink/unet.yaml", key, value)
    for key, value in (("channels", "[4, 4]"), ("hidden", 4), ("epochs", 1), ("crops", 2), ("valid_crops", 1)):
        edit(project / "conf/words/cnn.yaml", key, value)
    edit(project / "conf/fill/rendered.yaml", "copies", 1)
    for key, value in (("texts", 20), ("pages", 2), ("rounds", 1), ("sheets", 2), ("photos", 1)):
        edit(project / "conf/lattice/rendered.yaml", key, value)
    edit(project / "conf/ocr/pages.yaml", "ink", "none")  # such a network sees no ink


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory) -> Path:
    """A copy of the project, shrunk by edits in conf/, reproduced once."""
    project = copy_project(tmp_path_factory.mktemp("chain") / "project")
    shrink(project)
    for text in sorted((project / "data/pages").glob("*.txt"))[1:]:
        text.unlink()
    for command in (
        ["git", "init", "-q"],
        ["git", "add", "."],
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"],
    ):
        subprocess.run(command, cwd=project, check=True)
    dvc(project, "add", "data")
    assert set(ran(dvc(project, "repro"))) == {
        "prepare",
        "ink",
        "words",
        "train",
        "lattice",
        "evaluate",
        "visualize",
        "fill",
        "ocr",
    }
    return project


def test_every_stage_leaves_what_it_promises(reproduced):
    for stage, entry in yaml.safe_load((reproduced / "dvc.yaml").read_text())["stages"].items():
        for out in [*entry.get("outs", []), *entry.get("metrics", []), *entry.get("plots", [])]:
            assert (reproduced / (out if isinstance(out, str) else next(iter(out)))).exists(), (stage, out)
    metrics = json.loads((reproduced / "reports/metrics/evaluate.json").read_text())
    assert 0 <= metrics["test/accuracy"] <= 1
    pages = list((reproduced / "reports/pages").glob("*"))
    assert {page.suffix for page in pages} >= {".txt", ".json", ".png", ".hocr", ".xml"}


def test_nothing_changed_nothing_runs(reproduced):
    assert ran(dvc(reproduced, "repro")) == []


def test_dvc_push_leaves_out_what_is_quickly_made_again(reproduced):
    """DVC suggests it after each run, and git carries the remote."""
    dvc(reproduced, "push")
    pushed = {f"{file.parent.name}{file.name}" for file in (reproduced / "storage").rglob("*") if file.is_file()}
    assert pushed, "the raw data"
    for name, stage in yaml.safe_load((reproduced / "dvc.lock").read_text())["stages"].items():
        if name not in ("ink", "words", "lattice"):  # minutes to an hour
            assert not pushed & {out["md5"] for out in stage["outs"] if out["path"].split("/")[0] != "reports"}, name


def test_train_and_evaluate_agree(reproduced):
    """The stored weights give on the validation split the accuracy that training reported, and evaluate that of characters."""
    classifier = load_classifier(reproduced / "models/model.npz")
    with np.load(reproduced / "prepared/characters.npz") as data:
        images, labels = data["valid_images"], data["valid_labels"]
    trained = json.loads((reproduced / "reports/metrics/train.json").read_text())
    probabilities = classifier.predict(images)
    assert np.mean(probabilities.argmax(axis=1) == labels) == pytest.approx(trained["valid/accuracy"])
    characters = classifier.alphabet.characters
    known = labels < len(characters)  # evaluate.on knows nothing of what is no character
    np.savez(reproduced / "outputs/valid.npz", images=images[known], labels=labels[known], characters=characters)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.evaluate", "evaluate.on=outputs/valid.npz"],
        cwd=reproduced,
        env=clean_environment(),
        text=True,
        capture_output=True,
        check=True,
    )
    measured = json.loads(done.stdout)
    assert measured["n"] == known.sum() >= 72
    right = np.mean(probabilities[known][:, : len(characters)].argmax(axis=1) == labels[known])
    # normalising twice moves pixels a little, so a borderline character may change sides
    assert measured["accuracy"] == pytest.approx(right, abs=0.03)


EDITS = [
    ("conf/evaluate/test.yaml", "confused_pairs", 5, ["evaluate"]),
    ("conf/ocr/pages.yaml", "beam", 2, ["ocr"]),
    ("conf/lattice/rendered.yaml", "beam", 4, ["lattice"]),
    ("conf/visualize/figures.yaml", "dpi", 50, ["visualize"]),
    ("conf/train/adam.yaml", "lr", 0.04, ["train"]),
    ("conf/config.yaml", "seed", 7, ["train", "ink", "words", "visualize"]),
    ("conf/words/cnn.yaml", "lr", 0.001, ["words"]),
    ("conf/data/strokes.yaml", "seed", 1, ["prepare", "train"]),
    ("conf/model/cnn.yaml", "dropout", 0.2, ["train"]),
    ("conf/tracking/local.yaml", "experiment", "other", []),  # where runs are recorded changes no output
]


@pytest.mark.parametrize("file, key, value, stages", EDITS, ids=lambda value: str(value).removeprefix("conf/"))
def test_an_edit_in_conf_makes_exactly_the_stages_that_read_it_stale(reproduced, file, key, value, stages):
    original = (reproduced / file).read_text()
    try:
        edit(reproduced / file, key, value)
        stale = json.loads(dvc(reproduced, "status", "--json").stdout)
        # stages further down are stale by what these write, once they have run
        assert [stage for stage in yaml.safe_load((reproduced / "dvc.yaml").read_text())["stages"] if stage in stale] == stages
    finally:
        (reproduced / file).write_text(original)


def test_one_run_holds_everything(reproduced, monkeypatch):
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{reproduced}/mlflow.db")
    experiment = client.get_experiment_by_name("handprint")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 3, "one of each network"
    (run,) = (run for run in runs if run.data.tags["stage"] not in ("ink", "words"))
    assert run.info.status == "FINISHED"
    assert run.data.params["train.lr"] and run.data.params["data.sources"] == "['strokes']" and run.data.params["ocr.beam"]
    assert {"valid/accuracy", "test/accuracy", "ocr/cer", "train/loss"} <= set(run.data.metrics)
    assert [m.step for m in client.get_metric_history(run.info.run_id, "valid/loss")][:2] == [1, 2]
    assert {"git.commit", "data.version", "data.prepared", "seed", "seconds", "weights"} <= set(run.data.tags)
    assert run.inputs.dataset_inputs[0].dataset.name == "strokes"
    artifacts = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert {"figures", "pages", "config.yaml"} <= artifacts
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{reproduced}/mlflow.db")  # set_tracking_uri would outlive the test
    assert client.search_logged_models([experiment.experiment_id])[0].source_run_id == run.info.run_id


def test_dvc_shows_something_useful(reproduced):
    assert "test/accuracy" in dvc(reproduced, "metrics", "show").stdout
    assert "prepare" in dvc(reproduced, "dag").stdout
    original = (reproduced / "conf/train/adam.yaml").read_text()
    edit(reproduced / "conf/train/adam.yaml", "lr", 0.03)
    assert re.search(r"conf/train/adam.yaml\s+lr\s+\S+\s+0.03", dvc(reproduced, "params", "diff").stdout)
    (reproduced / "conf/train/adam.yaml").write_text(original)
    html = Path(dvc(reproduced, "plots", "show").stdout.strip().removeprefix("file://")).read_text()
    assert "Accuracy over the epochs" in html and "Confusion matrix" in html


def test_the_same_configuration_gives_the_same_bytes_in_another_clone(reproduced, tmp_path):
    twin = tmp_path / "twin"
    shutil.copytree(
        reproduced,
        twin,
        ignore=shutil.ignore_patterns("mlflow.db*", "mlruns", "outputs", "cache", "prepared", "models", "reports"),
    )
    dvc(twin, "repro", "--force")
    assert (twin / "dvc.lock").read_text() == (reproduced / "dvc.lock").read_text()


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["pipeline.train", "train.lrr=1"], "train.lrr"),
        (["pipeline.train", "train.lr=-1"], "train.lr"),
        (["pipeline.train", "train=nothing"], "Available options in 'train': adam champion sgd"),
        (
            ["pipeline.train", "-m", "seed=1,2", "hydra/launcher=no"],
            "Available options in 'hydra/launcher': basic joblib; see conf/",
        ),
        (["pipeline.train", "train.lr=1,2"], "add --multirun to your command line"),
        (["pipeline.train", "data=nist36", "data.root=nowhere"], "nowhere"),
        (["pipeline.train", "experiment=grid"], "gives several values to train.lr, train.batch_size, model.hidden: add -m"),
        (["pipeline.train", "train.momentum=0.5"], "train.momentum=0.5: has no effect: it is read where train.optimizer is"),
        (["pipeline.evaluate", "train=adam"], "train=adam: has no effect: evaluate reads evaluate, tracking; train is read by"),
        (["pipeline.ocr", "form=exam_cover"], "form=exam_cover: has no effect: it is read where ocr.pages is given"),
        (["pipeline.train", "--foo"], "train: unrecognized arguments: --foo; see python -m pipeline.train --help"),
        (["pipeline.evaluate", "--cfg", "no"], "evaluate: argument --cfg/-c: invalid choice: 'no'"),
        (["pipeline.ocr", "ocr.pattern=''"], "ocr: ocr.pattern: must not be empty"),
        (["pipeline.evaluate"], "models/model.npz"),
        (["pipeline.evaluate", "evaluate.on=nowhere.npz", "evaluate.model=model.npz"], "model.npz"),
        (["pipeline.ocr", "ocr.pages=nowhere.jpg"], "nowhere.jpg"),
    ],
)
def test_a_mistake_is_one_line_and_a_status(run, arguments, said):
    done = run(*arguments, "tracking.uri=none", check=False)
    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_one_bad_page_does_not_stop_the_others(reproduced, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    good = sorted((reproduced / "prepared/pages").glob("*.jpg"))[0]
    shutil.copy(good, pages / "good.jpg")
    (pages / "bad.jpg").write_bytes(b"not an image")
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.ocr", f"ocr.pages={pages}", f"ocr.output={tmp_path / 'out'}"],
        cwd=reproduced,
        env=clean_environment(),
        text=True,
        capture_output=True,
    )
    assert done.returncode == 1 and "bad.jpg" in done.stderr and "1 of 2 pages" in done.stderr
    assert (tmp_path / "out/good.txt").exists() and not list((tmp_path / "out").glob("bad*"))


def test_help_is_printed_and_nothing_runs(run, project):
    assert run("pipeline.visualize", "--help").stdout.startswith("handprint. Stage ")
    assert not (project / "reports").exists()


def test_gradients_of_the_configured_network(run):
    assert (
        "relative error"
        in run(
            "pipeline.train", "train.check_gradients=true", "model.channels=[2]", "model.hidden=[3]", "tracking.uri=none"
        ).stdout
    )
