"""Neural networks from scratch, on NumPy alone.

Read in this order: `layers` (one step forward, one step backward), `losses`, `initializers`, `network` (layers in a row),
`optimizers`, `batches`, `training` (the loop), then `convolution`. `gradient_check` shows that the derivations are right,
`parallel` holds what makes training fast, `checkpoint` what makes it safe, `diagnostics` what the figures show. Networks that
label the pixels of an image are built from `same_convolution` and `resampling`: `unet`, `pixel_loss`, `pixel_training`.

Nothing here knows of characters. Exclusive or, learnt by a network with eight hidden units:

>>> import numpy as np
>>> from pipeline.nn.initializers import xavier
>>> from pipeline.nn.layers import Linear, Tanh
>>> from pipeline.nn.losses import cross_entropy_with_gradient
>>> from pipeline.nn.network import Network
>>> rng = np.random.default_rng(0)
>>> network = Network([Linear(2, 8, xavier, rng), Tanh(), Linear(8, 2, xavier, rng)])
>>> x, labels = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 1, 1, 0])
>>> for _ in range(500):
...     losses, gradient = cross_entropy_with_gradient(network.forward(x), labels)
...     network.backward(gradient)
...     network.weights -= 0.1 * network.gradients
>>> network.predict(x).argmax(axis=1).tolist()
[0, 1, 1, 0]
"""
