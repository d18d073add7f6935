"""Characters: data sets, their normal form, and augmentation."""

CLASSES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The references' characters; `alphabet.ALPHANUMERIC` is the same."""

SIZE = 32
"""Height and width in pixels of a character in its normal form."""
