"""Explore, compare, promote, reproduce: the loop, by the commands a user types."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from pipeline import promote
from pipeline.common import paths
from pipeline.common.errors import UserError
from pipeline.tracking import registry
from tests.conftest import clean_environment, copy_project
from tests.store import runs_of
from tests.test_pipeline import dvc, edit

GRID = ["-m", "experiment=grid", "train.epochs=3", "train.lr=0.02,0.04", "train.batch_size=8", "model.hidden=[8],[16]"]


def python(project: Path, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=project,
        env=clean_environment() | environment,
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert not check or done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def promoted(tmp_path_factory) -> tuple[Path, str]:
    """A copy of the project with small data, a grid swept over two seeds, and its best promoted; and what promote printed."""
    project = copy_project(tmp_path_factory.mktemp("loop") / "project")
    for key, value in (("train_per_class", 10), ("valid_per_class", 5), ("test_per_class", 2)):
        edit(project / "conf/data/strokes.yaml", key, value)
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    python(project, "pipeline.train", *GRID, "seed=1,2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    return project, python(project, "pipeline.promote").stdout


@pytest.fixture
def again(promoted, monkeypatch, capsys) -> Callable[..., str]:
    """`again("--force")` promotes once more, in this process to save the imports, and returns what is printed."""
    project, _ = promoted
    for name in ("ROOT", "STORE_ROOT"):
        monkeypatch.setattr(paths, name, project)
    monkeypatch.chdir(project)

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["promote", *arguments])
        promote.main()
        return capsys.readouterr().out

    return call


def champion(project: Path):
    client, _, _ = runs_of(project)
    return client.get_model_version_by_alias("handprint", "champion")


def test_the_sweep_is_reported(promoted):
    project, printed = promoted
    report = (project / "reports/sweep.md").read_text()
    assert report.count("\n| ") == 1 + 1 + 4, "a heading, a line, a row for each configuration"
    pictures = {path.stem for path in (project / "reports/sweep").glob("*.png")}
    assert pictures == {"parallel_coordinates", "heat_map", "main_effects", "seeds", "curves"}
    assert "model.hidden" in printed and "is the champion" in printed and "WARNING" not in printed


def test_the_parent_run_gets_the_best_child(promoted):
    project, _ = promoted
    client, parents, children = runs_of(project)
    parent = parents[0]
    best = client.get_run(parent.data.tags["best_run"])
    by_configuration = {}
    for child in children:
        key = child.data.params["train.lr"], child.data.params["model.hidden"]
        by_configuration.setdefault(key, []).append(child.data.metrics["best/valid/accuracy"])
    means = {key: sum(values) / len(values) for key, values in by_configuration.items()}
    winner = best.data.params["train.lr"], best.data.params["model.hidden"]
    assert means[winner] == max(means.values()) and best.data.metrics["best/valid/accuracy"] == max(by_configuration[winner])
    assert parent.data.params["train.lr"] == best.data.params["train.lr"]
    assert parent.data.metrics["best/valid/accuracy"] == best.data.metrics["best/valid/accuracy"]
    assert {file.path for file in client.list_artifacts(parent.info.run_id)} == {"sweep.md", "sweep"}
    assert parent.data.tags["mlflow.note.content"].startswith(f"Best of 8 runs: {best.info.run_name}, ")
    assert "[Compare its runs](#/experiments/" in parent.data.tags["mlflow.note.content"]
    assert champion(project).run_id == best.info.run_id
    assert parent.info.run_name.startswith("sweep experiment=grid train.epochs=3 ")


def conf_files_of(project: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted((project / "conf").rglob("*.yaml"))}


def composed(project: Path, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(project / "conf"), version_base="1.3"):
        return compose("config", list(overrides), return_hydra_config=True)


def test_what_was_promoted_is_the_choice_of_who_chooses_nothing(promoted):
    project, _ = promoted
    client, parents, _ = runs_of(project)
    best = client.get_run(parents[0].data.tags["best_run"])
    config = composed(project)
    assert config.model.name == "mlp" and config.train.lr == float(best.data.params["train.lr"])
    assert config.seed == int(best.data.params["seed"]) and config.augment.rotation == 0
    assert yaml.safe_load((project / "conf/strokes/champion.yaml").read_text()) == {"defaults": ["handprint"]}, "nothing differs"
    assert best.info.run_id in (project / "conf/model/champion.yaml").read_text()


def test_every_choice_replaces_what_was_promoted(promoted):
    project, _ = promoted
    plain = yaml.safe_load((project / "conf/train/adam.yaml").read_text())
    network = yaml.safe_load((project / "conf/model/cnn.yaml").read_text())
    chosen = composed(project, "train=adam", "model=cnn")
    assert chosen.train == plain and chosen.model == network and network["name"] == "cnn"
    assert composed(project, "train.lr=0.123").train.lr == 0.123
    experiment = composed(project, "experiment=course_mlp")
    assert experiment.train.lr == 0.01 and experiment.train.epochs == 40 and list(experiment.model.hidden) == [64]
    sweep = [composed(project, f"model={name}").model.name for name in ("mlp", "cnn")]
    assert sweep == ["mlp", "cnn"]


@pytest.mark.parametrize("how", ["edit", "-S"])
def test_an_edit_that_has_no_effect_is_an_error(promoted, how):
    project, _ = promoted
    before = (project / "conf/train/adam.yaml").read_bytes()
    edit(project / "conf/train/adam.yaml", "lr", 0.001)  # what `dvc exp run -S conf/train/adam.yaml:lr=0.001` does as well
    stage = {"DVC_STAGE": "train"} if how == "-S" else {}
    done = python(project, "pipeline.train", "train.epochs=1", check=False, **stage)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert "conf/train/adam.yaml was edited, but has no effect" in done.stderr and "train=adam" in done.stderr
    assert composed(project, "train=adam").train.lr == 0.001
    (project / "conf/train/adam.yaml").write_bytes(before)


def test_an_edit_of_the_promoted_file_has_its_effect(promoted):
    project, _ = promoted
    before = (project / "conf/train/champion.yaml").read_bytes()
    edit(project / "conf/train/champion.yaml", "lr", 0.001)
    assert composed(project).train.lr == 0.001
    (project / "conf/train/champion.yaml").write_bytes(before)


def test_promoting_twice_changes_nothing(promoted, again):
    project, _ = promoted
    before = conf_files_of(project), champion(project).version
    again()
    assert (conf_files_of(project), champion(project).version) == before


def test_a_dry_run_only_reports(promoted, again):
    project, _ = promoted
    before = conf_files_of(project)
    (project / "conf/train/champion.yaml").write_text("untouched: true\n")
    touched = conf_files_of(project)
    (project / "reports/sweep.md").unlink()
    try:
        assert "dry run" in again("--dry-run")
        assert (project / "reports/sweep.md").exists() and conf_files_of(project) == touched
    finally:
        (project / "conf/train/champion.yaml").write_bytes(before[str(project / "conf/train/champion.yaml")])


def test_dvc_repro_gives_the_promoted_model_to_the_last_digit(promoted):
    project, _ = promoted
    run = runs_of(project)[0].get_run(champion(project).run_id)
    dvc(project, "repro", "--single-item", "prepare")
    dvc(project, "repro", "--single-item", "train")
    reproduced = json.loads((project / "reports/metrics/train.json").read_text())
    assert reproduced["valid/accuracy"] == run.data.metrics["best/valid/accuracy"]
    assert (project / "models/model.npz").read_bytes() == (project / run.data.tags["folder"] / "models/model.npz").read_bytes()


def test_a_better_champion_is_replaced_only_when_told(promoted, again):
    project, _ = promoted
    client, _, children = runs_of(project)
    first = champion(project)
    other = next(child for child in children if child.info.run_id != first.run_id)
    better = client.create_model_version(
        "handprint", first.source, other.info.run_id, tags={"accuracy": "0.99", "data.prepared": first.tags["data.prepared"]}
    )
    client.set_registered_model_alias("handprint", "champion", better.version)
    before = conf_files_of(project)
    assert "NOT PROMOTED: the champion" in again()
    assert conf_files_of(project) == before and champion(project).version == better.version
    again("--force")
    assert champion(project).version == first.version
    client.set_model_version_tag("handprint", better.version, "data.prepared", "other data")
    client.set_registered_model_alias("handprint", "champion", better.version)
    again()
    assert champion(project).version == first.version, "a champion of other data is no hindrance"


def test_a_better_run_that_is_no_champion_is_a_warning_and_can_be_promoted_itself(promoted, again):
    """As after `make repro`: the default network is better than the grid's, but nobody has promoted it."""
    project, _ = promoted
    client, _, _ = runs_of(project)
    first = client.get_run(champion(project).run_id)
    rival = client.create_run(
        first.info.experiment_id,
        run_name="default",
        tags={**{key: first.data.tags[key] for key in ("data.prepared", "weights", "folder")}, "stage": "train"},
    )
    with tempfile.TemporaryDirectory() as folder:
        file = client.download_artifacts(first.info.run_id, "config.yaml", folder)
        client.log_artifact(rival.info.run_id, file)
    client.log_metric(rival.info.run_id, "best/valid/accuracy", 0.99)
    assert "WARNING" not in again(), "it still runs"
    client.set_terminated(rival.info.run_id)
    before = conf_files_of(project)
    printed = again()
    assert "WARNING: it is worse than default, which reached 0.9900 on the same data" in printed
    assert champion(project).run_id == first.info.run_id and conf_files_of(project) == before
    command = re.search(r"pipeline.promote (--run \w+)", printed)[1].split()
    assert "WARNING" not in again(*command) and champion(project).run_id == rival.info.run_id
    assert f"run {rival.info.run_id} (default)" in (project / "conf/champion.yaml").read_text()
    assert "NOT PROMOTED: the champion" in again(), "now it stays"
    assert champion(project).run_id == rival.info.run_id
    client.delete_run(rival.info.run_id)
    again("--force")
    assert champion(project).run_id == first.info.run_id


def test_no_such_sweep_is_one_line(again, capsys):
    with pytest.raises(SystemExit) as stopped:
        again("--sweep", "nonsense")
    message = capsys.readouterr().err
    assert stopped.value.code == 1
    assert message.startswith("promote: no sweep nonsense: the newest are ") and message.count("\n") == 1


def test_lost_weights_are_told(promoted, again):
    """A model whose files are gone needs the weights in its job's folder, and they must be its own."""
    project, _ = promoted
    client, _, _ = runs_of(project)
    first = client.get_run(champion(project).run_id)
    weights = project / first.data.tags["folder"] / "models/model.npz"
    assert registry.weights_of(first) == weights
    kept = weights.read_bytes()
    models = project / "mlruns/models"
    for other in (kept + b"another run's, in the same folder", b""):
        weights.write_bytes(other)
        assert registry.register(client, first) == champion(project).version, "the logged model has them"
        models.rename(models.with_name("gone"))
        with pytest.raises(UserError, match="run the sweep again with sweep.rerun=true"):
            registry.register(client, first)
        models.with_name("gone").rename(models)
    weights.write_bytes(kept)


def test_promotion_is_all_or_nothing(promoted, again, capsys, monkeypatch):
    """Artifacts that are gone, a registry that fails at the last step: one line, and everything is as it was."""
    project, _ = promoted
    client, _, children = runs_of(project)
    before = (project / "conf/champion.yaml").read_bytes(), champion(project).version
    other = next(child for child in children if child.info.run_id != champion(project).run_id)

    def fails(*arguments: str, said: str) -> None:
        with pytest.raises(SystemExit) as stopped:
            again("--run", other.info.run_id, "--force", *arguments)
        message = capsys.readouterr().err
        assert stopped.value.code == 1 and message.count("\n") == 1 and said in message, message
        assert ((project / "conf/champion.yaml").read_bytes(), champion(project).version) == before

    (project / "mlruns").rename(project / "mlruns.gone")
    fails(said="the configuration of")
    (project / "mlruns.gone").rename(project / "mlruns")
    with monkeypatch.context() as broken:
        broken.setattr(promote, "crown", lambda client, version: (project / "nowhere/x").write_text(""))
        fails(said="No such file")
    champion_files = project / "mlruns/models" / champion(project).source.removeprefix("models:/")
    assert champion_files.is_dir()
    champion_files.rename(champion_files.with_name("gone"))
    again("--force")
    assert int(champion(project).version) > int(before[1]), "its files are gone, so it is logged anew"
    assert (project / "mlruns/models" / champion(project).source.removeprefix("models:/")).is_dir()


def test_a_model_logged_without_the_ink_network_is_logged_anew_once_it_is_there(promoted, again):
    """What is served reads pages as the stage `ocr` does."""
    project, _ = promoted
    before = champion(project)
    ink = project / "models/ink.npz"
    ink.parent.mkdir(exist_ok=True)
    ink.write_bytes(b"weights of the ink network")
    again("--force")
    after = champion(project)
    assert after.run_id == before.run_id and int(after.version) > int(before.version)
    logged = project / "mlruns/models" / after.source.removeprefix("models:/") / "artifacts/artifacts/ink.npz"
    assert logged.read_bytes() == ink.read_bytes()
    ink.unlink()
    again("--force")
