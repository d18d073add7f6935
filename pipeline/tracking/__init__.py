"""Runs are recorded here, and only here is MLflow spoken to. Importing it costs seconds: it is imported late, in the background.

    run -> journal -> upload -> store

A `Run` writes its events to a journal on the local disk; a thread carries them to the store every few seconds, so a live run
can be watched, and a store that is down costs nothing: the next run, or `python -m pipeline.tracking sync`, uploads what is
still waiting. The jobs of a sweep only write journals; the sweep's main process carries them, so workers never import MLflow.
"""

from pipeline.tracking.run import Run

__all__ = ["Run"]
