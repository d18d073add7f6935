"""`python -m pipeline.promote`: report a sweep, make its best model the champion, write its configuration to conf/.

It reads only MLflow, so it can be run at any time, any number of times. It takes the newest sweep, or the one `--sweep`
names. `--dry-run` only reports. The champion of the same data is replaced by a better model only, unless with `--force`.
`--run` promotes any other finished training instead, such as the one of `dvc repro`.
Other words are Hydra overrides: `python -m pipeline.promote tracking=server`.
"""

from typing import Any

from pipeline.common import paths
from pipeline.common.counted import counted
from pipeline.common.errors import UserError
from pipeline.common.files import restored_on_failure
from pipeline.config import promoted, schema
from pipeline.config.command import Parser, check_folder, fail
from pipeline.config.composition import compose_conf
from pipeline.sweep.ranking import rank, swept_keys
from pipeline.sweep.report import PICTURES, REPORT, as_text, table_rows, write_report
from pipeline.tracking.orphans import end_orphans, sync
from pipeline.tracking.registry import configuration_of, crown, register, standing_champion
from pipeline.tracking.store import MODEL_NAME, all_runs, answering, log, open_store, sweep_note
from pipeline.tracking.views import BEST

ROWS_ON_TERMINAL = 12


def report(client: Any, experiment: str, sweep: str | None, dry_run: bool) -> Any:
    """Report a sweep on the terminal, in reports/ and in the store; return its best run.

    Raises:
        UserError: there is no such sweep, it is still running, or nothing in it finished.
    """
    parent = find_sweep(client, experiment, sweep)
    name = parent.data.tags["sweep_id"]
    runs = all_runs(client, experiment, f"tags.sweep LIKE '%{name}%'")
    ranked = rank(runs)
    if not ranked:
        raise UserError(f"sweep {name}: no run of it has finished")
    best = ranked[0].runs[0]
    swept = swept_keys(runs)
    print(as_text(table_rows(ranked, swept)[: ROWS_ON_TERMINAL + 1]))
    write_report(client, parent, runs, ranked, swept)
    print(
        f"\npromote: {counted(len(runs), 'run')}, {counted(len(ranked), 'configuration')}; "
        f"the report is {REPORT}, its figures are in {PICTURES}/"
    )
    if not dry_run:
        if parent.info.status == "RUNNING":
            raise UserError(f"sweep {name} is still running: wait for its end, or only report with --dry-run")
        summary = f"Best of {counted(len(runs), 'run')}: {best.info.run_name}, validation accuracy {best.data.metrics[BEST]:.4f}"
        add_to_parent(client, parent, best, summary)
    return best


def promote(client: Any, experiment: str, best: Any, force: bool) -> str:
    """Make a run's model the champion, unless a better one of the same data is; return what to tell the user at the end.

    All or nothing: the alias is moved last, when all else is written and checked.

    Raises:
        UserError: the run's weights are gone.
    """
    better = standing_champion(client, best)
    if better and not force:
        return (
            f"NOT PROMOTED: the champion, version {better.version}, reached {float(better.tags['accuracy']):.4f} on the same "
            f"data, {best.info.run_name} {best.data.metrics[BEST]:.4f}.\n         Replace it all the same: --force"
        )
    values = configuration_of(client, best)
    version = register(client, best)
    run = f"run {best.info.run_id} ({best.info.run_name}), validation accuracy {best.data.metrics[BEST]:.4f}"
    with restored_on_failure(paths.ROOT / "conf"):
        promoted.write(values, run, paths.ROOT / "conf")
        crown(client, version)
    return (
        f"{best.info.run_name} is the champion: validation accuracy {best.data.metrics[BEST]:.4f}, "
        f"models:/{MODEL_NAME}@champion, version {version}\n{warning(client, experiment, best)}"
        f"         Reproduce it:       git diff conf && dvc repro\n"
        f"         Go back:            git checkout conf && dvc repro"
    )


def warning(client: Any, experiment: str, best: Any) -> str:
    """What to say if another finished training on the same data, which is not the champion, is better than this one."""
    sweeps = set(best.data.tags.get("sweep", "").split())
    rivals = [
        run
        for run in all_runs(client, experiment, f"tags.`data.prepared` = '{best.data.tags['data.prepared']}'")
        if run.info.status == "FINISHED"
        and run.data.metrics.get(BEST, 0) > best.data.metrics[BEST]
        and not sweeps & set(run.data.tags.get("sweep", "").split())
    ]
    if not rivals:
        return ""
    first = max(rivals, key=lambda run: run.data.metrics[BEST])
    return (
        f"promote: WARNING: it is worse than {first.info.run_name}, which reached {first.data.metrics[BEST]:.4f} "
        f"on the same data.\n         Promote that one:   python -m pipeline.promote --run {first.info.run_id[:8]}\n"
    )


def find_sweep(client: Any, experiment: str, sweep: str | None) -> Any:
    """The parent run of the newest sweep, or of the one whose id, or whose run's id, begins with `sweep`."""
    parents = all_runs(client, experiment, "tags.stage = 'sweep'")
    for parent in parents:
        if sweep is None or parent.data.tags["sweep_id"].startswith(sweep) or parent.info.run_id.startswith(sweep):
            return parent
    known = ", ".join(parent.data.tags["sweep_id"] for parent in parents[:5])
    raise UserError(
        f"no sweep {sweep or 'yet'}: "
        + (f"the newest are {known}" if known else "make one with python -m pipeline.train -m experiment=grid")
    )


def find_run(client: Any, experiment: str, run_id: str) -> Any:
    """The finished training whose id begins with `run_id`."""
    for run in all_runs(client, experiment, "tags.stage = 'train' and attributes.status = 'FINISHED'"):
        if run.info.run_id.startswith(run_id):
            return run
    raise UserError(f"no run {run_id}: no finished training has an id that begins so")


def add_to_parent(client: Any, parent: Any, best: Any, summary: str) -> None:
    """Give the parent run the report, the best child's metrics, parameters and id, and the summary to begin its description."""
    client.log_artifact(parent.info.run_id, str(REPORT))
    client.log_artifacts(parent.info.run_id, str(PICTURES), PICTURES.name)
    new = {key: value for key, value in best.data.params.items() if key not in parent.data.params}
    log(
        client,
        parent.info.run_id,
        metrics=best.data.metrics,
        params=new,
        tags={
            "best_run": best.info.run_id,
            "best_run_name": best.info.run_name,
            "mlflow.note.content": sweep_note(
                summary, parent.info.experiment_id, parent.data.tags["sweep_id"], parent.data.tags["command"]
            ),
        },
    )


def main() -> None:
    parser = Parser(prog="python -m pipeline.promote", description=__doc__.split("\n\n")[1])
    parser.add_argument(
        "--sweep", metavar="ID", help="the sweep's id or its run's, or the beginning of one; the newest if not given"
    )
    parser.add_argument("--run", metavar="ID", help="promote this run instead of a sweep's best")
    parser.add_argument("--dry-run", action="store_true", help="only report")
    parser.add_argument("--force", action="store_true", help="also replace a better champion")
    parser.add_argument("overrides", nargs="*", help="Hydra overrides, such as tracking=server")
    arguments = parser.parse_args()
    try:
        check_folder()
        sections = {"tracking": schema.TrackingConfig}
        tracking = schema.read(compose_conf(arguments.overrides, "promote", sections), sections).tracking
        if tracking.uri == "none":
            raise UserError("tracking.uri: none records no sweeps; name the store they are in")
        with answering(tracking):
            client, experiment = open_store(tracking)
            sync(tracking)
            end_orphans(client, experiment)
            best = (
                find_run(client, experiment, arguments.run)
                if arguments.run
                else report(client, experiment, arguments.sweep, arguments.dry_run)
            )
            if arguments.dry_run:
                print(
                    f"promote: best: {best.info.run_name}, validation accuracy {best.data.metrics[BEST]:.4f} "
                    "(dry run: nothing promoted)"
                )
            else:
                print("promote: " + promote(client, experiment, best, arguments.force))
    except UserError as error:
        fail("promote", error)


if __name__ == "__main__":
    main()
