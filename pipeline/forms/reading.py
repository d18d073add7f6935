"""Reading: what was read in a field, and how surely."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """What was read in a field.

    Attributes:
        text: empty if nothing is written there; `TICKED` for a ticked box.
        confidence: posterior of the whole text.
        characters: posterior of each character of it, 1 for a space.
        allowed: whether the text is what the field allows.
    """

    text: str
    confidence: float
    characters: list[float]
    allowed: bool = True

    def shown(self, reject_below: float) -> str:
        """The text with `?` for each character that is less certain than that."""
        return "".join("?" if sure < reject_below else character for character, sure in zip(self.text, self.characters))
