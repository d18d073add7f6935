"""conf/champion.yaml: the configuration that makes the champion."""

from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from pipeline.common import paths
from pipeline.common.files import write_text
from pipeline.config import schema
from pipeline.tracking.store import BEST

SECTIONS = ("data", "strokes", "model", "augment", "train")
NOT_PROMOTED = ("resume", "check_gradients")
"""Keys of `train` that change how a training runs, not what comes out."""


def differences(values: dict[str, Any], composed: DictConfig) -> dict[str, Any]:
    """What of a run's configuration differs from the files of conf/ that commands are composed from."""
    changed: dict[str, Any] = {}
    for section in SECTIONS:
        file = paths.ROOT / "conf" / section / f"{composed.hydra.runtime.choices[section]}.yaml"
        default = OmegaConf.to_container(OmegaConf.merge(OmegaConf.structured(schema.SECTIONS[section]), OmegaConf.load(file)))
        changed[section] = {
            key: value for key, value in values[section].items() if value != default[key] and key not in NOT_PROMOTED
        }
    seed = yaml.safe_load((paths.ROOT / "conf/config.yaml").read_text(encoding="utf-8"))["seed"]
    return changed | ({"seed": values["seed"]} if values["seed"] != seed else {})


def write_champion(overrides: dict[str, Any], best: Any) -> None:
    """Write conf/champion.yaml: its heading, where the values come from, a section each, also those that change nothing."""
    file = paths.ROOT / "conf/champion.yaml"
    old = file.read_text(encoding="utf-8").splitlines()
    lines = [line for line in old if line.startswith("#") and not line.startswith("# From ")]
    lines.append(f"# From run {best.info.run_id} ({best.info.run_name}), validation accuracy {best.data.metrics[BEST]:.4f}")
    for section, values in overrides.items():
        if isinstance(values, dict) and values:
            lines += [f"{section}:"] + [f"  {key}: {as_yaml(value)}" for key, value in values.items()]
        else:
            lines.append(f"{section}: {as_yaml(values)}")
    write_text(file, "\n".join(lines) + "\n")


def as_yaml(value: Any) -> str:
    """A value on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("\n").removesuffix("\n...")
