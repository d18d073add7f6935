"""The champion: the model that the registry's alias `champion` names, and conf/champion.yaml, the configuration that makes it."""

import tempfile
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from pipeline.common import paths
from pipeline.common.errors import UserError
from pipeline.common.files import md5, write_text
from pipeline.config import schema
from pipeline.tracking.store import BEST, MODEL_NAME

SECTIONS = ("data", "strokes", "model", "augment", "train")
NOT_PROMOTED = ("resume", "check_gradients")
"""Keys of `train` that change how a training runs, not what comes out."""


def standing_champion(client: Any, best: Any) -> Any:
    """The champion's version if it was measured on the same data and is another run that is no worse, else None."""
    models = client.search_registered_models(f"name = '{MODEL_NAME}'")
    if not models or "champion" not in models[0].aliases:
        return None
    champion = client.get_model_version(MODEL_NAME, models[0].aliases["champion"])
    same_data = champion.tags.get("data.prepared") == best.data.tags["data.prepared"]
    no_worse = float(champion.tags.get("accuracy", 0)) >= best.data.metrics[BEST]
    return champion if same_data and no_worse and champion.run_id != best.info.run_id else None


def register(client: Any, best: Any) -> str:
    """Log the run's model if that is not done yet, register it, make it the champion; return the version."""
    registered = client.search_model_versions(f"name = '{MODEL_NAME}' and run_id = '{best.info.run_id}'")
    if registered:
        version = registered[0].version
    else:
        logged = best.outputs.model_outputs if best.outputs else []
        uri = f"models:/{logged[0].model_id}" if logged else log_from_folder(best)
        if not client.search_registered_models(f"name = '{MODEL_NAME}'"):
            client.create_registered_model(
                MODEL_NAME,
                description="Reads hand-printed characters and pages; see "
                "pipeline/tracking/serving.py. `python -m pipeline.promote` sets the alias `champion`.",
            )
        version = client.create_model_version(
            MODEL_NAME,
            uri,
            best.info.run_id,
            model_id=uri.removeprefix("models:/"),
            tags={"accuracy": repr(best.data.metrics[BEST]), "data.prepared": best.data.tags["data.prepared"]},
            description=best.data.tags.get("mlflow.note.content", ""),
        ).version
    client.set_registered_model_alias(MODEL_NAME, "champion", version)
    return version


def log_from_folder(best: Any) -> str:
    """Log the model from the weights that the sweep's job left in its folder; return its URI."""
    from pipeline.tracking.serving import log_model

    weights = Path(best.data.tags["folder"]) / paths.MODEL
    if not weights.exists() or md5(weights) != best.data.tags["weights"]:
        raise UserError(f"{weights}: the weights of {best.info.run_name} are gone; run the sweep again with sweep.rerun=true")
    return log_model(best.info.run_id, weights)


def best_values(client: Any, best: Any) -> dict[str, Any]:
    """The whole configuration of a run, as it was recorded."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(client.download_artifacts(best.info.run_id, "config.yaml", folder))
        return yaml.safe_load(file.read_text(encoding="utf-8"))


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
