"""Reliability: how often what was read with a confidence is right, of characters and of words."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np

BINS = 15


class Outcomes(NamedTuple):
    """What was read of a page or of many: (N,) confidence, and (N,) bool whether it is what was written."""

    confidence: np.ndarray
    right: np.ndarray


def character_outcomes(record: dict, truth: str) -> Outcomes:
    """The characters of a page's record, as `export.to_record` gives it, against its true text; spaces and case do not count."""
    read = [character for word in _words(record) for character in word["characters"]]
    written = [character for character in truth.upper() if not character.isspace()]
    return _compare(read, written)


def word_outcomes(record: dict, truth: str) -> Outcomes:
    """The same for whole words."""
    return _compare(_words(record), truth.upper().split())


def join(parts: Sequence[Outcomes]) -> Outcomes:
    """The outcomes of many pages."""
    return Outcomes(*(np.concatenate(column) for column in zip(*parts)))


def calibration_error(outcomes: Outcomes) -> float:
    """Expected calibration error: mean gap of confidence and accuracy over equal bins, weighted by size (Naeini et al. 2015)."""
    bins = np.minimum((outcomes.confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=outcomes.right - outcomes.confidence, minlength=BINS)  # size of the bin * its gap
    return float(np.abs(gaps).sum() / max(len(outcomes.right), 1))


def accuracy_coverage(outcomes: Outcomes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What leaving out the least certain gives: `(coverage, accuracy, threshold)`, each (N,), the most certain first."""
    order = np.argsort(-outcomes.confidence, kind="stable")
    answered = np.arange(1, len(order) + 1)
    return answered / len(order), np.cumsum(outcomes.right[order]) / answered, outcomes.confidence[order]


def _words(record: dict) -> list[dict]:
    return [word for line in record["lines"] for word in line["words"]]


def _compare(read: Sequence[dict], written: Sequence[str]) -> Outcomes:
    """Right is what lies in the longest runs that both have in common."""
    texts = [part["text"].upper() for part in read]
    right = np.zeros(len(texts), bool)
    for start, _, size in SequenceMatcher(None, texts, written, autojunk=False).get_matching_blocks():
        right[start : start + size] = True
    return Outcomes(np.array([part["confidence"] for part in read], float), right)
