import numpy as np
import pytest
from scipy.signal import correlate
from skimage.measure import block_reduce

from pipeline.nn import convolution
from pipeline.nn.convolution import Conv2d, Flatten, MaxPool, ToImages
from pipeline.nn.gradient_check import TOLERANCE, check_layer
from pipeline.nn.initializers import xavier

rng = np.random.default_rng(0)


def conv(inputs=2, outputs=3, kernel=3):
    layer = Conv2d(inputs, outputs, kernel, xavier, np.random.default_rng(0), np.float64)
    layer.params["bias"][:] = np.arange(outputs)
    return layer


@pytest.mark.parametrize("layer, shape", [
    (conv(), (2, 7, 6, 4)),
    (conv(1, 2, 5), (1, 5, 9, 3)),
    (conv(kernel=1), (2, 3, 3, 2)),
    (MaxPool(), (2, 6, 4, 3)),
    (MaxPool(), (2, 7, 5, 3)),
    (ToImages(2, 3, 2), (5, 12)),
    (Flatten(), (2, 4, 3, 5)),
])  # fmt: skip
def test_gradients(layer, shape):
    errors = check_layer(layer, np.random.default_rng(1).standard_normal(shape))
    assert set(errors) == {"x", *layer.params}
    assert max(errors.values()) < TOLERANCE, errors


@pytest.mark.parametrize("columns", [1, 50, 10**6])
def test_convolution_is_scipys_correlation_in_blocks_of_any_size(columns, monkeypatch):
    monkeypatch.setattr(convolution, "BLOCK_COLUMNS", columns)
    layer, x = conv(), rng.standard_normal((2, 7, 6, 4))
    y = layer.forward(x)
    for n in range(4):
        for m in range(3):
            np.testing.assert_allclose(y[m, ..., n], correlate(x[..., n], layer.params["weight"][m], "valid")[0] + m)
    assert max(check_layer(layer, x).values()) < TOLERANCE


def test_pooling_is_skimages_block_maximum():
    x = rng.standard_normal((2, 7, 5, 3))
    np.testing.assert_array_equal(MaxPool().forward(x), block_reduce(x[:, :6, :4], (1, 2, 2, 1), np.max))


def test_of_equal_values_one_gets_the_gradient():
    layer = MaxPool()
    layer.forward(np.ones((1, 2, 2, 1)))
    np.testing.assert_array_equal(layer.backward(np.full((1, 1, 1, 1), 5.0))[0, ..., 0], [[5, 0], [0, 0]])


def test_pooling_and_a_rising_activation_may_change_places():
    x = rng.standard_normal((2, 6, 6, 3))
    pooled = MaxPool().forward(x)
    np.testing.assert_array_equal(np.maximum(pooled, 0), MaxPool().forward(np.maximum(x, 0)))


def test_rows_become_images_and_back():
    x = np.arange(24.0).reshape(2, 12)
    images = ToImages(1, 4, 3).forward(x)
    assert images.shape == (1, 4, 3, 2) and images[0, 1, 2, 1] == x[1, 5]
    np.testing.assert_array_equal(Flatten().forward(images), x)
