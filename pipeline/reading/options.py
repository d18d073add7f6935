"""Options of the page reader, the section `ocr` of `conf/`."""

from dataclasses import dataclass

from pipeline.common.checks import check_choice
from pipeline.common.errors import ConfigError
from pipeline.reading.pattern import Allowed, Both, Constraint, Pattern


@dataclass
class OcrOptions:
    """How a page is read.

    Attributes:
        work_pixels: pixels the photo is reduced to before anything else; more reads smaller writing, and takes longer.
        straighten: find the sheet, its skew and which side is up; off for pages known to be upright, level and flat.
        printed: `drop` leaves printed text out, `keep` reads it as well.
        language_weight: weight of the language model's log-probability against the classifier's; 0 switches it off.
        beam: hypotheses kept at each step of the search for the best reading of a line.
        reject_below: characters less certain than this, 0..1, are written as `?`; 0 keeps all.
        mode: what the photo shows: a `page`, or nothing but one `line`, `word` or `character`.
        characters: that may stand there; null: all that the network reads.
        pattern: regular expression that each line is, as a whole; null: anything.
    """

    work_pixels: int
    straighten: bool
    printed: str
    language_weight: float
    beam: int
    reject_below: float
    mode: str = "page"
    characters: str | None = None
    pattern: str | None = None

    def __post_init__(self) -> None:
        if self.work_pixels < 100_000:
            raise ConfigError(f"work_pixels: {self.work_pixels} must be 100000 or more")
        check_choice(self, "printed", ("drop", "keep"))
        check_choice(self, "mode", ("page", "line", "word", "character"))
        _ = self.constraint
        if not 0 <= self.language_weight <= 10:
            raise ConfigError(f"language_weight: {self.language_weight} must be from 0 (off) to 10")
        if self.beam < 1:
            raise ConfigError(f"beam: {self.beam} must be 1 or more")
        if not 0 <= self.reject_below <= 1:
            raise ConfigError(f"reject_below: {self.reject_below} must be from 0 (keep all) to 1")

    @property
    def constraint(self) -> Constraint | None:
        """What a line may be; None: anything."""
        allowed = Allowed(self.characters) if self.characters else None
        pattern = Pattern(self.pattern) if self.pattern else None
        return Both(allowed, pattern) if allowed and pattern else allowed or pattern
