"""Metrics against cases that can be counted by hand."""

import numpy as np
import pytest
from scipy.special import softmax

from pipeline.characters import CLASSES
from pipeline.common import metrics


def one_hot(classes, confidence=0.9):
    probabilities = np.full((len(classes), 36), (1 - confidence) / 35, np.float32)
    probabilities[np.arange(len(classes)), classes] = confidence
    return probabilities


def test_accuracy_and_top_k():
    probabilities = np.zeros((2, 36))
    probabilities[0, [3, 5, 7]] = 0.5, 0.3, 0.2
    probabilities[1, [3, 5, 7]] = 0.5, 0.3, 0.2
    labels = np.array([3, 7])
    assert metrics.accuracy(probabilities, labels) == 0.5
    assert [metrics.top_k_accuracy(probabilities, labels, k) for k in (1, 2, 3)] == [0.5, 0.5, 1.0]


def test_cross_entropy_is_finite_for_impossible_answers():
    labels = np.array([1])
    assert metrics.cross_entropy(one_hot([1]), labels) == pytest.approx(-np.log(0.9), rel=1e-6)
    assert np.isfinite(metrics.cross_entropy(np.eye(36, dtype=np.float32)[[0]], labels))


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    labels = np.array([0, 0, 0, 0, 1])
    assert metrics.expected_calibration_error(one_hot(np.zeros(5, int), 0.8), labels) == pytest.approx(0.0, abs=1e-6)
    assert metrics.expected_calibration_error(one_hot(np.zeros(5, int), 0.9), labels) == pytest.approx(0.1, abs=1e-6)


def test_confusion_precision_recall_and_pairs():
    matrix = metrics.confusion_matrix(np.array([0, 0, 24, 0]), np.array([0, 24, 24, 24]), 36)
    assert matrix[24, 0] == 2 and matrix.sum() == 4
    rows = {row["character"]: row for row in metrics.per_class(matrix, list(CLASSES))}
    assert rows["0"]["precision"] == pytest.approx(1 / 3) and rows["0"]["recall"] == 1
    assert rows["O"]["recall"] == pytest.approx(1 / 3)
    assert rows["A"] == {"character": "A", "precision": 0, "recall": 0, "support": 0}
    assert metrics.confused_pairs(matrix, list(CLASSES), 5) == [{"true": "O", "read": "0", "count": 2}]


def test_temperature_finds_the_scale_that_was_taken_away():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 36)) * 2
    labels = np.array([rng.choice(36, p=row) for row in softmax(logits, axis=1)])
    assert metrics.fit_temperature(logits * 3, labels) == pytest.approx(3, rel=0.05)


def test_rejecting_the_least_confident_raises_accuracy():
    probabilities = np.concatenate([one_hot([1, 2], 0.9), one_hot([3, 4], 0.5)])
    coverage, accuracy, threshold = metrics.accuracy_coverage(probabilities, np.array([1, 2, 3, 9]))
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert accuracy.tolist() == [1, 1, 1, 0.75]
    assert threshold[1] == pytest.approx(0.9) and threshold[3] == pytest.approx(0.5)
