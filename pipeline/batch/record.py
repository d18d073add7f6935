"""Record: the status of a page, stored with its results, so that a second start reads only the missing pages."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pipeline.batch.sources import RECORDS, Source
from pipeline.common.files import write_text
from pipeline.forms.reading import Reading
from pipeline.output.export import SUFFIXES, beside

DOUBTFUL = 0.8  # mean confidence of the characters of a page; below, more than one in five is expected to be wrong
WRITTEN = ("read", "empty")  # states of a page that has results


@dataclass
class Record:
    """The attributes that need a word.

    Attributes:
        status: read, empty or failed; unfinished while earlier results are replaced.
        key: of the page and the settings it was read with.
        fields: of a form.
    """

    name: str
    file: str
    page: int
    status: str
    key: str
    formats: list[str]
    text: str = ""
    characters: int = 0
    confidence: float = 0.0
    reason: str = ""
    fields: dict[str, Reading] = field(default_factory=dict)

    @property
    def doubtful(self) -> bool:
        return self.characters > 0 and self.confidence < DOUBTFUL  # a form with nothing in it leaves nothing to doubt


def key_of(source: Source, settings: str) -> str:
    """A key of everything that a result depends on: the file as it is now, the page in it, and the settings."""
    if source.content is not None:
        identity: object = hashlib.md5(source.content).hexdigest()
    else:
        status = source.path.stat()
        identity = (str(source.path.resolve()), status.st_size, status.st_mtime_ns)
    return hashlib.md5(repr((identity, source.index, settings)).encode("utf-8", "surrogateescape")).hexdigest()


def save(record: Record, folder: Path) -> None:
    """Write the record, after all results: a page with a record is complete."""
    write_text(_path(folder, record.name), json.dumps(asdict(record)) + "\n")


def load(folder: Path, name: str) -> Record | None:
    """The record of a page; None if it is missing or damaged.

    Its name is the one given: what is stored was a name on disk in the language of another start.
    """
    try:
        values = json.loads(_path(folder, name).read_text(encoding="utf-8"))
        return Record(**{**values, "name": name, "fields": {key: Reading(**value) for key, value in values["fields"].items()}})
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return None


def is_whole(record: Record | None, key: str, formats: list[str], folder: Path) -> bool:
    """Whether a page was read from the same file with the same settings, and all of its results exist."""
    return (
        record is not None
        and record.key == key
        and record.status in WRITTEN
        and set(formats) <= set(record.formats)
        and all(beside(folder / record.name, kind).exists() for kind in formats)
    )


def remove_results(folder: Path, name: str, formats: Iterable[str]) -> None:
    """Remove earlier results of a page, which must not stay beside what became of it now."""
    for kind in set(formats) & set(SUFFIXES):
        beside(folder / name, kind).unlink(missing_ok=True)


def _path(folder: Path, name: str) -> Path:
    return folder / RECORDS / f"{name}.json"
