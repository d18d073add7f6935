"""Upload: carries a run's journal to the store, with one function for each kind of event."""

import json
import sys
from typing import Any

from pipeline.tracking.journal import Journal
from pipeline.tracking.store import first_line, log, sweep_run

FINAL = {"BAD_REQUEST", "INVALID_PARAMETER_VALUE", "INVALID_STATE", "RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"}
"""MLflow's words for an answer that stays the same however often one asks; all others may be a store that is away."""

BATCH = 100
"""Metric events sent at once: 50 single calls take 1.2 s, one call 0.03 s."""


class RefusedError(Exception):
    """The store refuses a part of a journal for good; the rest is uploaded."""


def upload(journal: Journal, client: Any, experiment: str, again: bool = False) -> None:
    """Upload the events that the store does not have yet; safe to repeat after a failure.

    Args:
        again: also try the events that the store refused before.

    Raises:
        RefusedError: at the end, if the store refused something for good; the journal must be kept.
        Exception: whatever MLflow raises if the store is away.
    """
    state = journal.state
    events = journal.events()
    if again:
        offered, state["refused"] = state["refused"], []
        for number in offered:
            _carry(journal, client, experiment, state, [events[number]], number)
    while state["uploaded"] < len(events):
        first = state["uploaded"]
        batch = [events[first]]
        while batch[0]["kind"] == "metrics" and len(batch) < BATCH and first + len(batch) < len(events):
            if events[first + len(batch)]["kind"] != "metrics":
                break
            batch.append(events[first + len(batch)])
        _carry(journal, client, experiment, state, batch, first)
        state["uploaded"] += len(batch)
        journal.state = state
    if state["refused"]:
        raise RefusedError(f"the store will never take part of it: {state['reason']}; the rest is recorded")


def _carry(journal: Journal, client: Any, experiment: str, state: dict, events: list[dict], first: int) -> None:
    """Upload events of one kind, the first of which is number `first`; note what the store refuses for good."""
    try:
        UPLOADS[events[0]["kind"]](journal, client, experiment, state, events)
    except Exception as error:
        if getattr(error, "error_code", None) not in FINAL:
            raise
        if state["run_id"] is None:
            raise RefusedError(f"the store will never take it: {first_line(error)}") from error
        if len(events) > 1:  # one of them
            for number, event in enumerate(events, start=first):
                _carry(journal, client, experiment, state, [event], number)
        else:
            state["refused"].append(first)
            state["reason"] = first_line(error)


def tell_refused(journal: Journal, error: Exception, always: bool = False) -> None:
    """Say, once, what cannot be uploaded and what can be done."""
    state = journal.state
    if always or not state["told"]:
        command = f"python -m pipeline.tracking discard {journal.folder.name}"
        print(f"tracking: {journal.folder.name}: {error}; to drop what is left: {command}", file=sys.stderr)
        journal.state = state | {"told": True}


def _start(journal: Journal, client: Any, experiment: str, state: dict, events: list[dict]) -> None:
    (event,) = events
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
        tags["mlflow.parentRunId"] = sweep_run(
            client, experiment, tags["sweep"], tags["sweep_command"], tags["sweep_varied"].split()
        )
    run = client.create_run(experiment, start_time=event["time"], run_name=event["name"], tags=tags)
    state.update(run_id=run.info.run_id, joined=False)


def _metrics(journal: Journal, client: Any, experiment: str, state: dict, events: list[dict]) -> None:
    from mlflow.entities import Metric

    client.log_batch(
        state["run_id"],
        metrics=[Metric(key, value, event["time"], event["step"]) for event in events for key, value in event["values"].items()],
    )


def _params(journal: Journal, client: Any, experiment: str, state: dict, events: list[dict]) -> None:
    (event,) = events
    values = {key: value[:6000] for key, value in event["values"].items()}  # as long as MLflow takes them
    if state["joined"]:
        recorded = client.get_run(state["run_id"]).data.params
        changed = {key: value for key, value in values.items() if recorded.get(key, value) != value}
        if changed:
            state.update(run_id=_other_options(journal, client, experiment, state["run_id"], changed), joined=False)
    log(client, state["run_id"], params=values)


def _other_options(journal: Journal, client: Any, experiment: str, parent: str, changed: dict[str, str]) -> str:
    """The id of the child run of `parent` for what a stage measured with other options than those of `parent`.

    MLflow never changes a parameter, and the numbers of one run must belong to its parameters. The same options again are
    the same child.
    """
    start = journal.events()[0]
    name = " ".join([start["name"], *(f"{key.split('.', 1)[-1]}={value}" for key, value in sorted(changed.items()))])[:250]
    found = client.search_runs(
        [experiment], f"tags.`mlflow.parentRunId` = '{parent}' and tags.options = '{_quoted(name)}'", max_results=1
    )
    if found:
        return found[0].info.run_id
    tags = {**start["tags"], "journal": journal.folder.name, "mlflow.parentRunId": parent, "options": _quoted(name)}
    return client.create_run(experiment, start_time=start["time"], run_name=name, tags=tags).info.run_id


def _quoted(text: str) -> str:
    """Text without the quotes that MLflow's filters cannot escape."""
    return text.replace("'", "").replace('"', "")


def _tags(journal: Journal, client: Any, experiment: str, state: dict, events: list[dict]) -> None:
    log(client, state["run_id"], tags=events[0]["values"])


def _artifact(journal: Journal, client: Any, experiment: str, state: dict, events: list[dict]) -> None:
    client.log_artifact(state["run_id"], str(journal.folder / events[0]["file"]), events[0]["folder"] or None)


def _dataset(journal: Journal, client: Any, experiment: str, state: dict, events: list[dict]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    (event,) = events
    dataset = Dataset(
        name=event["name"],
        digest=event["digest"],
        source_type="local",
        source=json.dumps({"uri": event["source"]}),
        profile=json.dumps(event["profile"]),
    )
    client.log_inputs(state["run_id"], [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])


def _model(journal: Journal, client: Any, experiment: str, state: dict, events: list[dict]) -> None:
    from pipeline.tracking.serving import log_model

    for rest in client.search_logged_models([experiment], f"source_run_id = '{state['run_id']}'"):  # of an upload cut short
        client.delete_logged_model(rest.model_id)
    log_model(state["run_id"], journal.folder / events[0]["file"])


def _end(journal: Journal, client: Any, experiment: str, state: dict, events: list[dict]) -> None:
    (event,) = events
    if state["joined"]:
        return
    if event.get("reason"):
        client.set_tag(state["run_id"], "reason", event["reason"][:5000])
    client.set_terminated(state["run_id"], event["status"], event["time"])


UPLOADS = {
    "start": _start,
    "params": _params,
    "metrics": _metrics,
    "tags": _tags,
    "artifact": _artifact,
    "dataset": _dataset,
    "model": _model,
    "end": _end,
}
