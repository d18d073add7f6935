"""Looks: what a network sees in a photo, at the sizes at which it sees best."""

import numpy as np
from PIL import Image

from pipeline.common.pixels import PRINTED, WRITTEN, flatten
from pipeline.nn.pixel_loss import pixel_softmax
from pipeline.nn.pixel_training import to_images
from pipeline.nn.threads import one_blas_thread
from pipeline.nn.unet import UNet
from pipeline.seeing.outline import grow
from pipeline.seeing.pen import pen_width

FIRST_PIXELS = 400_000  # pixels of the first look: at this size the strokes of most photos are clear
MOST_PIXELS = 2_000_000  # pixels of a finer look
STRIP = 900_000  # pixels that the network looks at in one piece; they take 200 MB
MARGIN = 64  # pixels; context above and below a strip: what lies further off changes no probability by more than 1e-5
STROKES = 2.6, 7.0  # pixels; widths of strokes that the network reads best: half of its training crops have them


def look_closely(gray: np.ndarray, network: UNet) -> np.ndarray:
    """(K, h, w) float32 probabilities, at a size at which the strokes of the photo are neither too thin nor too thick.

    The looks at other sizes count too: a coarse one sees further, for example whether a line continues, a fine one is sharper.
    """
    height, width = gray.shape
    scale, looks = min(1.0, (FIRST_PIXELS / gray.size) ** 0.5), {}
    while True:
        size = max(8, round(width * scale)), max(8, round(height * scale))
        looks[scale] = kinds = look(contrast_at(gray, size), network)
        stroke, other = pen_width(kinds[WRITTEN] + kinds[PRINTED] > 0.5), scale
        if 0 < stroke < STROKES[0]:
            other = min(2 * scale, 2.0, max(1.0, (MOST_PIXELS / gray.size) ** 0.5))
        elif stroke > STROKES[1]:
            other = scale / 2
        if other in looks or len(looks) == 3:
            return mean_look(list(looks.values()))
        scale = other


def contrast_at(gray: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(h, w) uint8 of `flatten` of the photo at another size, (width, height)."""
    smaller = size[0] < gray.shape[1]
    return flatten(np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX if smaller else Image.Resampling.BICUBIC)))


def look_between(gray: np.ndarray, kinds: np.ndarray, squares: np.ndarray, network: UNet) -> np.ndarray:
    """The (K, h, w) probabilities of `look_closely`, with a second look, at the photo without the lines of squared paper.

    Where a pencil is as faint as the squares, stems and bars look like more of their lines, until these are gone.
    """
    gone = grow(squares)
    contrast = contrast_at(gray, kinds.shape[:0:-1])
    contrast[gone] = 0
    both = mean_look([kinds, look(contrast, network)])
    both[:, gone] = kinds[:, gone]
    return both


def mean_look(looks: list[np.ndarray]) -> np.ndarray:
    """Geometric mean (K, h, w) of several probabilities, at the size of the last one."""
    if len(looks) == 1:
        return looks[0]
    height, width = looks[-1].shape[1:]
    total = np.zeros_like(looks[-1])
    for kinds in looks:
        for log, share in zip(total, kinds):
            if share.shape != (height, width):
                share = np.asarray(Image.fromarray(share).resize((width, height), Image.Resampling.BILINEAR))
            log += np.log(share + 1e-4)
    total /= len(looks)
    return pixel_softmax(total)


def look(contrast: np.ndarray, network: UNet) -> np.ndarray:
    """(K, H, W) float32 probabilities of the kinds of pixels; a large picture is read in strips."""
    height, width = contrast.shape
    multiple = network.multiple
    padded = np.pad(contrast, ((0, -height % multiple), (0, -width % multiple)))
    count = -(-padded.size // STRIP)
    rows = -(-len(padded) // count // multiple) * multiple
    margin = -(-MARGIN // multiple) * multiple
    whole = min(len(padded), rows + min(2, count - 1) * margin)  # the same for all strips: the network reuses its arrays
    parts = []
    with one_blas_thread(), np.errstate(all="ignore"):
        for start in range(0, len(padded), rows):
            first = min(max(0, start - margin), len(padded) - whole)
            logits = network.forward(to_images(padded[None, first : first + whole]))[..., 0]
            parts.append(pixel_softmax(logits[:, start - first : start - first + rows, :width].copy()))
    return np.concatenate(parts, axis=1)[:, :height]
