"""The layers and the network that label pixels: their gradients, what they compute, and the file they are kept in."""

import numpy as np
import pytest
from scipy.signal import correlate

from pipeline.common.errors import DataError
from pipeline.nn.gradient_check import TOLERANCE, check_layer, relative_error
from pipeline.nn.initializers import he
from pipeline.nn.pixel_loss import pixel_cross_entropy, pixel_softmax
from pipeline.nn.resampling import DepthToSpace, Double, SpaceToDepth
from pipeline.nn.same_convolution import SameConv2d
from pipeline.nn.unet import UNetOptions, build_unet, load_unet, save_unet


def make_convolution(kernel: int = 3, rectify: bool = True) -> SameConv2d:
    rng = np.random.default_rng(0)
    layer = SameConv2d(2, 3, kernel, he, rng, np.float64, rectify)
    layer.params["bias"][:] = rng.normal(size=3)
    return layer


@pytest.mark.parametrize(
    "layer",
    [make_convolution(), make_convolution(1, False), make_convolution(5), SpaceToDepth(), DepthToSpace(), Double()],
    ids=["3x3", "1x1", "5x5", "space to depth", "depth to space", "double"],
)
def test_gradients_of_layers_agree_with_central_differences(layer):
    x = np.random.default_rng(1).normal(size=(4 if isinstance(layer, DepthToSpace) else 2, 6, 8, 2))
    assert max(check_layer(layer, x).values()) < TOLERANCE


def test_same_convolution_is_the_correlation_scipy_computes():
    x = np.random.default_rng(1).normal(size=(2, 70, 40, 1))  # more than one block of rows
    layer = make_convolution(rectify=False)
    y = layer.forward(x)
    for m in range(3):
        expected = sum(correlate(x[c, :, :, 0], layer.params["weight"][m, c], mode="same") for c in range(2))
        np.testing.assert_allclose(y[m, :, :, 0], expected + layer.params["bias"][m], atol=1e-12)


def test_depth_to_space_undoes_space_to_depth():
    x = np.random.default_rng(0).normal(size=(3, 4, 6, 2))
    np.testing.assert_array_equal(DepthToSpace().forward(SpaceToDepth().forward(x)), x)


def test_pixel_loss_is_the_weighted_mean_and_its_gradient_is_right():
    rng = np.random.default_rng(0)
    logits, labels, weights = rng.normal(size=(3, 2, 4, 2)), rng.integers(0, 3, (2, 4, 2)), np.array([0.5, 1.0, 2.0])
    loss, gradient = pixel_cross_entropy(logits.copy(), labels, weights)
    chosen = np.take_along_axis(pixel_softmax(logits.copy()), labels[None], axis=0)[0]
    assert loss == pytest.approx(float((-np.log(chosen) * weights[labels]).sum() / weights[labels].sum()))
    error = relative_error(lambda: pixel_cross_entropy(logits.copy(), labels, weights)[0], logits, gradient, 0)
    assert error < TOLERANCE


def test_gradients_of_the_network_agree_with_central_differences():
    rng = np.random.default_rng(0)
    network = build_unet(UNetOptions([3, 4, 5], 4), rng, np.float64)
    network.weights[network.decayed :] = rng.normal(0, 0.1, network.weights.size - network.decayed)
    x, labels, weights = rng.random((1, 16, 24, 2)), rng.integers(0, 4, (16, 24, 2)), np.ones(4)

    def loss() -> float:
        return pixel_cross_entropy(network.forward(x), labels, weights)[0]

    network.backward(pixel_cross_entropy(network.forward(x), labels, weights)[1])
    for name, gradient in network.grads.items():
        assert relative_error(loss, network.params[name], gradient.copy(), 0) < TOLERANCE, name


def test_file_gives_the_same_network_back(tmp_path):
    network = build_unet(UNetOptions([2, 3], 5), np.random.default_rng(0))
    save_unet(tmp_path / "ink.npz", network, {"seed": 1})
    again, extra = load_unet(tmp_path / "ink.npz")
    np.testing.assert_array_equal(again.weights, network.weights)
    assert extra == {"seed": 1} and again.unet_options == network.unet_options


def test_file_of_another_kind_is_one_clear_error(tmp_path):
    np.savez(tmp_path / "ink.npz", a=np.zeros(3))
    with pytest.raises(DataError, match="dvc pull"):
        load_unet(tmp_path / "ink.npz")
