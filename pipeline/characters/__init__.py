"""Characters: data sets of them, their normal form, and how to make more of them."""

CLASSES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The references' characters; `alphabet.ALPHANUMERIC` is the same."""

SIZE = 32
"""Height and width in pixels of a character in its normal form."""
