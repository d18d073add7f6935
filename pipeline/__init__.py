"""Learn to read hand-printed characters with a NumPy network, then read whole pages of them."""

from pipeline.common import processor

processor.pin()  # before NumPy is imported anywhere
