"""The registry: versions of the model `handprint`, one of which is the champion.

A promotion is all or nothing: `register` makes a version, whose files are checked, and changes nothing that anyone reads;
`crown` then moves the alias, which is the last step.
"""

import tempfile
from pathlib import Path
from typing import Any

import yaml

from pipeline.common import paths
from pipeline.common.errors import UserError
from pipeline.common.files import md5
from pipeline.tracking.store import BEST, MODEL_NAME

ALIAS = "champion"


def champion_of(client: Any) -> Any:
    """The champion's version, or None."""
    models = client.search_registered_models(f"name = '{MODEL_NAME}'")
    return client.get_model_version(MODEL_NAME, models[0].aliases[ALIAS]) if models and ALIAS in models[0].aliases else None


def standing_champion(client: Any, best: Any) -> Any:
    """The champion's version if it was measured on the same data and is another run that is no worse, else None."""
    champion = champion_of(client)
    if champion is None:
        return None
    same_data = champion.tags.get("data.prepared") == best.data.tags["data.prepared"]
    no_worse = float(champion.tags.get("accuracy", 0)) >= best.data.metrics[BEST]
    return champion if same_data and no_worse and champion.run_id != best.info.run_id else None


def register(client: Any, best: Any) -> str:
    """Return the version that holds the run's model, made if need be; its files are there and hold the run's weights.

    Raises:
        UserError: the weights are gone.
    """
    for version in client.search_model_versions(f"name = '{MODEL_NAME}' and run_id = '{best.info.run_id}'"):
        if holds_weights(f"models:/{MODEL_NAME}/{version.version}", best):
            return version.version
    logged = [f"models:/{output.model_id}" for output in (best.outputs.model_outputs if best.outputs else [])]
    uri = next((uri for uri in logged if holds_weights(uri, best)), None) or log_from_folder(best)
    if not client.search_registered_models(f"name = '{MODEL_NAME}'"):
        client.create_registered_model(
            MODEL_NAME,
            description="Reads hand-printed characters and pages; see "
            "pipeline/tracking/serving.py. `python -m pipeline.promote` sets the alias `champion`.",
        )
    return client.create_model_version(
        MODEL_NAME,
        uri,
        best.info.run_id,
        model_id=uri.removeprefix("models:/"),
        tags={"accuracy": repr(best.data.metrics[BEST]), "data.prepared": best.data.tags["data.prepared"]},
        description=best.data.tags.get("mlflow.note.content", ""),
    ).version


def crown(client: Any, version: str) -> None:
    """Make a version the champion."""
    client.set_registered_model_alias(MODEL_NAME, ALIAS, version)


def holds_weights(uri: str, run: Any) -> bool:
    """Whether the files of a logged model are there, and its weights are those of the run."""
    from mlflow import MlflowException, artifacts

    with tempfile.TemporaryDirectory() as folder:
        try:
            model = Path(artifacts.download_artifacts(f"{uri}/artifacts", dst_path=folder))
        except (MlflowException, OSError):
            return False
        return any(md5(file) == run.data.tags["weights"] for file in model.rglob("*.npz"))


def weights_of(run: Any) -> Path | None:
    """The weights that a run left in its folder, or None if they are gone or another run's by now."""
    weights = paths.STORE_ROOT / run.data.tags["folder"] / paths.MODEL
    return weights if weights.exists() and md5(weights) == run.data.tags.get("weights") else None


def log_from_folder(best: Any) -> str:
    """Log the model from the weights that the run left in its folder; return its URI.

    Raises:
        UserError: they are gone.
    """
    from pipeline.tracking.serving import log_model

    weights = weights_of(best)
    if weights is None:
        folder = best.data.tags["folder"]
        raise UserError(f"{folder}: the weights of {best.info.run_name} are gone; run the sweep again with sweep.rerun=true")
    return log_model(best.info.run_id, weights)


def configuration_of(client: Any, run: Any) -> dict[str, Any]:
    """The whole configuration of a run, as it was recorded.

    Raises:
        UserError: the file is gone.
    """
    from mlflow import MlflowException

    with tempfile.TemporaryDirectory() as folder:
        try:
            file = Path(client.download_artifacts(run.info.run_id, "config.yaml", folder))
        except (MlflowException, OSError):
            raise UserError(
                f"{run.info.artifact_uri}/config.yaml: the configuration of {run.info.run_name} is gone; "
                "train it again (a sweep with sweep.rerun=true)"
            ) from None
        return yaml.safe_load(file.read_text(encoding="utf-8"))
