"""The normal form of a character, without differences between writers and pens that do not distinguish characters.

Ink is bright on dark. The slant is removed, the box of the ink is scaled to a fixed size and centred (a narrow or flat box is
widened a little, but stays narrow or flat), and all strokes get about the same width.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

from pipeline.characters import SIZE

BOX = 26
"""Longer side in pixels of the ink within the SIZE x SIZE image."""
ASPECT = 0.6  # exponent of the ratio of the shorter to the longer side of the box
SLANT = 0.6  # the steepest shear that is undone
PEN = 3.0  # pixels; strokes are made thicker or thinner towards this width
WORKING = 64  # pixels; larger images are first averaged down to less than twice as many
NOISE = 0.2  # share of the brightness of the ink; darker pixels are paper
CHUNK = 128  # images at once: their arrays stay in the processor's cache
SPECK = 0.015  # a connected piece with less than this share of the ink is a speck


def normalise(image: np.ndarray) -> np.ndarray:
    """Normal form (SIZE, SIZE) uint8 of one character `image` (H, W) uint8, bright ink on dark, of any size.

    An image without ink gives zeros.
    """
    return normalise_all(image[None])[0]


def normalise_all(images: np.ndarray) -> np.ndarray:
    """Normal forms (N, SIZE, SIZE) uint8 of `images`: (N, H, W) uint8, or a list of (H, W) of different sizes."""
    if not len(images):
        return np.zeros((0, SIZE, SIZE), np.uint8)
    if isinstance(images, np.ndarray):
        framed = np.concatenate([frame(images[at : at + CHUNK]) for at in range(0, len(images), CHUNK)])
    else:
        framed = np.concatenate([frame(image[None]) for image in images])
    return np.concatenate([even_width(framed[at : at + CHUNK]) for at in range(0, len(framed), CHUNK)])


def frame(images: np.ndarray) -> np.ndarray:
    """The ink of `images` (N, H, W) uint8 upright in its box, (N, SIZE, SIZE) uint8."""
    inks = drop_specks(without_paper(shrink(images)))
    twice = draw_upright(inks).astype(np.uint16)  # (N, 2 SIZE, 2 SIZE)
    pairs = twice[:, ::2] + twice[:, 1::2]
    small = (pairs[:, :, ::2] + pairs[:, :, 1::2] + 2) // 4
    core = np.partition(small.reshape(len(small), -1), -SIZE)[:, -SIZE]  # the brightest few pixels: a thin pen leaves them grey
    return np.minimum(small * (255.0 / np.maximum(core, 1.0))[:, None, None], 255).astype(np.uint8)


def shrink(images: np.ndarray) -> np.ndarray:
    """The images with their longer side below 2 WORKING pixels; each pixel is an average."""
    factor = max(images.shape[1:]) // WORKING
    if factor < 2:
        return images
    return np.stack([np.asarray(Image.fromarray(np.ascontiguousarray(image)).reduce(factor)) for image in images])


def without_paper(images: np.ndarray) -> np.ndarray:
    """Images (N, H, W) uint8 with the ink's core white, and black wherever they are darker than NOISE of that core."""
    values = images.reshape(len(images), -1)
    most = max(1, values.shape[1] // 100)
    cores = np.partition(values, -most, axis=1)[:, -most]
    cores = np.where(cores > 0, cores, values.max(1)).astype(np.float32)[:, None, None]
    result = images * (255 / (1 - NOISE) / np.maximum(cores, 1))
    result -= 255 * NOISE / (1 - NOISE)
    return np.clip(result, 0, 255, out=result).astype(np.uint8)


def drop_specks(inks: np.ndarray) -> np.ndarray:
    """The inks (N, H, W) without connected pieces that hold less than SPECK of one of them."""
    within = np.zeros((3, 3, 3), bool)
    within[1] = True
    pieces, count = ndimage.label(inks, within)
    mass = np.bincount(pieces.ravel(), inks.ravel(), count + 1)  # of each piece; the first is paper
    last = np.maximum.accumulate(pieces.max(axis=(1, 2)))  # labels grow from image to image
    owner = np.searchsorted(last, np.arange(count + 1))
    small = mass < SPECK * np.bincount(owner, mass, len(inks))[owner]
    small[0] = False
    if small.any():
        inks[small[pieces]] = 0
    return inks


def draw_upright(inks: np.ndarray) -> np.ndarray:
    """The inks (N, H, W) uint8, their slant undone, in a box of twice its size in the middle of (N, 2 SIZE, 2 SIZE)."""
    height, width = inks.shape[1:]
    rows, columns = np.arange(height), np.arange(width)
    inked: np.ndarray = np.greater(inks, 0)
    present = np.logical_or.reduce(inked, axis=2)  # (N, H)
    weight, first = (inks.astype(np.float32) @ np.stack([np.ones(width), columns], 1).astype(np.float32)).transpose(2, 0, 1)
    total, by_row, by_square = (np.maximum(weight.astype(float) @ rows**power, 1e-9) for power in (0, 1, 2))
    middle = by_row / total  # whole numbers up to here: no rounding
    across, crossed = first.astype(float).sum(axis=1), first.astype(float) @ rows
    spread = by_square - middle * by_row
    slant = np.where(spread > 1e-6 * by_square, -(crossed - middle * across) / np.maximum(spread, 1e-9), 0)
    slant = np.clip(slant, -SLANT, SLANT)

    moved = slant[:, None] * (rows - middle[:, None])
    left = np.where(present, inked.argmax(axis=2) + moved, np.inf).min(axis=1) - 0.5
    right = np.where(present, width - 1 - inked[:, :, ::-1].argmax(axis=2) + moved, -np.inf).max(axis=1) + 0.5
    top, bottom = present.argmax(axis=1) - 0.5, height - 0.5 - present[:, ::-1].argmax(axis=1)
    drawn = np.zeros((len(inks), 2 * SIZE, 2 * SIZE), np.uint8)
    for index in np.flatnonzero(present.any(axis=1)):
        box = (left[index], top[index], right[index], bottom[index])
        drawn[index] = np.asarray(_draw_upright(inks[index], box, slant[index], middle[index]))
    return drawn


def _draw_upright(ink: np.ndarray, box: tuple[float, float, float, float], slant: float, middle: float) -> Image.Image:
    """One ink (H, W), sheared by `slant` about its `middle` row; then its box is (left, top, right, bottom)."""
    x0, y0, x1, y1 = box
    longer = max(x1 - x0, y1 - y0)
    width, height = (BOX * (side / longer) ** ASPECT for side in (x1 - x0, y1 - y0))
    across, down = (x1 - x0) / width / 2, (y1 - y0) / height / 2  # steps in the ink of half a pixel of the normal form
    left, top = (x0 + x1) / 2 - SIZE * across, (y0 + y1) / 2 - SIZE * down
    # Pillow's pixel i lies at i + 0.5; rows and columns above are those of NumPy, pixel i at i.
    start = left + 0.5 - slant * (top - middle)
    matrix = (across, -slant * down, start, 0.0, down, top + 0.5)
    return Image.fromarray(ink).transform((2 * SIZE, 2 * SIZE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def even_width(images: np.ndarray) -> np.ndarray:
    """Images (N, SIZE, SIZE) uint8 whose strokes are about PEN pixels wide; thin and thick ones change by at most 4 pixels."""
    for _ in range(2):
        framed = np.pad(images, ((0, 0), (1, 1), (1, 1)))  # so that ink at the border has an outline there
        images = change_width(images, np.clip((PEN - stroke_width(framed)) / 2, -1, 1))
    return images


def change_width(images: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Images with thicker or thinner strokes, by grey dilation and erosion.

    Args:
        images: (N, H, W) uint8, bright ink on 0.
        amounts: (N,) pixels by which each side of a stroke moves, from -1 to 1.
    """
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    grow = (amounts > 0)[:, None, None]
    around = np.where(grow, padded, 255 - padded)  # erosion is dilation of the negative
    most = np.maximum(around[:, 1:-1], np.maximum(around[:, :-2], around[:, 2:]))
    most = np.maximum(most[:, :, 1:-1], np.maximum(around[:, 1:-1, :-2], around[:, 1:-1, 2:]))
    changed = np.where(grow, most, 255 - most).astype(np.float32)
    share = np.abs(amounts).astype(np.float32)[:, None, None]
    return (images + share * (changed - images) + 0.5).astype(np.uint8)


def stroke_width(images: np.ndarray) -> np.ndarray:
    """Width in pixels (N,) of the strokes: the ink's area over half its outline."""
    grey = images.astype(np.int16)
    area = grey.sum(axis=(1, 2), dtype=np.int64)
    outline = sum(np.abs(np.diff(grey, axis=axis)).sum(axis=(1, 2), dtype=np.int64) for axis in (1, 2))
    return 2.3 * area / np.maximum(outline, 1)  # 2.3: steps along rows and columns are longer than a slanted outline
