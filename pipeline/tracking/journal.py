"""Journal: a run writes every event to the local disk first, so that nothing is lost while the store is down."""

import json
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from pipeline.common import paths
from pipeline.common.errors import DataError
from pipeline.common.files import writing


def journals() -> Path:
    """The folder of the journals that are not yet uploaded."""
    return paths.STORE_ROOT / "outputs/journals"


class Journal:
    """One folder: `events.jsonl`, copies of the files to upload, and how far the upload came.

    An event is a dict with `kind` and what that kind needs. Only one process writes a journal.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(cls, name: str) -> "Journal":
        """Start an empty journal in a folder of its own."""
        with writing(journals()):
            journals().mkdir(parents=True, exist_ok=True)
            safe = re.sub(r"[^\w.,+-]+", "_", name)[:80]  # it tells values that users gave
            return cls(Path(tempfile.mkdtemp(prefix=f"{time.strftime('%Y%m%d-%H%M%S')}-{safe}-", dir=journals())))

    def append(self, kind: str, **fields: Any) -> None:
        """Add one event, on the disk before this returns."""
        with writing(self.folder), open(self.folder / "events.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, "time": int(time.time() * 1000), **fields}) + "\n")

    def keep(self, path: Path) -> str:
        """Copy a file or folder into the journal, because the original may change before the upload; return its name there."""
        with writing(self.folder):
            target = Path(tempfile.mkdtemp(dir=self.folder)) / path.name
            if path.is_dir():
                shutil.copytree(path, target)
            else:
                shutil.copy2(path, target)
        return str(target.relative_to(self.folder))

    def write(self, name: str, text: str) -> str:
        """Put text into the journal as a file called `name`; return its name within the journal."""
        with writing(self.folder):
            target = Path(tempfile.mkdtemp(dir=self.folder)) / name
            target.write_text(text, encoding="utf-8")
        return str(target.relative_to(self.folder))

    def events(self) -> list[dict[str, Any]]:
        """All events so far; a last line cut short by a crash is left out.

        Raises:
            DataError: a line is damaged.
        """
        file = self.folder / "events.jsonl"
        lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
        try:
            return [json.loads(line) for line in lines]
        except ValueError as error:
            raise DataError(f"events.jsonl is damaged: {error}") from None

    @property
    def state(self) -> dict[str, Any]:
        """How far the upload came.

        `run_id` in the store (None before it exists there), `uploaded`, the number of events it has, `refused`, the numbers
        of those that the store refused, and `told`, whether the user has been informed.
        """
        file = self.folder / "state.json"
        begun = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return {"run_id": None, "uploaded": 0, "refused": [], "told": False} | begun

    @state.setter
    def state(self, value: dict[str, Any]) -> None:
        temporary = self.folder / "state.tmp"
        temporary.write_text(json.dumps(value), encoding="utf-8")
        temporary.replace(self.folder / "state.json")

    def discard(self) -> None:
        """Remove the journal: the store has everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
