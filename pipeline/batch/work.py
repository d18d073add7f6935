"""Work: read one page and write its results."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.batch import record as records
from pipeline.batch.options import BatchOptions
from pipeline.batch.record import Record
from pipeline.batch.sources import Source
from pipeline.batch.steps import StepPictures
from pipeline.common import paths
from pipeline.common.counted import counted
from pipeline.common.errors import ConfigError, EmptyPageError, PageError
from pipeline.forms.options import FormOptions
from pipeline.forms.reading import Reading
from pipeline.output.export import export
from pipeline.reading.constraint import possible
from pipeline.reading.models import load_models
from pipeline.reading.options import OcrOptions
from pipeline.reading.page import Page
from pipeline.reading.photo import Photo, count_pages, load_page
from pipeline.reading.reader import read
from pipeline.reading.word_list import WordList, load_words


class OutOfTimeError(BaseException):
    """A page took too long; no `except Exception` on the way may swallow it."""


class Worker:
    """Reads pages as the options say, with models that are loaded once.

    Args:
        model: file with the network's weights.
        form: the form that the pages are, if they are forms.
        settings: digest of everything that a result depends on, except the page.
        folder: for the results.
        remember: store a record of each page there, and skip pages that have one.
    """

    def __init__(
        self, options: BatchOptions, model: Path, form: FormOptions | None, settings: str, folder: Path, remember: bool
    ) -> None:
        self.options, self.settings, self.folder, self.remember = options, settings, folder, remember
        self.read = load_reader(options, model, form)

    def __call__(self, source: Source) -> Record:
        """Read a page and write its results, all of them or none; of a page that cannot be read, earlier ones are removed.

        Raises:
            DataError: the folder cannot be written, or the disk is full; earlier results are kept.
        """
        try:
            key = records.key_of(source, self.settings) if self.remember else ""
        except OSError:
            key = ""  # the error appears when it is read
        formats = list(self.options.formats)
        anew = self.options.again or self.options.debug is not None
        known = records.load(self.folder, source.name) if self.remember else None
        if known is not None and not anew and records.is_whole(known, key, formats, self.folder):
            return known
        made = self._make(source, key, formats, known)
        if self.remember:
            earlier = {*formats, *(known.formats if known else [])}
            records.remove_results(self.folder, source.name, earlier if made.status == "failed" else earlier - set(formats))
            records.save(made, self.folder)
        return made

    def _make(self, source: Source, key: str, formats: list[str], known: Record | None) -> Record:
        made = Record(source.name, source.shown, source.index + 1, "read", key, formats)
        try:
            with time_limit(self.options.seconds):
                photo = source.load()
                try:
                    page, made.fields = self.read(photo.pixels, source.name)
                except EmptyPageError as error:
                    made.status, made.reason = "empty", str(error)
                    page = Page(photo.pixels.shape[1], photo.pixels.shape[0], 0.0, [])
            if known is not None:
                records.save(replace(known, status="unfinished"), self.folder)  # for a process that is killed
            self._write(page, photo, source, formats)
        except PageError as error:
            made.status, made.reason = "failed", str(error).replace("\n", " ")
        except OutOfTimeError:
            made.status, made.reason = (
                "failed",
                f"took more than {self.options.seconds:g} s; give it more seconds",
            )
        except MemoryError:
            made.status, made.reason = "failed", "not enough memory; make the photo smaller, or read with fewer jobs"
        else:
            characters = page.characters
            made.text, made.characters = page.text, len(characters)
            made.confidence = round(float(np.mean([c.confidence for c in characters])), 4) if characters else 0.0
        return made

    def _write(self, page: Page, photo: Photo, source: Source, formats: list[str]) -> None:
        export(page, photo.pixels, self.folder / source.name, source.path.name, formats, photo.dpi)


def load_reader(
    options: BatchOptions, model: Path, form: FormOptions | None
) -> Callable[[np.ndarray, str], tuple[Page, dict[str, Reading]]]:
    """Load the models; return a function from a photo, (H, W, 3) uint8, and its name to the page and its fields.

    Raises:
        ConfigError: nothing that the network reads is allowed.
        DataError, PageError: a model, or the blank of the form, is missing or damaged.
    """
    language = Path(options.language) if options.language_weight > 0 else None
    ink = None if options.ink in (None, "none") else Path(options.ink)
    models = load_models(model, Path(options.lattice or paths.LATTICE), language, ink)
    check_readable(options, models.lines.characters)
    if options.words:
        models = replace(models, language=WordList(load_words(Path(options.words)), models.language))
    if form is not None:
        from pipeline.forms.read import FormReader  # imported here: pages do not need it

        reader = FormReader(form, load_blank(form), models, options)
        return lambda image, name: reader(image)
    if options.debug is None:
        return lambda image, name: (read(image, models, options), {})
    folder = Path(options.debug)

    def with_pictures(image: np.ndarray, name: str) -> tuple[Page, dict[str, Reading]]:
        steps = StepPictures(folder / name, models.ink, models.lines.characters)
        return read(image, models, options, watcher=steps), {}

    return with_pictures


def check_readable(options: OcrOptions, known: str) -> None:
    """Refuse a constraint that no text of the `known` characters meets: every page would seem empty.

    Raises:
        ConfigError: it names the option.
    """
    unknown = "".join(sorted(set(options.characters or "") - {*known, " "}))
    if unknown:
        raise ConfigError(f"characters: the network does not read {unknown!r}; leave them out")
    if options.pattern and options.constraint and not possible(options.constraint, known):
        raise ConfigError(f"pattern: {options.pattern!r} allows no text of what is read, {options.characters or known}")


def load_blank(form: FormOptions) -> np.ndarray:
    """(H, W) uint8, the form with nothing written on it.

    Raises:
        PageError: the template cannot be read.
    """
    try:
        file = Path(form.template)
        if form.page > (count := count_pages(file)):
            raise ConfigError(f"form.page: {form.page}, and {file} has {counted(count, 'page')}")
        return np.asarray(Image.fromarray(load_page(file, form.page - 1).pixels).convert("L"))
    except PageError as error:
        raise PageError(f"form.template: {error}; `dvc repro fill` draws the blanks of the project's own forms") from None


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """A context that raises `OutOfTimeError` after this time; 0 is no limit, and threads other than the first have none."""
    if seconds <= 0 or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
