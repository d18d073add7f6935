"""What a command line asks for is read, or an error says by whom it would be; where files lie changes no training."""

import re
import shutil
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from pipeline import prepare, search, train
from pipeline.common.errors import ConfigError
from pipeline.config import schema
from pipeline.config.composition import compose_conf
from pipeline.config.effect import CONDITIONS, check_conditions, check_once, check_read, effective, value_of, without_effect
from tests.test_config import SECTIONS, STAGES, composed

GROUPS = sorted(SECTIONS)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("group", GROUPS)
def test_a_group_that_a_stage_does_not_read_names_the_stages_that_do(stage, group):
    for word in (f"{group}=any", f"{group}.key=1", f"+{group}.key=1", f"~{group}.key"):
        if group in STAGES[stage]:
            check_read([word], stage, STAGES[stage])
            continue
        with pytest.raises(ConfigError) as error:
            check_read([word], stage, STAGES[stage])
        readers = [name for name, sections in STAGES.items() if group in sections] or ["train -m"]
        assert str(error.value).startswith(f"{word}: has no effect: {stage} reads ")
        assert str(error.value).endswith(f"; {group} is read by {', '.join(readers)}")


@pytest.mark.parametrize("command", ["promote", "tracking"])
def test_a_command_that_is_no_stage_refuses_what_it_does_not_read(command):
    assert compose_conf(["tracking=server"], command, ["tracking"]).tracking.uri.startswith("http")
    with pytest.raises(ConfigError, match="train=adam: has no effect"):
        compose_conf(["train=adam"], command, ["tracking"])


def test_words_of_hydra_and_experiments_that_say_where_to_write_are_everybodys():
    check_read(["hydra.run.dir=x", "hydra/launcher=joblib", "experiment=course_mlp"], "evaluate", STAGES["evaluate"])
    with pytest.raises(ConfigError, match="experiment=seeds: has no effect"):
        check_read(["experiment=seeds"], "evaluate", STAGES["evaluate"])


def test_an_experiment_with_several_values_is_a_sweep():
    grid = composed("experiment=grid").hydra.sweeper.params
    with pytest.raises(ConfigError, match="several values to train.batch_size, model.hidden: add -m"):
        check_once(["experiment=grid", "train.lr=0.1"], grid)
    check_once(["experiment=random", "trial=3"], composed("experiment=random", "trial=3").hydra.sweeper.params)
    check_once(["train=adam"], composed().hydra.sweeper.get("params"))


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.key)
def test_a_condition_names_keys_of_conf(condition):
    values = schema.read(composed("form=exam_cover"), SECTIONS).values
    assert condition.key in values or value_of(values, condition.key) is not None
    value_of(values, condition.other)


@pytest.mark.parametrize(
    "words, said",
    [
        (["train.momentum=0.5"], "is read where train.optimizer is momentum, and that is adam"),
        (["model=mlp", "model.kernel=3"], "is read where model.name is cnn, and that is mlp"),
        (["data.root=mine"], "is read where data.sources is nist36 or emnist or folder or npz, and that is [strokes]"),
        (["form=order_sheet"], "is read where ocr.pages is given, and that is null"),
        (["data=nist36", "strokes.pen=1"], "is read where data.sources is strokes, and that is [nist36]"),
    ],
)
def test_a_value_that_is_not_read_beside_the_others_names_the_one_it_needs(words, said):
    values = schema.read(composed(*[word for word in words if "strokes." not in word]), SECTIONS).values
    with pytest.raises(ConfigError) as error:
        check_conditions(words, values)
    assert str(error.value) == f"{words[-1]}: has no effect: it {said}"


@pytest.mark.parametrize(
    "words",
    [["train.optimizer=momentum", "train.momentum=0.5"], ["data=npz", "data.root=mine"], ["form=order_sheet", "ocr.pages=mine"]],
)
def test_a_value_that_is_read_is_let_through(words):
    check_conditions(words, schema.read(composed(*words), SECTIONS).values)


@pytest.mark.parametrize(
    "words, said",
    [
        (
            ["train.momentum=interval(0.5, 0.9)"],
            "train.momentum=0.5: has no effect: it is read where train.optimizer is momentum",
        ),
        (["model=mlp", "model.kernel=3", "seed=1,2"], "model.kernel=3: has no effect: it is read where model.name is cnn"),
        (["sweep.prune_after=3", "seed=1,2"], "sweep.prune_after=3: has no effect"),
        (["train.optimizer=adam,momentum", "train.momentum=choice(0.5, 0.9)", "model=mlp,cnn", "model.kernel=3"], None),
    ],
)
def test_a_search_refuses_what_none_of_its_trials_reads(words, said):
    parsed = OverridesParser.create().parse_overrides(words)
    fixed = [word.input_line for word in parsed if not word.is_sweep_override()]
    space = [word for word in parsed if word.is_sweep_override()]
    if said is None:
        search.check_effect(fixed, space)
        return
    with pytest.raises(ConfigError, match=re.escape(said)):
        search.check_effect(fixed, space)


def test_what_is_not_read_makes_no_other_configuration():
    values = [schema.read(composed(f"train.momentum={momentum}"), SECTIONS).values for momentum in (0.5, 0.9)]
    assert values[0] != values[1] and effective(values[0]) == effective(values[1])
    assert "train.momentum" in without_effect(values[0]) and "lr" in effective(values[0])["train"]


def config_of(*words: str) -> schema.Config:
    return schema.read(composed(*words), train.SECTIONS)


def test_where_the_data_lie_is_no_part_of_a_training(tmp_path):
    library = Path("data/strokes.npz").absolute()
    (tmp_path / "A").mkdir()
    (tmp_path / "A/1.png").write_bytes(b"picture")
    moved = shutil.copytree(tmp_path / "A", tmp_path / "other/A")
    usual, elsewhere = config_of(), config_of(f"data.library={library}")
    assert train.fingerprint(usual) == train.fingerprint(elsewhere) and prepare.described(usual) == prepare.described(elsewhere)
    here, there = (config_of("data=folder", f"data.root={root}") for root in (tmp_path / "A", moved))
    assert train.fingerprint(here) == train.fingerprint(there) != train.fingerprint(usual)
    (moved / "1.png").write_bytes(b"another")
    assert train.fingerprint(here) != train.fingerprint(there)


def test_the_class_that_a_folder_is_named_after_is_a_part_of_it(tmp_path):
    (tmp_path / "A").mkdir()
    (tmp_path / "A/1.png").write_bytes(b"picture")
    config = config_of("data=folder", f"data.root={tmp_path}")
    before = train.fingerprint(config)
    (tmp_path / "A").rename(tmp_path / "B")
    assert train.fingerprint(config) != before


def test_what_a_training_depends_on_is_in_its_fingerprint_and_nothing_else():
    usual = train.fingerprint(config_of())
    for word in ("train.lr=0.1", "seed=2", "data.seed=3", "data.views=3", "model.hidden=[3]", "augment.blur=0.1"):
        assert train.fingerprint(config_of(word)) != usual, word
    for word in ("train.resume=false", "train.momentum=0.5", "tracking.uri=none", "data.root=other", "data.download=true"):
        assert train.fingerprint(config_of(word)) == usual, word
