"""Options of the page reader, the section `ocr` of `conf/`."""

from dataclasses import dataclass
from typing import Annotated

from pipeline.common.options import SHARE, OneOf, Options, Range
from pipeline.reading.constraint import Allowed, Both, Constraint
from pipeline.reading.pattern import Pattern


@dataclass
class OcrOptions(Options):
    """How a page is read."""

    work_pixels: Annotated[int, "pixels that a photo is reduced to; more reads smaller writing and takes longer", Range(100_000)]
    straighten: Annotated[bool, "find the sheet, its skew and which side is up; false for pages that are flat and upright"]
    printed: Annotated[str, "what happens to printed words: they go, stay, or stay marked", OneOf(("drop", "keep", "mark"))]
    language_weight: Annotated[float, "weight of the language model against the classifier; 0: off", Range(0, 10)]
    beam: Annotated[int, "hypotheses kept at each step of the search for the best reading of a line", Range(1)]
    reject_below: Annotated[float, "characters with a lower posterior are written as `?`; 0: none", SHARE]
    mode: Annotated[str, "what a photo shows", OneOf(("page", "line", "word", "character"))] = "page"
    characters: Annotated[str | None, 'characters that may occur, as in "0123456789-"; null: all that the network reads'] = None
    pattern: Annotated[str | None, 'regular expression that matches each line, as in "[A-Z]{2}[0-9]{6}"; null: any text'] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.constraint

    @property
    def constraint(self) -> Constraint | None:
        """The texts that a line may be; None: any text."""
        allowed = Allowed(self.characters) if self.characters else None
        pattern = Pattern(self.pattern) if self.pattern else None
        return Both(allowed, pattern) if allowed and pattern else allowed or pattern
