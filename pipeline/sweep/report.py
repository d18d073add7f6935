"""Report of a sweep: its tables and figures in `reports/sweep.md`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import figures
from pipeline.common.counted import counted
from pipeline.common.files import replacing_folder, write_text
from pipeline.sweep.ranking import Configuration, values_of
from pipeline.tracking.views import BEST

REPORT, PICTURES = Path("reports/sweep.md"), Path("reports/sweep")
CURVES, BEST_ROWS = 8, 5
HEAT_MAP = ("train.lr", "model.hidden", "train.batch_size")  # swept keys are across, down and panels in this order


def table_rows(ranked: list[Configuration], swept: list[str]) -> list[list[str]]:
    """A heading and one row a configuration; columns for the spread over seeds only if there are several."""
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
                f"{best.data.metrics['kept_epoch']:.0f}",
                best.data.tags["seconds"],
                best.info.run_name,
            ]
        )
    return rows


def as_text(rows: list[list[str]]) -> str:
    """The table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def as_markdown(rows: list[list[str]]) -> list[str]:
    """The lines of the table in Markdown."""
    return [
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    ]


def write_report(client: Any, parent: Any, runs: list[Any], ranked: list[Configuration], swept: list[str]) -> None:
    """Write reports/sweep.md and its figures."""
    tags, best, table = parent.data.tags, ranked[0].runs[0], table_rows(ranked, swept)
    others = [run for run in runs if run.info.status != "FINISHED"]
    lines = [
        f"# Sweep {tags['sweep_id']}",
        "",
        f"`{tags['command']}`",
        "",
        f"{counted(len(runs), 'run')}, {f'{len(others)} of them not finished' if others else 'all finished'}. Best: "
        f"**{label(best, swept)}**, validation accuracy "
        f"{best.data.metrics[BEST]:.4f} (`{best.info.run_name}`, run {best.info.run_id}).",
        "",
        *(["## The best five", ""] if len(table) > BEST_ROWS + 1 else []),
        *as_markdown(table[: BEST_ROWS + 1]),
    ]
    if "equal_jobs" in tags:
        equal = tags["equal_jobs"].splitlines()
        lines += ["", f"{counted(len(equal), 'job')} had the configuration of another one, and did not run again:", ""]
        lines += [f"- `{job}`" for job in equal]
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
    if len(table) > BEST_ROWS + 1:
        lines += ["", "## All configurations", "", *as_markdown(table)]
    write_text(REPORT, "\n".join(lines) + "\n")


def draw(client: Any, ranked: list[Configuration], swept: list[str]) -> Iterator[tuple[str, str, figures.Figure]]:
    """Yield title, how to read it, and figure of everything that can be shown of this sweep."""
    keys = [key for key in swept if key != "seed"]
    if len(keys) > 1:
        yield (
            "Parallel coordinates",
            "Each line is a configuration, bright if good: follow the best from its accuracy on the right back to its values.",
            figures.parallel_coordinates(
                [({name_of(key): entry.runs[0].data.params[key] for key in keys}, entry.mean) for entry in ranked],
                {name_of(key): values_of(ranked, key) for key in keys},
                counted(len(ranked), "configuration"),
            ),
        )
        across, down, *panel = sorted(keys, key=lambda key: (HEAT_MAP + (key,)).index(key))[:3]
        yield (
            "Heat map",
            f"Validation accuracy in % by {', '.join(name_of(key) for key in (across, down, *panel))}; each cell is the best "
            "reached with these values, the best of all is framed.",
            heat_map(ranked, across, down, panel[0] if panel else None),
        )
    if keys:
        effects = {
            name_of(key): {
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


def heat_map(ranked: list[Configuration], across: str, down: str, panel: str | None) -> figures.Figure:
    """One key across and one down, a panel for each value of a third; each cell the best mean reached with these values."""
    columns, rows = values_of(ranked, across), values_of(ranked, down)
    panels = {
        f"{name_of(panel)} {value}" if panel else "": np.full((len(rows), len(columns)), np.nan)
        for value in (values_of(ranked, panel) if panel else [""])
    }
    for entry in reversed(ranked):  # the best last, for it stays
        params = entry.runs[0].data.params
        cell = rows.index(params[down]), columns.index(params[across])
        panels[f"{name_of(panel)} {params[panel]}" if panel else ""][cell] = entry.mean
    return figures.heat_maps(panels, rows, columns, name_of(down), name_of(across), "Validation accuracy in %")


def name_of(key: str) -> str:
    """`batch size` for `train.batch_size`."""
    return {"train.lr": "learning rate", "model.hidden": "hidden units"}.get(key, key.split(".")[-1].replace("_", " "))


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
