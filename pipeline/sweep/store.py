"""Store: what a sweep asks of the store of runs before its jobs begin."""

import os
import urllib.parse
from pathlib import Path
from typing import Any

from pipeline.common.errors import StoreError
from pipeline.config.schema import TrackingConfig
from pipeline.tracking.registry import weights_of
from pipeline.tracking.store import all_runs, store_uri
from pipeline.tracking.views import BEST


def check_store(config: TrackingConfig) -> None:
    """Refuse a store on this machine that cannot be written; a server that is down may come back, so runs wait for it.

    Raises:
        StoreError: naming the file.
    """
    uri = store_uri(config)
    if not uri.startswith("sqlite:"):
        return
    file = Path(urllib.parse.unquote(uri.partition("///")[2].split("?")[0]).removeprefix("file:")).absolute()
    there = file if file.exists() else file.parent
    if file.is_dir() or not os.access(there, os.W_OK):
        raise StoreError(f"tracking.uri: {file}: cannot be written; name another store, or tracking.uri=none to record nothing")


def finished_runs(client: Any, experiment: str, with_pruned: bool) -> dict[str, dict[str, Any]]:
    """Run, name and accuracy, by fingerprint, of the runs that need not be repeated: those whose weights still exist."""
    found = {}
    for run in all_runs(client, experiment, "tags.fingerprint != ''"):
        tags = run.data.tags
        if BEST not in run.data.metrics and "pruned" not in tags:
            continue
        has_weights = run.info.status == "FINISHED" and weights_of(run) is not None
        if has_weights or (with_pruned and "pruned" in tags):
            found[tags["fingerprint"]] = {
                "run": run.info.run_id,
                "name": run.info.run_name,
                "accuracy": run.data.metrics.get(BEST),
            }
    return found
