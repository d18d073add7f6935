"""Sweeps: many trainings, `python -m pipeline.train -m ...`, as the children of one MLflow run.

The main process writes `sweep.json` into the sweep's folder; a job finds it beside its own folder, tells how it fares in
`state.json`, and writes its run's journal. Only the main process opens the store: it makes the parent run before a job begins,
carries the journals there, and prints the progress. So jobs work the same in this process, in workers, on a cluster.
"""

from pipeline.sweep.job import Job, is_job, run_job
from pipeline.sweep.main import Main
from pipeline.sweep.sweeper import register

__all__ = ["Job", "Main", "is_job", "register", "run_job"]
