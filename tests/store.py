"""Looking into the store that commands in a copy of the project wrote to."""

from pathlib import Path
from typing import Any


def runs_of(project: Path, uri: str = "") -> tuple[Any, list, list]:
    """`(client, sweeps' parent runs, other runs)` of the copy's own store, or of the one at `uri`; the newest first."""
    import mlflow
    from sqlalchemy import URL  # quotes a folder's name as the project itself does

    own = URL.create("sqlite+pysqlite", database=str(project / "mlflow.db")).render_as_string()
    client = mlflow.MlflowClient(uri or own)
    experiment = client.get_experiment_by_name("handprint").experiment_id
    runs = client.search_runs([experiment], max_results=1000)
    parents = [run for run in runs if run.data.tags.get("stage") == "sweep"]
    return client, parents, [run for run in runs if run.data.tags.get("stage") == "train"]
