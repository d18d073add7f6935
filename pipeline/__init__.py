"""Learn to read hand-printed characters with a NumPy network, then read whole pages of them."""
