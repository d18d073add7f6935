"""conf/ against its schema, dvc.yaml against conf/, and what a wrong key says."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from pipeline.common.errors import ConfigError
from pipeline.config import conf_files
from pipeline.config import schema as config
from pipeline.config.choices import check_choices, check_keys
from pipeline.config.composition import compose_conf
from pipeline.config.manual import manual
from pipeline.config.promoted import load
from tests.conftest import clean_environment

ROOT = Path(__file__).resolve().parent.parent
CONF = ROOT / "conf"
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
STAGES = {stage: importlib.import_module(f"pipeline.{stage}").SECTIONS for stage in DVC}
SECTIONS = {name: options for sections in STAGES.values() for name, options in sections.items()} | {"sweep": config.SweepConfig}
FILES = [path for group in SECTIONS for path in sorted((CONF / group).glob("*.yaml"))]


def composed(*overrides: str):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides=list(overrides), return_hydra_config=True)


def test_the_default_composition_fits_the_schema():
    read = config.read(composed(), SECTIONS)
    assert read.train.epochs > 0 and read.data.sources == ["strokes"]
    assert read.values["train"]["lr"] == read.train.lr


@pytest.mark.parametrize(
    "file",
    FILES,
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_every_file_of_conf_fits_the_schema(file):
    group = file.parent.name
    config.read(composed(f"{group}={file.stem}"), {group: SECTIONS[group]})


@pytest.mark.parametrize("file", sorted((CONF / "experiment").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_experiment_composes_and_says_how_to_run_it(file):
    config.read(composed(f"experiment={file.stem}"), SECTIONS)
    header, command = file.read_text(encoding="utf-8").splitlines()[:2]
    assert header == "# @package _global_" and command.startswith("# python -m pipeline."), file


@pytest.mark.parametrize("stage", STAGES)
def test_dvc_tracks_every_file_a_stage_is_composed_from(stage):
    choices = dict(composed().hydra.runtime.choices)
    conf_files.check_tracked(stage, STAGES[stage], choices)
    tracked = {file for entry in DVC[stage]["params"] for file in entry}
    read = {
        file
        for section in STAGES[stage]
        if choices.get(section) and section != "tracking"
        for file in conf_files.composed_files(section, choices[section])
    }
    if stage in ("fill", "ocr"):  # they read the project's own forms, whichever `form` is chosen
        read |= {f"conf/form/{name}.yaml" for name in composed().fill.forms}
    assert {file for file in tracked if file.count("/") == 2} == read  # no more than it reads, either
    assert DVC[stage]["cmd"] == f"python -m pipeline.{stage}"


def test_an_untracked_choice_is_refused():
    choices = dict(composed("train=sgd").hydra.runtime.choices)
    with pytest.raises(ConfigError, match="conf/train/sgd.yaml"):
        conf_files.check_tracked("train", STAGES["train"], choices)


def test_what_may_be_promoted_is_a_choice_of_its_own():
    assert all((CONF / group / "champion.yaml").exists() for group in load(CONF / "champion.yaml")["bases"])


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
        ("tracking.uri=foo", "tracking.uri: 'foo' is no store: local, none, or an address such as"),
        ("tracking.uri=foo://bar", "tracking.uri"),
        ("tracking.uri=file:///tmp/mlruns", "tracking.uri"),
        ("tracking.uri=''", "tracking.uri"),
    ],
)
def test_a_wrong_value_names_its_key(override, key):
    with pytest.raises(ConfigError) as error:
        config.read(composed(override), SECTIONS)
    assert str(error.value).startswith(key) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "overrides, said",
    [
        (["+foo=1"], "foo: no such group"),
        (["+trian.lr=0.5"], "the nearest is train"),
        (["experiment=course_mlp", "train=adam"], "train=adam: has no effect on train.optimizer"),
    ],
)
def test_what_has_no_effect_is_refused(overrides, said):
    config_ = composed(*overrides)
    with pytest.raises(ConfigError, match=re.escape(said)):
        check_choices(config_, dict(config_.hydra.runtime.choices), overrides)


@pytest.mark.parametrize(
    "override, said",
    [
        ("trian.lr=0.5", "trian.lr: no such key of conf/; the nearest is train.lr"),
        ("train.lrr=0.5", "train.lrr: no such key of conf/; the nearest is train.lr"),
        ("trakcing=server", "trakcing: no such key of conf/; the nearest is tracking"),
        ("form.template=x", "form.template: is read only where one of these is chosen: form=exam_cover, form=order_sheet"),
        ("tracking=nothing", "Available options in 'tracking': local server"),
        ("extra [", "extra [ ^ See https://hydra.cc"),
    ],
)
def test_what_is_not_there_names_what_is(override, said):
    with pytest.raises(ConfigError, match=re.escape(said)) as error:
        compose_conf([override], "train", STAGES["train"])
    assert "\n" not in str(error.value) and str(CONF) not in str(error.value)


@pytest.mark.parametrize(
    "overrides",
    [[], ["train=adam"], ["experiment=course_mlp", "model=cnn"], ["experiment=grid"], ["experiment=random", "trial=3"]],
)
def test_what_has_its_effect_is_not(overrides):
    config_ = composed(*overrides)
    check_choices(config_, dict(config_.hydra.runtime.choices), overrides)


def test_too_little_memory_is_one_line():
    code = (
        "import sys; from pipeline.config.command import command; "
        "sys.argv = ['evaluate']; command('evaluate', lambda config, folder: bytes(10 ** 18))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=clean_environment(), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "evaluate: not enough memory; make batch_size, jobs or the data smaller\n"


def test_an_experiment_without_its_package_is_named(tmp_path):
    choices = {"experiment": "mine"}
    with pytest.raises(ConfigError, match="conf/experiment/mine.yaml: has no effect; its first line"):
        check_keys(OmegaConf.create({"experiment": {"train": {"lr": 1}}}), choices)


def test_a_stage_is_handed_only_what_it_reads():
    read = config.read(composed(), STAGES["evaluate"])
    assert hasattr(read, "evaluate") and not hasattr(read, "train")


@pytest.mark.parametrize("stage", STAGES)
def test_the_help_of_a_stage_names_the_project_and_what_the_stage_reads(stage):
    text = manual(stage)
    assert text.startswith("handprint. Stage ") and f"`python -m pipeline.{stage}`" in text and "powered by" not in text
    for group, options in STAGES[stage].items():
        keys = vars(options)["__dataclass_fields__"] if group not in ("seed", "form") else []
        assert f"\n{group}: " in text or f"\n  {group}" in text
        assert all(f"\n  {key}: " in text or f'\n  "{key}": ' in text for key in keys), (group, keys)
    unread = set(SECTIONS) - set(STAGES[stage])
    assert not any(f"\n  {group} " in text for group in unread)


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
