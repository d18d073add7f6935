"""What the MLflow UI opens with."""

import json

from pipeline.tracking.views import BEST, LOADED, MOST_VARIED, runs_view, sweep_page, sweep_view


def state(tag: dict[str, str]) -> dict:
    (value,) = tag.values()
    assert len(value) < 5000, "as long as MLflow takes a tag of an experiment"
    return json.loads(value)


def test_a_sweep_is_compared_by_what_it_varied():
    view = state(sweep_view("20260101-120000-ab12", ["train.lr", "model.hidden"], jobs=27))
    charts = view["compareRunCharts"]
    assert charts[0]["selectedParams"] == ["train.lr", "model.hidden"] and charts[0]["selectedMetrics"] == [BEST]
    assert {chart["metricSectionId"] for chart in charts} == {section["uuid"] for section in view["compareRunSections"]}
    assert len({chart["uuid"] for chart in charts}) == len(charts)
    assert view["searchFilter"] == "tags.sweep LIKE '%20260101-120000-ab12%'" and not view["orderByAsc"]
    assert view["compareRunSections"][0]["name"] == "Accuracy"


def test_many_runs_and_many_keys_are_told_and_fit():
    keys = [f"section_{n}.a_long_name_of_a_key_{n}" for n in range(40)]
    view = state(sweep_view("20260101-120000-ab12", keys, jobs=LOADED + 1))
    assert view["compareRunSections"][0]["name"] == f"The best {LOADED} of {LOADED + 1} runs"
    assert len(view["compareRunCharts"][0]["selectedParams"]) == MOST_VARIED


def test_a_sweep_of_which_nothing_is_known_shows_its_epochs():
    assert [chart["type"] for chart in state(sweep_view("x", []))["compareRunCharts"]] == ["LINE", "BAR"]


def test_the_page_opens_the_view():
    assert f"mlflow.sharedViewState.{sweep_page('1', 'x').partition('viewStateShareKey=')[2].partition('&')[0]}" in sweep_view(
        "x", []
    )
    assert f"metrics.`{BEST}`" in state(runs_view())["selectedColumns"]
