"""Run: read all pages in order, with one process or several, and report to the user."""

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from pipeline.batch import record as records
from pipeline.batch.options import BatchOptions
from pipeline.batch.pool import read_all
from pipeline.batch.record import Record
from pipeline.batch.report import SUMMARY, Outcome, add_score, in_lines, row
from pipeline.batch.sources import Source
from pipeline.common.errors import ConfigError
from pipeline.common.files import md5, write_table
from pipeline.forms import table
from pipeline.forms.options import FormOptions
from pipeline.output.export import beside, remove_leftovers
from pipeline.output.pdf import join_pdfs

HOW_ONLY = ("pages", "output", "formats", "jobs", "part", "parts", "again", "recursive", "pdf", "model", "debug")


def run(
    sources: list[Source],
    options: BatchOptions,
    model: Path,
    folder: Path,
    form: FormOptions | None = None,
    remember: bool = True,
    show: bool = True,
) -> Outcome:
    """Read the pages and write their results to `folder`; of forms also `forms.csv`.

    Args:
        form: the form that every page is; None: pages of text.
        remember: keep records, write `summary.csv`, and read only the missing pages.
        show: print the text of each page.

    Raises:
        ConfigError: results would overwrite other files.
        DataError: the model cannot be loaded, or the folder cannot be written.
    """
    _check_target(sources, folder)
    remove_leftovers(folder)
    mine = sources[options.part :: options.parts]
    settings = _settings(options, model, form)
    outcome = Outcome([], {}, {})
    with _out() as out:
        for source, record in zip(
            mine, _bar(read_all(mine, (options, model, form, settings, folder, remember), options.jobs), len(mine))
        ):
            outcome.records.append(record)
            if record.status == "failed" or record.status == "empty" and source.given:
                where = "" if str(source.path) in record.reason else f"{source.shown}: "
                print(f"{where}{record.reason}", file=sys.stderr)
            if record.status == "failed":
                continue
            add_score(source, record, form, outcome)
            if show:
                text = record.text if form is None else in_lines(record, options.reject_below)
                out(f"{source.shown}:\n{text}\n" if len(mine) > 1 else text)
    rows = outcome.records
    if options.parts > 1:
        rows = [known for known in (records.load(folder, source.name) for source in sources) if known]
    if form is not None:
        forms = [{**row(record), **table.row(form, record.fields, options.reject_below)} for record in rows]
        columns = table.columns(form)
        write_table(folder / "forms.csv", [{key: one[key] for key in columns} for one in forms], columns)
        if outcome.fields:
            write_table(folder / "coverage.csv", table.total_fields(list(outcome.fields.values())).curve())
    if remember:
        write_table(folder / "summary.csv", [row(record) for record in rows], SUMMARY)
        if "pdf" in options.formats:
            _join(sources, {record.name: record for record in rows}, options, folder)
    return outcome


def _check_target(sources: list[Source], folder: Path) -> None:
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise ConfigError(f"{there} is a file; name a folder for the results")
    if folder.resolve() in {source.path.resolve().parent for source in sources}:
        raise ConfigError(
            f"{folder} holds the pages themselves; name another folder for the results, or their .txt files would be overwritten"
        )


def _settings(options: BatchOptions, model: Path, form: FormOptions | None) -> str:
    """Digest of everything that a result depends on, except the page."""
    values = {key: value for key, value in asdict(options).items() if key not in HOW_ONLY}
    used = [model, *(Path(name or "none") for name in (options.ink, options.lattice, options.language, options.words))]
    used += [Path(form.template)] if form else []
    files = [md5(path) for path in used if path.is_file()]
    return hashlib.md5(repr((values, files, asdict(form) if form else None)).encode()).hexdigest()


def _bar(made: Iterator[Record], total: int) -> Iterator[Record]:
    """A progress bar on a terminal: pages a minute, and how long it will still take."""
    if total < 2 or not sys.stderr.isatty():
        yield from made
        return
    from tqdm import tqdm

    with tqdm(total=total, leave=False, bar_format="{n_fmt}/{total_fmt} |{bar}| {postfix}, {remaining} left") as bar:
        for record in made:
            bar.update()
            rate = bar.format_dict["rate"] or bar.n / max(bar.format_dict["elapsed"], 1e-3)
            bar.set_postfix_str(f"{60 * rate:.0f} pages a minute")
            yield record


@contextlib.contextmanager
def _out() -> Iterator[Callable[[str], None]]:
    """`print`, without an error if the reader has closed the pipe, as `head` does, or its encoding lacks a character."""
    open_ = True
    encoding = sys.stdout.encoding or "utf-8"

    def write(text: str) -> None:
        nonlocal open_
        if not open_:
            return
        try:
            print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
        except BrokenPipeError:
            open_ = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that Python can close it without an error

    yield write


def _join(sources: list[Source], known: Mapping[str, Record], options: BatchOptions, folder: Path) -> None:
    """Write one PDF for each file with several pages, or one for all pages, as soon as all of its pages are read.

    Without a page that could not be read, a file's other pages would have wrong numbers: it gets no PDF, and those of its pages
    stay. The PDF of all pages is written without such pages.
    """
    whole: dict[str, list[Source]] = {}
    for source in sources:
        name = "pages" if options.pdf == "one" else source.document if source.count > 1 else None
        if name:
            whole.setdefault(name, []).append(source)
    for name, pages in whole.items():
        target = beside(folder / name, "pdf")
        read = [page for page in pages if page.name in known]
        failed = [page for page in read if known[page.name].status == "failed"]
        parts = [beside(folder / page.name, "pdf") for page in read if known[page.name].status in records.WRITTEN]
        there = [part for part in parts if part.exists()]
        if len(there) + len(failed) < len(pages):  # other jobs read the rest
            continue
        if there and (not failed or options.pdf == "one"):
            join_pdfs(there, target)
        else:
            target.unlink(missing_ok=True)
        if there and failed:
            lost = f"{failed[0].shown}{f' and {len(failed) - 1} more' if len(failed) > 1 else ''}"
            said = {
                "one": f"is without {lost}, which could not be read",
                "page": f"is not written, because {lost} could not be read; the other pages have a PDF each",
            }
            print(f"{target}: {said[options.pdf]}", file=sys.stderr)
