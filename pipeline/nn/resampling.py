"""Layers that change the size of an image (C, H, W, N) without losing a value: space to depth, its inverse, and doubling."""

from pipeline.nn.layers import Array, Layer


class SpaceToDepth(Layer):
    """Each square of 2 x 2 pixels becomes one pixel of four times the channels: (C, H, W, N) -> (4 C, H / 2, W / 2, N).

    A network then works on a quarter of the pixels but still sees every value. H and W are even. Shi et al. 2016, "Real-time
    single image and video super-resolution using an efficient sub-pixel convolutional neural network".
    """

    def forward(self, x: Array, training: bool = False) -> Array:
        channels, height, width, samples = x.shape
        y = self.buffer("y", (4 * channels, height // 2, width // 2, samples), x.dtype)
        for part in range(4):
            y[part * channels : (part + 1) * channels] = x[:, part // 2 :: 2, part % 2 :: 2]
        return y

    def backward(self, dy: Array) -> Array:
        """Every value has one place in x and one in y, so its gradient goes back to where it came from."""
        channels = len(dy) // 4
        dx = self.buffer("dx", (channels, 2 * dy.shape[1], 2 * dy.shape[2], dy.shape[3]), dy.dtype)
        for part in range(4):
            dx[:, part // 2 :: 2, part % 2 :: 2] = dy[part * channels : (part + 1) * channels]
        return dx


class DepthToSpace(SpaceToDepth):
    """The inverse, (4 C, H, W, N) -> (C, 2 H, 2 W, N): its `forward` is the `backward` of `SpaceToDepth`, and the reverse."""

    def forward(self, x: Array, training: bool = False) -> Array:
        return super().backward(x)

    def backward(self, dy: Array) -> Array:
        return super().forward(dy)


class Double(Layer):
    """Each pixel becomes a square of 2 x 2 pixels of the same value: (C, H, W, N) -> (C, 2 H, 2 W, N)."""

    def forward(self, x: Array, training: bool = False) -> Array:
        y = self.buffer("y", (len(x), 2 * x.shape[1], 2 * x.shape[2], x.shape[3]), x.dtype)
        for part in range(4):
            y[:, part // 2 :: 2, part % 2 :: 2] = x
        return y

    def backward(self, dy: Array) -> Array:
        """y[2u + i, 2v + j] = x[u, v] for i, j in {0, 1}: dx[u, v] is the sum of the four dy."""
        dx = self.buffer("dx", (len(dy), dy.shape[1] // 2, dy.shape[2] // 2, dy.shape[3]), dy.dtype)
        dx[:] = dy[:, ::2, ::2]
        for part in (1, 2, 3):
            dx += dy[:, part // 2 :: 2, part % 2 :: 2]
        return dx
