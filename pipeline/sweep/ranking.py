"""Ranking: the runs of a sweep in order, and the keys in which they differ."""

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import yaml

from pipeline.tracking.views import BEST


@dataclass
class Configuration:
    """Runs that differ in their seed only, the best first."""

    runs: list[Any]

    @property
    def accuracies(self) -> list[float]:
        return [run.data.metrics[BEST] for run in self.runs]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.accuracies)

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds, 0 for a single one."""
        return statistics.stdev(self.accuracies) if len(self.runs) > 1 else 0.0


def rank(runs: list[Any]) -> list[Configuration]:
    """The configurations that finished, the highest mean over their seeds first; of equal ones, the first that was run."""
    groups = defaultdict(list)
    for run in sorted(runs, key=lambda run: run.info.run_name):
        if run.info.status == "FINISHED" and BEST in run.data.metrics:
            key = tuple(sorted((name, value) for name, value in run.data.params.items() if name != "seed"))
            groups[key].append(run)
    for group in groups.values():
        group.sort(key=lambda run: -run.data.metrics[BEST])
    return sorted((Configuration(group) for group in groups.values()), key=lambda configuration: -configuration.mean)


def swept_keys(runs: list[Any]) -> list[str]:
    """The parameters that differ between the runs, seed last."""
    values = defaultdict(set)
    for run in runs:
        for key, value in run.data.params.items():
            values[key].add(value)
    return sorted((key for key in values if len(values[key]) > 1), key=lambda key: (key == "seed", key))


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
