"""Views: what the MLflow UI shows of the runs: the columns of its table, and for each sweep a page that compares its runs.

MLflow keeps a view as a tag of the experiment and finds it by the key in the page's address.
"""

import json
from collections.abc import Sequence
from typing import Any

BEST = "best/valid/accuracy"
"""What runs are compared by: the validation accuracy of the epoch whose weights are kept."""

RUNS = "sweeps"
"""The key of the view of all runs."""

TRAINING = "workflowType=machine_learning"
"""Without it, the menu beside the page is for agents and prompts."""

COLUMNS = ["attributes.`Duration`", f"metrics.`{BEST}`", "metrics.`test/accuracy`"]
PARAMS = ["model.name", "model.hidden", "train.lr", "train.batch_size"]
TAGS = ["pruned", "reason"]
LOADED = 100
"""Runs that the UI loads at first."""

MOST_VARIED = 8
"""Axes of the first chart: with more, their names run into each other."""


def runs_view() -> dict[str, str]:
    """The tag with the view of all runs."""
    return _tag(RUNS, {"selectedColumns": _columns(PARAMS), "orderByKey": "attributes.start_time"})


def sweep_view(sweep: str, varied: Sequence[str], jobs: int = 0) -> dict[str, str]:
    """The tag with the page that compares the runs of a sweep: first what it varied against the accuracy, then the epochs.

    Args:
        sweep: its id.
        varied: parameters in which its runs differ.
        jobs: how many runs it will have, where that is known.
    """
    shown = list(varied)[:MOST_VARIED]
    section = f"{sweep}-accuracy"
    name = "Accuracy" if jobs <= LOADED else f"The best {LOADED} of {jobs} runs"
    common = {"metricSectionId": section, "deleted": False, "isGenerated": False}
    charts: list[dict[str, Any]] = [
        {"type": "PARALLEL", "selectedParams": shown, "selectedMetrics": [BEST], "showAllRuns": True},
        {"type": "LINE", "metricKey": "valid/accuracy", "lineSmoothness": 0, "useGlobalLineSmoothing": False},
        {"type": "BAR", "metricKey": BEST, "runsCountToCompare": 20},
    ]
    if not shown:
        del charts[0]
    return _tag(
        view_of(sweep),
        {
            "searchFilter": f"tags.sweep LIKE '%{sweep}%'",
            "orderByKey": f"metrics.`{BEST}`",
            "orderByAsc": False,
            "selectedColumns": _columns(shown),
            "runsHiddenMode": "SHOW_ALL",
            "hideEmptyCharts": True,
            "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
            "isAccordionReordered": True,  # or MLflow sorts the sections by name
            "compareRunSections": [
                {"uuid": section, "name": name, "display": True, "isReordered": True, "deleted": False, "columns": 1}
            ],
            "compareRunCharts": [{"uuid": f"{section}-{n}", **common, **chart} for n, chart in enumerate(charts)],
        },
    )


def view_of(sweep: str) -> str:
    """The key of a sweep's view."""
    return f"sweep-{sweep}"


def runs_page(experiment: str) -> str:
    """The address of the table of runs within a server."""
    return f"#/experiments/{experiment}/runs?{TRAINING}&viewStateShareKey={RUNS}"


def sweep_page(experiment: str, sweep: str) -> str:
    """The address of the page that compares the runs of a sweep, within a server."""
    return f"#/experiments/{experiment}/runs?{TRAINING}&viewStateShareKey={view_of(sweep)}&compareRunsMode=CHART"


def _columns(params: Sequence[str]) -> list[str]:
    return [*COLUMNS, *(f"params.`{key}`" for key in params), *(f"tags.`{key}`" for key in TAGS)]


def _tag(key: str, state: dict[str, Any]) -> dict[str, str]:
    return {f"mlflow.sharedViewState.{key}": json.dumps(state)}
