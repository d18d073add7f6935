"""Characters: data sets of them, their normal form, and how to make more of them."""

CLASSES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Label `i` stands for `CLASSES[i]`, everywhere."""

SIZE = 32
"""Height and width in pixels of a character in its normal form."""
