"""Augmentation: repeatable, off at zero, and every strength does what it says."""

from dataclasses import asdict, fields

import numpy as np
import pytest

from pipeline.characters.augment import CHUNK, augment
from pipeline.characters.options import AugmentOptions
from pipeline.common.errors import ConfigError

OFF = {field.name: 0.0 for field in fields(AugmentOptions)}
STRONG = dict(
    rotation=5.0,
    slant=0.1,
    scale=0.05,
    aspect=0.1,
    shift=1.0,
    elastic=1.0,
    width=0.6,
    blur=0.5,
    contrast=0.3,
    noise=10.0,
    erase=0.2,
)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """A ring with a bar (2 CHUNK + 7, 32, 32), brighter from one to the next."""
    rows, columns = np.mgrid[:32, :32]
    radius = np.hypot(rows - 15.5, columns - 15.5)
    shape = ((np.abs(radius - 10) < 1.6) | ((np.abs(rows - 15.5) < 1.5) & (columns > 15))).astype(float)
    return (shape * np.linspace(150, 255, 2 * CHUNK + 7)[:, None, None]).astype(np.uint8)


def run(images, seed=0, **strengths) -> np.ndarray:
    return augment(images, np.random.default_rng(seed), AugmentOptions(**{**OFF, **strengths}))


def test_zero_strengths_change_nothing(images):
    np.testing.assert_array_equal(run(images), images)


def test_same_generator_same_bytes_and_the_input_is_untouched(images):
    before = images.copy()
    first = run(images, 3, **STRONG)
    np.testing.assert_array_equal(first, run(images, 3, **STRONG))
    np.testing.assert_array_equal(images, before)
    assert first.shape == images.shape and first.dtype == np.uint8
    assert (first != run(images, 4, **STRONG)).mean() > 0.05


@pytest.mark.parametrize("name", sorted(STRONG))
def test_every_strength_alone_changes_the_images_but_not_beyond_recognition(images, name):
    changed = run(images, **{name: STRONG[name]})
    assert (changed != images).any()
    alike = [np.corrcoef(a.ravel().astype(float), b.ravel())[0, 1] for a, b in zip(images, changed)]
    assert np.mean(alike) > 0.6


class Steady(np.random.Generator):
    """Draws every normal number one standard deviation above its mean."""

    def normal(self, loc=0.0, scale=1.0, size=None):
        return np.full(size, loc + scale)


def test_a_quarter_turn_is_a_quarter_turn(images):
    turned = augment(images[:3], Steady(np.random.PCG64(0)), AugmentOptions(**{**OFF, "rotation": 90.0}))
    np.testing.assert_allclose(turned.astype(int), np.rot90(images[:3], axes=(2, 1)), atol=2)


def test_shift_moves_by_that_many_pixels(images):
    moved = augment(images[:3], Steady(np.random.PCG64(0)), AugmentOptions(**{**OFF, "shift": 2.0}))
    np.testing.assert_array_equal(moved[:, :-2, :-2], images[:3, 2:, 2:])


def test_width_grows_and_shrinks(images):
    ink = run(images, width=1.0).astype(float).sum(axis=(1, 2)) / images.sum(axis=(1, 2))
    assert ink.min() < 0.6 and ink.max() > 1.4


@pytest.mark.parametrize("key, value", [("rotation", -1.0), ("erase", 1.5), ("width", 2.0), ("noise", float("nan"))])
def test_strengths_out_of_range_are_named(key, value):
    with pytest.raises(ConfigError, match=f"^{key}: "):
        AugmentOptions(**{**asdict(AugmentOptions(**OFF)), key: value})
