"""The registry: versions of the model `handprint`, one of which is the champion.

A promotion happens completely or not at all: `register` makes a version, checks its files, and changes nothing that anyone reads;
`crown` then moves the alias, as the last step.
"""

import tempfile
from pathlib import Path
from typing import Any

import yaml

from pipeline.common import paths
from pipeline.common.errors import UserError
from pipeline.common.files import md5
from pipeline.tracking.store import MODEL_NAME
from pipeline.tracking.views import BEST

ALIAS = "champion"


def champion_of(client: Any) -> Any:
    """The champion's version, or None."""
    models = client.search_registered_models(f"name = '{MODEL_NAME}'")
    return client.get_model_version(MODEL_NAME, models[0].aliases[ALIAS]) if models and ALIAS in models[0].aliases else None


def standing_champion(client: Any, best: Any) -> Any:
    """The champion's version if it is another run, measured on the same data, and at least as good; otherwise None."""
    champion = champion_of(client)
    if champion is None:
        return None
    same_data = champion.tags.get("data.prepared") == best.data.tags["data.prepared"]
    no_worse = float(champion.tags.get("accuracy", 0)) >= best.data.metrics[BEST]
    return champion if same_data and no_worse and champion.run_id != best.info.run_id else None


def register(client: Any, best: Any) -> str:
    """The version with the model of the run; it is made if there is none. Its files exist, see `model_of`.

    Raises:
        UserError: the weights are gone.
    """
    versions = client.search_model_versions(f"name = '{MODEL_NAME}' and run_id = '{best.info.run_id}'")
    known = {f"models:/{MODEL_NAME}/{version.version}": version.version for version in versions}
    uri = model_of(best, list(known))
    if uri in known:
        return known[uri]
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


def model_of(run: Any, versions: list[str]) -> str:
    """The URI of a model with the weights of the run and the other files that the stage `ocr` reads pages with; logged if new.

    A model that was logged with other files, for example before the ink network was trained, reads pages differently.

    Raises:
        UserError: the weights are gone.
    """
    from pipeline.tracking.serving import log_model, reader_files

    logged = [f"models:/{output.model_id}" for output in (run.outputs.model_outputs if run.outputs else [])]
    weights, needed = weights_of(run), {run.data.tags["weights"], *map(md5, reader_files().values())}
    with tempfile.TemporaryDirectory() as folder:
        for number, uri in enumerate([*versions, *logged]):
            files = files_of(uri, Path(folder) / str(number))
            if needed <= set(files):
                return uri
            weights = weights or files.get(run.data.tags["weights"])
        if weights is None:
            where = run.data.tags["folder"]
            raise UserError(f"{where}: the weights of {run.info.run_name} are gone; run the sweep again with sweep.rerun=true")
        return log_model(run.info.run_id, weights)


def crown(client: Any, version: str) -> None:
    """Make a version the champion."""
    client.set_registered_model_alias(MODEL_NAME, ALIAS, version)


def files_of(uri: str, folder: Path) -> dict[str, Path]:
    """The files logged with a model, by their md5, downloaded into `folder`; empty if they are gone."""
    from mlflow import MlflowException, artifacts

    folder.mkdir()
    try:
        model = Path(artifacts.download_artifacts(f"{uri}/artifacts", dst_path=str(folder)))
    except (MlflowException, OSError):
        return {}
    return {md5(file): file for file in model.rglob("*") if file.is_file()}


def weights_of(run: Any) -> Path | None:
    """The weights that a run left in its folder, or None if they are gone or have been overwritten by another run."""
    weights = paths.STORE_ROOT / run.data.tags["folder"] / paths.MODEL
    return weights if weights.exists() and md5(weights) == run.data.tags.get("weights") else None


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
