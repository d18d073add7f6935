"""Tracking: the only package that uses MLflow, which takes seconds to import: it is imported late, in the background.

    run -> journal -> upload -> store

A `Run` writes its events to a journal on the local disk; a thread carries them to the store every few seconds, so a live run
can be watched. If the store is down, nothing is lost: the next run, or `python -m pipeline.tracking sync`, uploads the events
that still wait. The jobs of a sweep only write journals; the sweep's main process carries them, so workers never import MLflow.
"""

from pipeline.tracking.run import Run

__all__ = ["Run"]
