"""A sweep on a page: its table, its figures, `reports/sweep.md`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import figures
from pipeline.common.files import replacing_folder, write_text
from pipeline.sweep.ranking import Configuration, values_of
from pipeline.tracking.store import BEST

REPORT, PICTURES = Path("reports/sweep.md"), Path("reports/sweep")
CURVES = 8


def table_rows(ranked: list[Configuration], swept: list[str]) -> list[list[str]]:
    """A heading and one row a configuration; how the seeds spread only if there are several."""
    keys = [key for key in swept if key != "seed"]
    seeded = any(len(entry.runs) > 1 for entry in ranked)
    rows = [
        [
            "",
            *keys,
            "validation accuracy",
            *(["+-", "seeds"] if seeded else []),
            "best epoch",
            "seconds",
            "best run" if seeded else "run",
        ]
    ]
    for rank, entry in enumerate(ranked, start=1):
        best = entry.runs[0]
        rows.append(
            [
                str(rank),
                *(best.data.params[key] for key in keys),
                f"{entry.mean:.4f}",
                *([f"{entry.spread:.4f}" if len(entry.runs) > 1 else "-", str(len(entry.runs))] if seeded else []),
                f"{best.data.metrics['best/epoch']:.0f}",
                best.data.tags["seconds"],
                best.info.run_name,
            ]
        )
    return rows


def as_text(rows: list[list[str]]) -> str:
    """The table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def write_report(client: Any, parent: Any, runs: list[Any], ranked: list[Configuration], swept: list[str]) -> None:
    """Write reports/sweep.md and its figures."""
    tags, best, table = parent.data.tags, ranked[0].runs[0], table_rows(ranked, swept)
    others = [run for run in runs if run.info.status != "FINISHED"]
    lines = [
        f"# Sweep {tags['sweep_id']}",
        "",
        f"`{tags['command']}`",
        "",
        f"{len(runs)} runs, {f'{len(others)} of them not finished' if others else 'all finished'}. Best: "
        f"**{label(best, swept)}**, validation accuracy "
        f"{best.data.metrics[BEST]:.4f} (`{best.info.run_name}`, run {best.info.run_id}).",
        "",
    ]
    if "equal_jobs" in tags:
        equal = tags["equal_jobs"].splitlines()
        lines += [f"{len(equal)} jobs had the configuration of another one and were not run again:", ""]
        lines += [*(f"- `{job}`" for job in equal), ""]
    lines += [
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
        for row in [table[0], ["---"] * len(table[0]), *table[1:]]
    ]
    if others:
        lines += ["", "## Not finished", ""]
        lines += [
            f"- `{run.info.run_name}`: {run.info.status}, {run.data.tags.get('reason', 'no reason recorded')}" for run in others
        ]
    with replacing_folder(PICTURES) as folder:
        for title, how_to_read, figure in draw(client, ranked, swept):
            name = title.lower().replace(" ", "_")
            figures.save(figure, folder / f"{name}.png", dpi=100)
            lines += ["", f"## {title}", "", how_to_read, "", f"![{title}]({PICTURES.name}/{name}.png)"]
    write_text(REPORT, "\n".join(lines) + "\n")


def draw(client: Any, ranked: list[Configuration], swept: list[str]) -> Iterator[tuple[str, str, figures.Figure]]:
    """Yield title, how to read it, and figure of everything that can be shown of this sweep."""
    keys = [key for key in swept if key != "seed"]
    if {"train.lr", "model.hidden"} <= set(keys):
        yield (
            "Heat map",
            "Validation accuracy in % by learning rate, hidden units and batch size; the best is framed.",
            heat_map(ranked, "train.batch_size" if "train.batch_size" in keys else None),
        )
    if keys:
        effects = {
            key: {
                value: [a for entry in ranked if entry.runs[0].data.params[key] == value for a in entry.accuracies]
                for value in values_of(ranked, key)
            }
            for key in keys
        }
        yield (
            "Main effects",
            "What each value does, whatever the others are: every run as a point, the median as a bar.",
            figures.main_effects(effects, "Validation accuracy of all runs, by each swept value; bar: median"),
        )
    if any(len(entry.runs) > 1 for entry in ranked):
        accuracies = {label(entry.runs[0], keys): entry.accuracies for entry in ranked[:20]}
        yield (
            "Seeds",
            "How much is chance: configurations whose points overlap cannot be told apart.",
            figures.seed_spread(accuracies, "Validation accuracy with every seed; bar: mean"),
        )
    histories = {label(entry.runs[0], swept): history(client, entry.runs[0].info.run_id) for entry in ranked[:CURVES]}
    of_which = f" of the best {min(CURVES, len(ranked))} of {len(ranked)} configurations" if len(ranked) > 1 else ""
    yield (
        "Curves",
        "Which of the best still improve: more epochs may help them.",
        figures.compared_curves(histories, f"Learning curves{of_which}"),
    )


def heat_map(ranked: list[Configuration], panel_key: str | None) -> figures.Figure:
    """Learning rate x hidden size for every batch size, each cell the best mean reached with it."""
    rates, sizes = values_of(ranked, "train.lr"), values_of(ranked, "model.hidden")
    panels = {
        f"batch size {value}" if panel_key else "": np.full((len(sizes), len(rates)), np.nan)
        for value in (values_of(ranked, panel_key) if panel_key else [""])
    }
    for entry in reversed(ranked):  # the best last, for it stays
        params = entry.runs[0].data.params
        cell = sizes.index(params["model.hidden"]), rates.index(params["train.lr"])
        panels[f"batch size {params[panel_key]}" if panel_key else ""][cell] = entry.mean
    return figures.heat_maps(panels, sizes, rates, "hidden units", "learning rate", "Validation accuracy in %")


def label(run: Any, keys: list[str]) -> str:
    """`lr=0.01 hidden=[64]`."""
    return " ".join(f"{key.split('.')[-1]}={run.data.params[key]}" for key in keys) or run.info.run_name


def history(client: Any, run_id: str) -> list[dict[str, float]]:
    """The epochs of a run as the store has them."""
    columns = {key: client.get_metric_history(run_id, key) for key in ("train/loss", "valid/accuracy")}
    return [
        {"epoch": loss.step, "train/loss": loss.value, "valid/accuracy": accuracy.value}
        for loss, accuracy in zip(*columns.values())
    ]
