"""From a run's journal to the store: one function for each kind of event."""

import json
from typing import Any

from pipeline.tracking.journal import Journal
from pipeline.tracking.store import log, sweep_run


def upload(journal: Journal, client: Any, experiment: str) -> None:
    """Carry the events the store does not have yet; safe to repeat after a failure."""
    state = journal.state
    events = journal.events()
    while state["uploaded"] < len(events):
        event = events[state["uploaded"]]
        batch = 1
        if event["kind"] == "metrics":
            while (
                state["uploaded"] + batch < len(events) and events[state["uploaded"] + batch]["kind"] == "metrics" and batch < 100
            ):
                batch += 1
            _metrics(client, state["run_id"], events[state["uploaded"] : state["uploaded"] + batch])
        else:
            UPLOADS[event["kind"]](journal, client, experiment, state, event)
        state["uploaded"] += batch
        journal.state = state


def _start(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    if event["weights"]:
        found = client.search_runs([experiment], f"tags.weights = '{event['weights']}'", max_results=1)
        if found:
            state.update(run_id=found[0].info.run_id, joined=True)
            return
    found = client.search_runs([experiment], f"tags.journal = '{journal.folder.name}'", max_results=1)
    if found:  # made before, and the answer was lost
        state.update(run_id=found[0].info.run_id, joined=False)
        return
    tags = {**event["tags"], "journal": journal.folder.name}
    if "sweep" in tags:
        tags["mlflow.parentRunId"] = sweep_run(client, experiment, tags["sweep"], tags["sweep_command"])
    run = client.create_run(experiment, start_time=event["time"], run_name=event["name"], tags=tags)
    state.update(run_id=run.info.run_id, joined=False)


def _metrics(client: Any, run_id: str, events: list[dict]) -> None:
    from mlflow.entities import Metric

    client.log_batch(
        run_id,
        metrics=[Metric(key, value, event["time"], event["step"]) for event in events for key, value in event["values"].items()],
    )


def _params(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    log(client, state["run_id"], params=event["values"])


def _tags(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    log(client, state["run_id"], tags=event["values"])


def _artifact(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    client.log_artifact(state["run_id"], str(journal.folder / event["file"]), event["folder"] or None)


def _dataset(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset(
        name=event["name"],
        digest=event["digest"],
        source_type="local",
        source=json.dumps({"uri": event["source"]}),
        profile=json.dumps(event["profile"]),
    )
    client.log_inputs(state["run_id"], [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])


def _model(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    from pipeline.serving import log_model

    for rest in client.search_logged_models([experiment], f"source_run_id = '{state['run_id']}'"):  # of an upload cut short
        client.delete_logged_model(rest.model_id)
    log_model(state["run_id"], journal.folder / event["file"])


def _end(journal: Journal, client: Any, experiment: str, state: dict, event: dict) -> None:
    if state["joined"]:
        return
    if event.get("reason"):
        client.set_tag(state["run_id"], "reason", event["reason"][:5000])
    client.set_terminated(state["run_id"], event["status"], event["time"])


UPLOADS = {
    "start": _start,
    "params": _params,
    "tags": _tags,
    "artifact": _artifact,
    "dataset": _dataset,
    "model": _model,
    "end": _end,
}
