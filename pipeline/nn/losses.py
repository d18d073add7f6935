"""Softmax and cross-entropy, together: their gradient is simpler and their numbers are safer than either alone."""

import numpy as np

Array = np.ndarray


def softmax(logits: Array, out: Array | None = None) -> Array:
    """Probabilities (N, K) from logits (N, K): exp(z_k) / sum_j exp(z_j).

    Subtracting the row's maximum changes nothing, because numerator and denominator shrink by the same factor. It makes every
    exponent <= 0, so that nothing overflows:

    >>> softmax(np.array([[0.0, 0.0], [1e4, 0.0]])).tolist()
    [[0.5, 0.5], [1.0, 0.0]]

    Args:
        out: where to write the result, which may be `logits` itself; None: a new array.
    """
    p = np.subtract(logits, np.maximum.reduce(logits, axis=1, keepdims=True), out=out)
    np.exp(p, out=p)
    p /= np.add.reduce(p, axis=1, keepdims=True)
    return p


def cross_entropy(logits: Array, labels: Array) -> Array:
    """Loss (N,) of each sample: -log softmax(z)_label = log(sum_j exp(z_j - max)) - (z_label - max).

    The logarithm is taken of the sum, never of a probability that may have been rounded to 0.

    >>> cross_entropy(np.array([[0.0, 0.0], [0.0, 1e4]]), np.array([0, 0])).round(4).tolist()
    [0.6931, 10000.0]
    """
    return cross_entropy_with_gradient(logits, labels)[0]


def cross_entropy_with_gradient(logits: Array, labels: Array, scale: float = 1, smoothing: float = 0) -> tuple[Array, Array]:
    """Loss (N,) of each sample, and the gradient (N, K) of `scale` times the sum of the losses with respect to the logits.

    For one sample with target distribution q (one-hot, or smoothed), J = -sum_k q_k log p_k = log sum_j exp(z_j) - sum_k q_k z_k,
    because the q_k sum to 1. So dJ/dz_k = exp(z_k) / sum_j exp(z_j) - q_k = p_k - q_k.

    Args:
        scale: 1 for a loss summed over the batch, 1 / N for its mean.
        smoothing: s of label smoothing, q = (1 - s) onehot + s / K (Szegedy et al. 2016, "Rethinking the Inception
            architecture", section 7). It affects the gradient alone: the losses returned are those without smoothing, so that
            runs can be compared.
    """
    target = (np.arange(len(labels)), labels)
    gradient = logits - np.maximum.reduce(logits, axis=1, keepdims=True)  # (N, K), <= 0
    label_logits = gradient[target]  # (N,), of the shifted logits
    np.exp(gradient, out=gradient)
    total = np.add.reduce(gradient, axis=1, keepdims=True)  # (N, 1)
    gradient /= total
    gradient[target] -= 1 - smoothing
    if smoothing:
        gradient -= smoothing / logits.shape[1]
    if scale != 1:
        gradient *= scale
    return np.log(total[:, 0]) - label_logits, gradient
