"""`python -m pipeline.promote`: report a sweep, make its best model the champion, write conf/champion.yaml.

Reads MLflow only, so it can be run at any time and as often as one likes. It takes the newest sweep, or the one `--sweep`
names. `--dry-run` only reports. The champion of the same data is replaced by a better model only, unless with `--force`.
Other words are Hydra overrides: `python -m pipeline.promote tracking=server`.
"""

import argparse
import statistics
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from pipeline import config as schema
from pipeline import figures, paths, tracking
from pipeline.errors import UserError
from pipeline.files import replacing_folder, write_text
from pipeline.shell import fail

REPORT, PICTURES = Path("reports/sweep.md"), Path("reports/sweep")
CHAMPION = paths.ROOT / "conf/champion.yaml"
SECTIONS = ("data", "strokes", "model", "augment", "train")
NOT_PROMOTED = ("resume", "check_gradients")
"""Keys of `train` that change how a training runs, not what comes out."""

CURVES = 8
ROWS_ON_TERMINAL = 12


@dataclass
class Configuration:
    """Runs that differ in their seed only, the best first."""

    runs: list[Any]

    @property
    def accuracies(self) -> list[float]:
        return [run.data.metrics[tracking.BEST] for run in self.runs]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.accuracies)

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds, 0 for a single one."""
        return statistics.stdev(self.accuracies) if len(self.runs) > 1 else 0.0


def promote(tracking_config: schema.TrackingConfig, composed: DictConfig, sweep: Optional[str], dry_run: bool, force: bool) -> str:
    """Do it all; return what to tell the user at the end.

    Raises:
        UserError: there is no such sweep, it is still running, nothing in it finished, or its best weights are gone.
    """
    tracking.sync()
    client, experiment = tracking.open_store(tracking_config)
    tracking.end_orphans(client, experiment)
    parent = find_sweep(client, experiment, sweep)
    runs = tracking.all_runs(client, experiment, f"tags.sweep LIKE '%{parent.data.tags['sweep_id']}%'")
    ranked = rank(runs)
    if not ranked:
        raise UserError(f"sweep {parent.data.tags['sweep_id']}: no run of it has finished")
    best = ranked[0].runs[0]
    swept = swept_keys(runs)
    table = table_rows(ranked, swept)
    print(as_text(table[:ROWS_ON_TERMINAL + 1]))
    write_report(client, parent, runs, ranked, swept, table)
    print(f"\npromote: {len(runs)} runs, {len(ranked)} configurations; the report is {REPORT}, its figures are in {PICTURES}/")
    if dry_run:
        return f"best: {best.info.run_name}, validation accuracy {best.data.metrics[tracking.BEST]:.4f} (dry run: nothing promoted)"
    if parent.info.status == "RUNNING":
        raise UserError(f"sweep {parent.data.tags['sweep_id']} is still running: wait for its end, or only report with --dry-run")
    add_to_parent(client, parent, best)
    better = standing_champion(client, best)
    if better and not force:
        return (f"the champion stays: version {better.version} reached {float(better.tags['accuracy']):.4f} on the same data, "
                f"the best here {best.data.metrics[tracking.BEST]:.4f}; --force replaces it all the same")
    version = register(client, best)
    write_champion(differences(best_values(client, best), composed), best)
    for run in tracking.all_runs(client, experiment, f"tags.`data.prepared` = '{best.data.tags['data.prepared']}'"):
        if run.data.metrics.get(tracking.BEST, 0) > best.data.metrics[tracking.BEST] and run not in runs:
            print(f"promote: note that {run.info.run_name}, outside this sweep, reached {run.data.metrics[tracking.BEST]:.4f} on the same "
                  f"data; `git checkout conf/champion.yaml` goes back")
            break
    return (f"{best.info.run_name} is the champion: models:/{tracking.MODEL_NAME}@champion, version {version}, validation "
            f"accuracy {best.data.metrics[tracking.BEST]:.4f}\n         now: git diff conf/champion.yaml && dvc repro")


def find_sweep(client: Any, experiment: str, sweep: Optional[str]) -> Any:
    """The parent run of the newest sweep, or of the one whose id, or whose run's id, begins with `sweep`."""
    parents = tracking.all_runs(client, experiment, "tags.stage = 'sweep'")
    for parent in parents:
        if sweep is None or parent.data.tags["sweep_id"].startswith(sweep) or parent.info.run_id.startswith(sweep):
            return parent
    known = ", ".join(parent.data.tags["sweep_id"] for parent in parents[:5])
    raise UserError(f"no sweep {sweep or 'yet'}: " + (f"the newest are {known}" if known else
                                                      "make one with python -m pipeline.train -m experiment=grid"))


def rank(runs: list[Any]) -> list[Configuration]:
    """The configurations that finished, the highest mean over their seeds first; of equals the one that was run first."""
    groups = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.info.run_name):
        if run.info.status == "FINISHED" and tracking.BEST in run.data.metrics:
            key = tuple(sorted((name, value) for name, value in run.data.params.items()
                               if name != "seed" and not name.startswith("tracking.")))
            groups[key].append(run)
    for group in groups.values():
        group.sort(key=lambda run: -run.data.metrics[tracking.BEST])
    return sorted((Configuration(group) for group in groups.values()), key=lambda configuration: -configuration.mean)


def swept_keys(runs: list[Any]) -> list[str]:
    """The parameters that differ between the runs, seed last."""
    values = defaultdict(set)
    for run in runs:
        for key, value in run.data.params.items():
            values[key].add(value)
    return sorted((key for key in values if len(values[key]) > 1 and not key.startswith("tracking.")),
                  key=lambda key: (key == "seed", key))


def table_rows(ranked: list[Configuration], swept: list[str]) -> list[list[str]]:
    """A heading and one row a configuration."""
    keys = [key for key in swept if key != "seed"]
    rows = [[*keys, "valid/accuracy", "spread", "seeds", "best run"]]
    return rows + [[*(entry.runs[0].data.params[key] for key in keys), f"{entry.mean:.4f}",
                    f"{entry.spread:.4f}" if len(entry.runs) > 1 else "-", str(len(entry.runs)), entry.runs[0].info.run_name]
                   for entry in ranked]


def as_text(rows: list[list[str]]) -> str:
    """The table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def write_report(client: Any, parent: Any, runs: list[Any], ranked: list[Configuration], swept: list[str],
                 table: list[list[str]]) -> None:
    """Write reports/sweep.md and its figures."""
    with replacing_folder(PICTURES) as folder:
        for name, figure in draw(client, ranked, swept):
            figures.save(figure, folder / f"{name}.png", dpi=100)
    tags = parent.data.tags
    lines = [f"# Sweep {tags['sweep_id']}", "", f"`{tags['command']}`", "",
             f"Best: `{ranked[0].runs[0].info.run_name}`, run {ranked[0].runs[0].info.run_id}.", ""]
    lines += ["| " + " | ".join(row) + " |" for row in [table[0], ["---"] * len(table[0]), *table[1:]]]
    others = [run for run in runs if run.info.status != "FINISHED"]
    if others:
        lines += ["", "Not finished:", ""]
        lines += [f"- `{run.info.run_name}`: {run.info.status}, {run.data.tags.get('reason', 'no reason recorded')}" for run in others]
    lines += [""] + [f"![{picture.stem}]({PICTURES.name}/{picture.name})" for picture in sorted(PICTURES.iterdir())]
    write_text(REPORT, "\n".join(lines) + "\n")


def draw(client: Any, ranked: list[Configuration], swept: list[str]):
    """Yield name and figure of everything that can be shown of this sweep."""
    keys = [key for key in swept if key != "seed"]
    if {"train.lr", "model.hidden"} <= set(keys):
        yield "heat_map", heat_map(ranked, "train.batch_size" if "train.batch_size" in keys else None)
    if keys:
        yield "main_effects", figures.main_effects(
            {key: {value: [a for entry in ranked if entry.runs[0].data.params[key] == value for a in entry.accuracies]
                   for value in values_of(ranked, key)} for key in keys}, "All runs by value, and their median")
    if any(len(entry.runs) > 1 for entry in ranked):
        yield "seeds", figures.seed_spread(
            {label(entry.runs[0], keys): entry.accuracies for entry in ranked[:20]}, "Mean and spread over the seeds")
    yield "curves", figures.compared_curves(
        {label(entry.runs[0], swept): history(client, entry.runs[0].info.run_id) for entry in ranked[:CURVES]},
        f"The best {min(CURVES, len(ranked))} configurations")


def heat_map(ranked: list[Configuration], panel_key: Optional[str]) -> figures.Figure:
    """Learning rate x hidden size for every batch size, each cell the best mean reached with it."""
    rates, sizes = values_of(ranked, "train.lr"), values_of(ranked, "model.hidden")
    panels = {f"batch size {value}" if panel_key else "": np.full((len(sizes), len(rates)), np.nan)
              for value in (values_of(ranked, panel_key) if panel_key else [""])}
    for entry in reversed(ranked):  # the best last, for it stays
        params = entry.runs[0].data.params
        cell = sizes.index(params["model.hidden"]), rates.index(params["train.lr"])
        panels[f"batch size {params[panel_key]}" if panel_key else ""][cell] = entry.mean
    return figures.heat_maps(panels, sizes, rates, "hidden units", "learning rate", "Validation accuracy in %")


def values_of(ranked: list[Configuration], key: str) -> list[str]:
    """The values of a parameter in their natural order: numbers as numbers, lists by length and numbers."""
    def order(text: str) -> tuple:
        value = yaml.safe_load(text)
        numbers = value if isinstance(value, list) else [float(text)] if _is_number(text) else []
        return (len(numbers), numbers, text) if numbers else (0, [], text)
    return sorted({entry.runs[0].data.params[key] for entry in ranked}, key=order)


def _is_number(text: str) -> bool:
    try:
        return bool(float(text) + 1)
    except ValueError:
        return False


def label(run: Any, keys: list[str]) -> str:
    """`lr=0.01 hidden=[64]`."""
    return " ".join(f"{key.split('.')[-1]}={run.data.params[key]}" for key in keys) or run.info.run_name


def history(client: Any, run_id: str) -> list[dict[str, float]]:
    """The epochs of a run as the store has them."""
    columns = {key: client.get_metric_history(run_id, key) for key in ("train/loss", "valid/accuracy")}
    return [{"epoch": loss.step, "train/loss": loss.value, "valid/accuracy": accuracy.value}
            for loss, accuracy in zip(*columns.values())]


def add_to_parent(client: Any, parent: Any, best: Any) -> None:
    """Give the parent run the report, and the best child's metrics, parameters and id."""
    client.log_artifact(parent.info.run_id, str(REPORT))
    client.log_artifacts(parent.info.run_id, str(PICTURES), PICTURES.name)
    new = {key: value for key, value in best.data.params.items() if key not in parent.data.params}
    tracking.log(client, parent.info.run_id, metrics=best.data.metrics, params=new,
                 tags={"best_run": best.info.run_id, "best_run_name": best.info.run_name})


def standing_champion(client: Any, best: Any) -> Any:
    """The champion's version if it was measured on the same data and is another run that is no worse, else None."""
    models = client.search_registered_models(f"name = '{tracking.MODEL_NAME}'")
    if not models or "champion" not in models[0].aliases:
        return None
    champion = client.get_model_version(tracking.MODEL_NAME, models[0].aliases["champion"])
    same_data = champion.tags.get("data.prepared") == best.data.tags["data.prepared"]
    no_worse = float(champion.tags.get("accuracy", 0)) >= best.data.metrics[tracking.BEST]
    return champion if same_data and no_worse and champion.run_id != best.info.run_id else None


def register(client: Any, best: Any) -> str:
    """Log the run's model if that is not done yet, register it, make it the champion; return the version."""
    registered = client.search_model_versions(f"name = '{tracking.MODEL_NAME}' and run_id = '{best.info.run_id}'")
    if registered:
        version = registered[0].version
    else:
        logged = best.outputs.model_outputs if best.outputs else []
        uri = f"models:/{logged[0].model_id}" if logged else log_from_folder(best)
        if not client.search_registered_models(f"name = '{tracking.MODEL_NAME}'"):
            client.create_registered_model(tracking.MODEL_NAME, description="Reads hand-printed characters and pages; see "
                                           "pipeline/serving.py. `python -m pipeline.promote` sets the alias `champion`.")
        version = client.create_model_version(
            tracking.MODEL_NAME, uri, best.info.run_id, model_id=uri.removeprefix("models:/"), tags={
                "accuracy": repr(best.data.metrics[tracking.BEST]), "data.prepared": best.data.tags["data.prepared"]},
            description=best.data.tags.get("mlflow.note.content", "")).version
    client.set_registered_model_alias(tracking.MODEL_NAME, "champion", version)
    return version


def log_from_folder(best: Any) -> str:
    """Log the model from the weights that the sweep's job left in its folder; return its URI."""
    from pipeline.serving import log_model

    weights = Path(best.data.tags["folder"]) / paths.MODEL
    if not weights.exists() or tracking.md5(weights) != best.data.tags["weights"]:
        raise UserError(f"{weights}: the weights of {best.info.run_name} are gone; run the sweep again with sweep.rerun=true")
    return log_model(best.info.run_id, weights)


def best_values(client: Any, best: Any) -> dict[str, Any]:
    """The whole configuration of a run, as it was recorded."""
    with tempfile.TemporaryDirectory() as folder:
        return yaml.safe_load(Path(client.download_artifacts(best.info.run_id, "config.yaml", folder)).read_text(encoding="utf-8"))


def differences(values: dict[str, Any], composed: DictConfig) -> dict[str, Any]:
    """What of a run's configuration differs from the files of conf/ that commands are composed from."""
    changed: dict[str, Any] = {}
    for section in SECTIONS:
        file = paths.ROOT / "conf" / section / f"{composed.hydra.runtime.choices[section]}.yaml"
        default = OmegaConf.to_container(OmegaConf.merge(OmegaConf.structured(schema.SECTIONS[section]), OmegaConf.load(file)))
        changed[section] = {key: value for key, value in values[section].items()
                            if value != default[key] and key not in NOT_PROMOTED}
    seed = yaml.safe_load((paths.ROOT / "conf/config.yaml").read_text(encoding="utf-8"))["seed"]
    return changed | ({"seed": values["seed"]} if values["seed"] != seed else {})


def write_champion(overrides: dict[str, Any], best: Any) -> None:
    """Write conf/champion.yaml: its heading, where the values come from, a section each, also those that change nothing."""
    old = CHAMPION.read_text(encoding="utf-8").splitlines()
    lines = [line for line in old if line.startswith("#") and not line.startswith("# From ")]
    lines.append(f"# From run {best.info.run_id} ({best.info.run_name}), validation accuracy {best.data.metrics[tracking.BEST]:.4f}")
    for section, values in overrides.items():
        if isinstance(values, dict) and values:
            lines += [f"{section}:"] + [f"  {key}: {as_yaml(value)}" for key, value in values.items()]
        else:
            lines.append(f"{section}: {as_yaml(values)}")
    write_text(CHAMPION, "\n".join(lines) + "\n")


def as_yaml(value: Any) -> str:
    """A value on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("\n").removesuffix("\n...")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m pipeline.promote", description=__doc__.split("\n\n")[1])
    parser.add_argument("--sweep", metavar="ID", help="the sweep's id or its run's, or the beginning of one; the newest if not given")
    parser.add_argument("--dry-run", action="store_true", help="only report")
    parser.add_argument("--force", action="store_true", help="also replace a better champion")
    parser.add_argument("overrides", nargs="*", help="Hydra overrides, such as tracking=server")
    arguments = parser.parse_args()
    try:
        with initialize_config_dir(str(paths.ROOT / "conf"), version_base="1.3"):
            composed = compose("config", arguments.overrides, return_hydra_config=True)
        read = schema.read(composed, ("tracking",))
        if read.tracking.uri == "none":
            raise UserError("tracking.uri: none records no sweeps; name the store they are in")
        print("promote: " + promote(read.tracking, composed, arguments.sweep, arguments.dry_run, arguments.force))
    except UserError as error:
        fail("promote", error)


if __name__ == "__main__":
    main()
