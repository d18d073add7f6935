"""Softmax and cross-entropy for every pixel of an image: logits (K, H, W, N), labels (H, W, N)."""

import numpy as np

Array = np.ndarray


def pixel_softmax(logits: Array) -> Array:
    """Probabilities (K, ...) from logits (K, ...), in place; see `losses.softmax`."""
    logits -= logits.max(axis=0)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=0)
    return logits


def pixel_cross_entropy(logits: Array, labels: Array, weights: Array) -> tuple[float, Array]:
    """Weighted mean loss over the pixels, and its gradient (K, H, W, N) with respect to the logits, which it overwrites.

    A pixel of class k has the weight w_k: most of a page is paper, which would otherwise outweigh all other classes. With W the
    sum of the weights of all pixels, J = sum over pixels of w_label (log sum_j exp(z_j) - z_label) / W, and for each pixel, as
    in `losses`, dJ/dz_k = w_label (p_k - [k = label]) / W.

    Args:
        logits: (K, H, W, N); overwritten with the gradient.
        labels: (H, W, N) uint8.
        weights: (K,) of the logits' type.
    """
    pixel_weight = weights[labels]  # (H, W, N)
    pixel_weight /= pixel_weight.sum(dtype=np.float64)
    flat, at = logits.reshape(len(logits), -1), (labels.ravel(), np.arange(labels.size))
    p = pixel_softmax(logits)
    chosen = flat[at]  # (H W N,)
    loss = -float(np.dot(np.log(np.maximum(chosen, np.finfo(p.dtype).tiny)), pixel_weight.ravel()))
    flat[at] -= 1
    p *= pixel_weight
    return loss, p
