"""Options of reading files and folders: the section `ocr` of `conf/`, and what `pipeline.read` takes on its command line."""

from dataclasses import dataclass
from typing import Any

from pipeline.common.checks import check_each, check_shares, is_number
from pipeline.common.errors import ConfigError
from pipeline.output.export import SUFFIXES
from pipeline.reading.options import OcrOptions


@dataclass(kw_only=True)
class BatchOptions(OcrOptions):
    """What the page reader's own `OcrOptions` hold, and where and how files are read and written.

    Attributes:
        pages: photos or folders of photos; `-` reads one photo from standard input; null: the rendered pages.
        output: folder for the results; null: the stage's own.
        model: weights to read with; null: those that `train` wrote.
        ink: network that says what each pixel shows; null: the one of the stage `ink`; `none`: thresholds instead.
        lattice: line model fitted for them; null: that of the stage `lattice`.
        language: table of the character language model.
        words: file of words of one's own that are as likely as the rest of the language; null: none.
        formats: what is written for each page, any of the keys of `SUFFIXES`.
        jobs: processes that read; -1: one a core.
        part, parts: read the pages number part, part + parts, ... only: the share of one job among many.
        again: read anew what was read before with the same settings.
        seconds: of reading after which a page is given up; 0: never.
        recursive: folders within folders too.
        debug: folder for pictures of each step of reading a page that is no form; null: none.
        pdf: `page`, or `one` searchable PDF, `pages.pdf`, for all pages.
    """

    pages: Any
    output: str | None
    model: str | None
    ink: str | None
    lattice: str | None
    language: str
    words: str | None
    formats: list[str]
    jobs: int
    part: int
    parts: int
    again: bool
    seconds: float
    recursive: bool
    pdf: str
    debug: str | None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_shares(self, "reject_below")
        if not self.formats or not set(self.formats) <= set(SUFFIXES):
            raise ConfigError(f"formats: {list(self.formats)} must name one or more of {', '.join(SUFFIXES)}")
        check_each(self, ("jobs",), lambda value: value == -1 or value >= 1, "must be 1 or more, or -1 for one a core")
        check_each(self, ("parts",), lambda value: value >= 1, "must be 1 or more")
        check_each(self, ("part",), lambda value: 0 <= value < self.parts, f"must be from 0 to parts - 1 = {self.parts - 1}")
        check_each(self, ("seconds",), lambda value: is_number(value) and value >= 0, "must be 0 (no limit) or more")
        if self.pdf not in ("page", "one"):
            raise ConfigError(f"pdf: {self.pdf!r} must be page or one")
