"""Options of reading files and folders: the section `ocr` of `conf/`, and what `pipeline.read` takes on its command line."""

from dataclasses import dataclass, fields
from typing import Annotated, Any

from pipeline.common.checks import check_each
from pipeline.common.errors import ConfigError
from pipeline.common.options import OneOf, Range
from pipeline.output.export import SUFFIXES
from pipeline.reading.options import OcrOptions


@dataclass(kw_only=True)
class BatchOptions(OcrOptions):
    """The page reader's own `OcrOptions`, and which files are read, with what, and what is written."""

    pages: Annotated[Any, "photos or folders of photos, `-` for standard input; null: the rendered pages"]
    output: Annotated[str | None, "folder for the results; null: reports/pages for the rendered pages, outputs/read for others"]
    model: Annotated[str | None, "weights to read with; null: those that `train` wrote"]
    ink: Annotated[str | None, "network that tells what a pixel shows; null: the one of the stage `ink`; none: thresholds"]
    lattice: Annotated[str | None, "line model that was fitted for the weights; null: the one of the stage `lattice`"]
    language: Annotated[str, "table of the character language model"]
    words: Annotated[str | None, "file of your own words, one a line, as likely as the rest of the language; null: none"]
    formats: Annotated[list[str], "what is written for each page", OneOf(SUFFIXES)]
    jobs: Annotated[int, "processes that read; -1: one for each core", Range(-1)]
    part: Annotated[int, "the share of `parts` that this job reads: -m ocr.part='range(64)' ocr.parts=64", Range(0)]
    parts: Annotated[int, "jobs that share the pages", Range(1)]
    again: Annotated[bool, "read also what was read before with the same settings"]
    seconds: Annotated[float, "after which a page is given up; 0: never", Range(0)]
    recursive: Annotated[bool, "search folders within folders too"]
    pdf: Annotated[str, "one: write also a searchable pages.pdf of all pages", OneOf(("page", "one"))]
    debug: Annotated[str | None, "folder for pictures of each step of reading a page that is not a form; null: none"]

    def __post_init__(self) -> None:
        super().__post_init__()
        if empty := [field.name for field in fields(self) if getattr(self, field.name) == ""]:
            raise ConfigError(f"{empty[0]}: must not be empty; leave it out, or null")
        check_each(self, ("jobs",), lambda value: value, "must be 1 or more, or -1 for one for each core")
        check_each(self, ("part",), lambda value: value < self.parts, f"must be from 0 to parts - 1 = {self.parts - 1}")
        if self.pdf == "one" and "pdf" not in self.formats:  # the one is joined from those of the pages
            self.formats = [*self.formats, "pdf"]

    def check_form(self) -> None:
        """Refuse what is not read where the pages are a form.

        Raises:
            ConfigError: naming the key.
        """
        idle = {"mode": self.mode != "page", "pattern": self.pattern, "characters": self.characters, "debug": self.debug}
        for key in (key for key, given in idle.items() if given):
            raise ConfigError(f"{key}: has no effect on a form, whose file says what its fields hold; leave it out")

    @property
    def of_all(self) -> set[str]:
        """The names of the files of all pages together, of those that a page could have in these formats."""
        tables = {"summary.csv", "forms.csv", "coverage.csv"} if "csv" in self.formats else set()
        return tables | ({"pages.pdf"} if self.pdf == "one" else set())
