"""Counted: numbers with their noun, as messages say them."""


def counted(number: int, noun: str) -> str:
    """The number and the noun, in the plural unless it is one.

    >>> counted(1, "run"), counted(2, "run"), counted(0, "page")
    ('1 run', '2 runs', '0 pages')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
