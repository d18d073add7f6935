"""The quick composition of a sweep's jobs against Hydra's own."""

import itertools
import pickle
import time

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from omegaconf import OmegaConf

from pipeline.config import resolvers  # noqa: F401 (what experiments may write)
from pipeline.sweep.loader import Loader
from tests.conftest import ROOT

SWEEPS = [
    ["experiment=grid", "train.lr=0.1|0.2", "train.batch_size=8|16", "model.hidden=[8]|[16,8]"],
    ["model=mlp|cnn", "train=adam|sgd", "train.lr=0.1|1e-3", "seed=1|2"],
    ["experiment=random", "trial=0|1|2|3", "train.epochs=1"],
    ["train.initial=null|a/b.npz|'it is'", "data.fresh=true|false", "+augment.new=1|2", "alphabet.characters='01'|'a,b'"],
    ["ocr.pages=null|[a,b]|x", "form=exam_cover|order_sheet", "~train.patience"],
    ["augment={blur:0.1}|{blur:0.2}", "train={lr:0.1,epochs:2}|{lr:0.2}"],
]


def loader() -> ConfigLoaderImpl:
    setup_globals()  # ${now:...}
    return ConfigLoaderImpl(config_search_path=create_config_search_path(str(ROOT / "conf")))


def jobs(sweep: list[str]) -> list[list[str]]:
    choices = []
    for word in sweep:
        key, _, values = word.partition("=")
        choices.append([f"{key}={value}" for value in values.split("|")] if values else [key])
    return [list(job) for job in itertools.product(*choices)]


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep[0])
def test_a_job_is_composed_as_hydra_composes_it(sweep):
    own = loader()
    master = own.load_configuration("config", ["hydra.mode=MULTIRUN"], RunMode.MULTIRUN)
    folder, used = master.hydra.sweep.dir, Loader(own)
    used.load_sweep_config(master, jobs(sweep)[0])
    quick = pickle.loads(pickle.dumps(used))  # as a worker gets it
    for job in jobs(sweep):
        expected, composed = own.load_sweep_config(master, job), quick.load_sweep_config(master, job)
        for config in (expected, composed):
            config.hydra.job.override_dirname = ""  # not asked for
        assert OmegaConf.to_yaml(composed) == OmegaConf.to_yaml(expected) and composed.hydra.sweep.dir == folder
        composed.train.lr = 77  # a job's own copy
    assert len(quick.composed) <= len(jobs(sweep))


def test_a_folder_named_after_the_words_is_hydras_own():
    own = loader()
    master = own.load_configuration("config", ["hydra.sweep.subdir=${hydra.job.override_dirname}"], RunMode.MULTIRUN)
    names = {Loader(own).load_sweep_config(master, [f"train.lr={lr}"]).hydra.sweep.subdir for lr in (1, 2)}
    assert names == {"train.lr=1", "train.lr=2"}


def test_a_job_that_differs_in_values_is_composed_several_times_as_fast():
    own = loader()
    master = own.load_configuration("config", [], RunMode.MULTIRUN)
    quick = Loader(own)
    quick.load_sweep_config(master, ["train.lr=0"])

    def seconds(load) -> float:
        taken = []  # the least: a garbage collection after many other tests takes longer than either
        for lr in range(1, 6):
            started = time.process_time()
            load(master, [f"train.lr={lr}"])
            taken.append(time.process_time() - started)
        return min(taken)

    assert seconds(quick.load_sweep_config) < seconds(own.load_sweep_config) / 3
