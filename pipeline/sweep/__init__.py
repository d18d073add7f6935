"""Sweeps: many trainings, `python -m pipeline.train -m ...`, as the children of one MLflow run.

The main process writes `sweep.json` into the folder of the sweep. A job reads it, reports its progress in `state.json`, and
writes the journal of its run. Only the main process opens the store: it makes the parent run before a job begins, uploads the
journals, and prints the progress. So jobs work in the same way in this process, in workers and on a cluster.
"""

from pipeline.sweep.job import Job, is_job, run_job
from pipeline.sweep.main import Main
from pipeline.sweep.sweeper import register

__all__ = ["Job", "Main", "is_job", "register", "run_job"]
