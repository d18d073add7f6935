"""Reading: the text that was read in a field, and its posterior."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """The text that was read in a field.

    Attributes:
        text: empty for an empty field; `TICKED` for a ticked box.
        confidence: posterior of the whole text.
        characters: posterior of each character, 1 for a space.
        allowed: whether the field allows the text.
    """

    text: str
    confidence: float
    characters: list[float]
    allowed: bool = True

    def shown(self, reject_below: float) -> str:
        """The text with `?` for each character whose posterior is below `reject_below`."""
        return "".join("?" if sure < reject_below else character for character, sure in zip(self.text, self.characters))
