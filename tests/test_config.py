"""conf/ against its schema, dvc.yaml against conf/, and what a wrong key says."""

from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir

from pipeline.common.errors import ConfigError
from pipeline.config import conf_files
from pipeline.config import schema as config

ROOT = Path(__file__).resolve().parent.parent
CONF = ROOT / "conf"


def composed(*overrides: str):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides=list(overrides), return_hydra_config=True)


def test_the_default_composition_fits_the_schema():
    read = config.read(composed(), ["seed", *config.SECTIONS])
    assert read.train.epochs > 0 and read.data.sources == ["strokes"]
    assert read.values["train"]["lr"] == read.train.lr


@pytest.mark.parametrize(
    "file",
    sorted(path for group in config.SECTIONS for path in (CONF / group).glob("*.yaml")),
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_every_file_of_conf_fits_the_schema(file):
    config.read(composed(f"{file.parent.name}={file.stem}"), [file.parent.name])


@pytest.mark.parametrize("file", sorted((CONF / "experiment").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_experiment_composes_and_says_how_to_run_it(file):
    config.read(composed(f"experiment={file.stem}"), ["seed", *config.SECTIONS])
    header, command = file.read_text(encoding="utf-8").splitlines()[:2]
    assert header == "# @package _global_" and command.startswith("# python -m pipeline."), file


@pytest.mark.parametrize("stage", config.READS)
def test_dvc_tracks_every_file_a_stage_is_composed_from(stage):
    choices = {group: choice for group, choice in composed().hydra.runtime.choices.items() if group in config.SECTIONS}
    conf_files.check_tracked(stage, choices)
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    tracked = {file for entry in stages[stage]["params"] for file in entry}
    read = {f"conf/{section}/{choices[section]}.yaml" for section in config.READS[stage] if section in choices}
    assert {file for file in tracked if file.count("/") == 2} == read  # no more than it reads, either
    assert stages[stage]["cmd"] == f"python -m pipeline.{stage}"


def test_an_untracked_choice_is_refused():
    with pytest.raises(ConfigError, match="conf/train/sgd.yaml"):
        conf_files.check_tracked(
            "train", {**{group: choice for group, choice in composed().hydra.runtime.choices.items()}, "train": "sgd"}
        )


@pytest.mark.parametrize(
    "override, key",
    [
        ("train.lr=fast", "train.lr"),
        ("train.lr=-1", "train.lr"),
        ("train.batch_size=0", "train.batch_size"),
        ("model.name=transformer", "model.name"),
        ("model.hidden=[0]", "model.hidden"),
        ("data.sources=[mnist]", "data.sources"),
        ("+train.speed=3", "train.speed"),
        ("seed=-1", "seed"),
        ("train.epochs=1.5", "train.epochs"),
        ("ocr.reject_below=2", "ocr.reject_below"),
        ("train.lr=null", "train.lr"),
    ],
)
def test_a_wrong_value_names_its_key(override, key):
    with pytest.raises(ConfigError) as error:
        config.read(composed(override), ["seed", *config.SECTIONS])
    assert str(error.value).startswith(key) and "\n" not in str(error.value)


def test_a_stage_is_handed_only_what_it_reads():
    read = config.read(composed(), config.READS["evaluate"])
    assert hasattr(read, "evaluate") and not hasattr(read, "train")


def test_flatten():
    assert config.flatten({"train": {"lr": 0.1}, "model": {"hidden": [1, 2]}, "seed": 1}) == {
        "train.lr": 0.1,
        "model.hidden": [1, 2],
        "seed": 1,
    }


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"lr: \xff\xfe\n", "mine.yaml"),
        (b"lr: " + b"9" * 5000, "line 1: a value longer"),
        (b"lr: [1,\nb: 2\n", "line 3"),
        (b"lr: \x00\n", "mine.yaml"),
    ],
)
def test_a_file_that_is_no_yaml_is_named(tmp_path, content, reason):
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=reason) as error:
        conf_files.check_file(tmp_path / "mine.yaml")
    assert "mine.yaml" in str(error.value) and "\n" not in str(error.value)
