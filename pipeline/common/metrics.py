"""Metrics from probabilities `(N, K)` of K classes and labels `(N,)`."""

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

BINS = 15


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Share of samples whose most probable class is the true one."""
    return float((probabilities.argmax(axis=1) == labels).mean())


def cross_entropy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean negative log-probability of the true class, in nats."""
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(true, np.finfo(np.float32).tiny)).mean())


def top_k_accuracy(probabilities: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Share of samples whose true class is among the `k` most probable ones."""
    top = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]  # (N, k)
    return float((top == labels[:, None]).any(axis=1).mean())


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy over equal-width bins of confidence, weighted by the size of the bins.

    Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(bin_of, weights=correct - confidence.astype(np.float64), minlength=bins)  # bin size * (acc - conf)
    return float(np.abs(gap).sum() / len(labels))


def accuracy_coverage(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Accuracy if the least confident answers are rejected: `(coverage, accuracy, threshold)`, each `(N,)`.

    Row `i` answers the `i + 1` most confident samples, those with a confidence of at least `threshold[i]`.
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    correct = (probabilities.argmax(axis=1) == labels)[order]
    answered = np.arange(1, len(labels) + 1)
    return answered / len(labels), np.cumsum(correct) / answered, confidence[order]


def confusion_matrix(predicted: np.ndarray, labels: np.ndarray, n: int) -> np.ndarray:
    """Counts `(n, n)`: row the true class, column the predicted one."""
    return np.bincount(labels.astype(int) * n + predicted.astype(int), minlength=n * n).reshape(n, n)


def per_class(confusion: np.ndarray, names: list[str]) -> list[dict[str, Any]]:
    """Precision, recall and support of every class; a ratio over nothing is 0."""
    hits = np.diag(confusion).astype(float)
    predicted, support = confusion.sum(axis=0), confusion.sum(axis=1)
    return [
        {
            "character": character,
            "precision": hits[i] / max(predicted[i], 1),
            "recall": hits[i] / max(support[i], 1),
            "support": int(support[i]),
        }
        for i, character in enumerate(names)
    ]


def confused_pairs(confusion: np.ndarray, names: list[str], most: int) -> list[dict[str, Any]]:
    """The most frequent mistakes, `true` read as `read`, most frequent first."""
    mistakes = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-mistakes, axis=None, kind="stable")[:most]
    pairs = [(mistakes.flat[i], *np.unravel_index(i, mistakes.shape)) for i in order]
    return [{"true": names[row], "read": names[column], "count": int(count)} for count, row, column in pairs if count]


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature T > 0 for which softmax(logits / T) has the lowest cross-entropy on validation data.

    Guo et al. 2017, "On calibration of modern neural networks": it makes confidence mean accuracy and changes no answer.
    """
    logits = logits.astype(np.float64)
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float((logsumexp(scaled, axis=1) - scaled[rows, labels]).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))
