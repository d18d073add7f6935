"""Reader: from a photo to a page of text."""

from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np

from pipeline.common.errors import EmptyPageError, PageError
from pipeline.reading import straighten
from pipeline.reading.blocks import find_rows, only
from pipeline.reading.cell_rows import CellRow, centred, find_cell_rows, in_cells, slope_of
from pipeline.reading.clutter import drop_clutter
from pipeline.reading.combs import read_rows
from pipeline.reading.constraint import Constraint
from pipeline.reading.crops import read_crop
from pipeline.reading.inks import drop_other_inks
from pipeline.reading.insertions import find_insertions, insert
from pipeline.reading.layout import Components, find_components
from pipeline.reading.models import Models
from pipeline.reading.options import OcrOptions
from pipeline.reading.order import in_order, join
from pipeline.reading.page import Character, Line, Page, reject
from pipeline.reading.printed import mark_print
from pipeline.reading.regions import Part, part_by_region
from pipeline.reading.sides import prior_of, sides_up
from pipeline.reading.skew import SLIGHT, skews
from pipeline.seeing.cells import Cells
from pipeline.seeing.ink import INK, Ink, Squared, find_ink

LANGUAGE = -0.2  # score a character that only language reaches; codes have -0.4 and less, as do pages upside down
CELLS = 8.0  # prior log-odds that what stands in cells is read cell by cell: the squares of squared paper look like them
LOWEST = 6  # pixels; characters that are lower cannot be told apart
NOTHING = "nothing to read on this page; is it blank, or out of focus?"


class Watcher(Protocol):
    """Receives the results of the steps of the reader."""

    def sheet(self, view: straighten.View) -> None: ...

    def ink(self, view: straighten.View) -> None: ...

    def parts(self, parts: list["Part"]) -> None: ...

    def of_sheet(self, number: int) -> "Watcher":
        """Of one of several sheets, from 1."""
        ...


def read(
    image: np.ndarray,
    models: Models,
    options: OcrOptions,
    constraint: Constraint | None = None,
    watcher: Watcher | None = None,
) -> Page:
    """Read a photo of a hand-printed page.

    Args:
        image: (H, W) or (H, W, 3) uint8, upright or not.
        models: the classifier and the other models.
        constraint: the texts that a line may be; None: the constraint of the options.
        watcher: receives the result of each step.

    Returns:
        the text, with its boxes in the photo's pixels.

    Raises:
        EmptyPageError: there is nothing to read on it.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise PageError(f"an image of {image.dtype} {image.shape}: give uint8 of shape (H, W) or (H, W, 3)")
    constraint = constraint or options.constraint
    sheets = options.mode == "page" and options.straighten
    views = straighten.prepare_sheets(image, options.work_pixels) if sheets else [straighten.prepare(image, options.work_pixels)]
    pages = []
    for number, view in enumerate(views, 1):
        own = watcher.of_sheet(number) if watcher and len(views) > 1 else watcher
        page = _read_view(view, image.shape[1], image.shape[0], models, options, constraint, own)
        pages += [page] if page.lines else []
    if not pages:
        raise EmptyPageError(NOTHING)
    return reject(join(pages), options.reject_below)


def _read_view(
    gray: straighten.View,
    width: int,
    height: int,
    models: Models,
    options: OcrOptions,
    constraint: Constraint | None,
    watcher: Watcher | None,
) -> Page:
    """Read what a view shows of a photo of this width and height; a page without lines if that is nothing."""
    whole = options.mode == "page"
    if watcher:
        watcher.sheet(gray)
    if whole:
        look, parts = _read_page(gray, models, options, constraint)
    else:
        look = _look(gray, models, options)
        parts = [Part(read_crop(look.flat.pixels > INK, models, options, constraint), look.flat, 0.0, [])]
    if watcher:
        watcher.ink(look.flat)
        if any(part.lattices or part.lines for part in parts) or not whole:
            watcher.parts(parts)
    regions = [
        [line_in_photo(line, part.view, width, height) for line in (drop_clutter(part.lines) if whole else part.lines)]
        for part in parts
    ]
    lines = in_order(regions)
    if whole and options.printed == "mark":
        ink, printed = (_as_it_lay(mask, look, gray) for mask in (look.ink.pixels > INK, look.ink.printed))
        lines = mark_print(lines, ink, printed, np.linalg.inv(gray.to_photo))
    return Page(width, height, rotation(parts[0].view), lines)


class Look(NamedTuple):
    """The ink of a view of the page, and the cells of its forms."""

    ink: Ink
    flat: straighten.View
    cells: Cells | None


def _look(view: straighten.View, models: Models, options: OcrOptions, squared: Squared | None = None) -> Look:
    words = models.lines.words if options.mode == "page" else None  # a crop is what it is said to be
    ink = find_ink(view.pixels, models.ink, options.printed, words, squared)

    def reading(part: np.ndarray, side: int) -> float:
        turned = straighten.orient(straighten.View(part, view.to_photo), side)
        level = straighten.rotate(turned, skews(turned.pixels)[-1])
        return _read_turned(find_components(level.pixels > INK), level, 0, None, models, options, None).score

    flat = straighten.View(drop_other_inks(ink.pixels, ink.gray, ink.cells, models.characters, reading), view.to_photo)
    if ink.cells is None:
        return Look(ink, flat, None)
    larger = np.diag([*np.divide(view.pixels.shape, ink.cells.labels.shape)[::-1], 1.0])
    return Look(ink, flat, ink.cells._replace(to_photo=view.to_photo @ larger))


def _read_page(
    gray: straighten.View, models: Models, options: OcrOptions, constraint: Constraint | None
) -> tuple[Look, list[Part]]:
    """Read a page with any side up; regions that lie otherwise than most of the page come last.

    The ink network has learnt from upright pages, and takes the foot of a turned L for a line, and the lines of a slanting form
    for writing: so a page that is not upright is looked at again when its side and its slope are known. A slope does not matter
    where a page without cells reads well.
    """
    look = _look(gray, models, options)

    def read_view(view: straighten.View, found: Components) -> Part:
        return _read_turned(found, view, 0, look.cells, models, options, constraint)

    if not options.straighten:
        return look, [read_view(look.flat, find_components(look.flat.pixels > INK))]
    readings = []  # all of the same ink: a look at a turned page finds other ink, with which scores cannot be compared
    for skew in _skews(look):
        level = straighten.rotate(look.flat, skew)
        as_it_lies = find_components(level.pixels > INK)
        inside = in_cells(look.cells, as_it_lies, level) if look.cells else None
        prior = prior_of(as_it_lies, inside)
        for side in sides_up(as_it_lies, models.characters, prior, inside):
            view = straighten.orient(level, side)
            found = find_components(view.pixels > INK) if side else as_it_lies
            part = read_view(view, found)
            readings.append((part.score + prior[side], side, skew, found, part))
            if _is_clear(part, options):
                break
    _, side, skew, found, part = max(readings, key=lambda reading: reading[0])
    slope = -skew if side in straighten.MIRROR_SIDES else skew

    def read_again(squared: Squared | None) -> tuple[Look, Components, Part]:
        view = straighten.orient(gray, side)
        if abs(slope) < SLIGHT:
            closer = _look(view, models, options, squared)
            view = straighten.rotate(closer.flat, slope)
        else:
            closer = _look(straighten.rotate(view, slope, int(np.median(view.pixels))), models, options, squared)
            view = closer.flat
        found = find_components(view.pixels > INK)
        return closer, found, _read_turned(found, view, 0, closer.cells, models, options, constraint)

    if side:
        look, found, part = read_again(None)
    elif abs(slope) >= SLIGHT and (look.cells is not None or not _is_clear(part, options)):
        look, found, part = max((look, found, part), read_again(None), key=_score)
    if look.ink.squared:
        look, found, part = max((look, found, part), read_again(look.ink.squared), key=_score)

    def reading(pieces: np.ndarray, degrees: float) -> Part:
        return _read_turned(only(found, pieces), part.view, degrees, look.cells, models, options, constraint)

    main, others = part_by_region(found, models.characters, reading)
    return look, [reading(main, 0), *others] if others else [part]


def _skews(look: Look) -> list[float]:
    """The rotations that may make the lines of text level; where there are cells, the one that makes these level."""
    possible = skews(look.flat.pixels)
    if look.cells is None:
        return possible
    level = slope_of(look.cells)
    return [min(possible, key=lambda skew: abs(skew - level))]


def _is_clear(part: Part, options: OcrOptions) -> bool:
    """Whether a page reads so well that no other look at it can be the right one."""
    return options.language_weight > 0 and part.score > LANGUAGE * sum(len(line.characters) for line in part.lines)


def _score(reading: tuple[Look, Components, Part]) -> float:
    return reading[2].score


def _read_turned(
    found: Components,
    view: straighten.View,
    degrees: float,
    cells: Cells | None,
    models: Models,
    options: OcrOptions,
    constraint: Constraint | None,
) -> Part:
    """Read the pieces of a view after a rotation, counter-clockwise; nothing if they are too low for characters."""
    if found.height < LOWEST:
        return Part([], view, -np.inf, [])
    others = (view.pixels > INK) & ~found.ink
    turned = straighten.rotate(straighten.View(np.where(others, 0, view.pixels), view.to_photo), degrees)
    found = find_components(turned.pixels > INK) if degrees else found
    rows, insertions = find_insertions(found, find_rows(found), models.characters)

    def reading(cell_rows: list[CellRow]) -> Part:
        own = found._replace(labels=found.labels.copy())  # reading marks its cuts in them, and the page may be read again
        lines, score, lattices = read_rows(own, rows, cell_rows, models, options, constraint)
        return Part(insert(lines, insertions), turned, score, lattices)

    cell_rows = find_cell_rows(cells, found, turned) if cells else []
    if not cell_rows:
        return reading([])
    by_cells, as_text = reading(cell_rows), reading([])
    return by_cells if by_cells.score + CELLS + centred(cell_rows, found) >= as_text.score else as_text


def _as_it_lay(mask: np.ndarray, look: Look, gray: straighten.View) -> np.ndarray:
    """A mask of the look's pixels, (H, W) bool, in the frame of the photo."""
    height, width = gray.pixels.shape
    to_look = np.linalg.inv(look.flat.to_photo) @ gray.to_photo
    return straighten.warp(straighten.View(np.uint8(255) * mask, look.flat.to_photo), to_look, (width, height)).pixels > INK


def rotation(view: straighten.View) -> float:
    """Degrees, counter-clockwise, that the photo was turned by to give the view; a mirrored one by where its top is."""
    down = view.to_photo @ [[0, 0], [0, 1], [1, 1]]
    dx, dy = down[:2, 1] / down[2, 1] - down[:2, 0] / down[2, 0]
    return float(np.rad2deg(np.arctan2(-dx, dy)))


def line_in_photo(line: Line, view: straighten.View, width: int, height: int) -> Line:
    """The line with its boxes in the photo."""

    def moved(c: Character) -> Character:
        return replace(c, box=straighten.to_photo_box(c.box, view.to_photo, width, height))

    return Line([replace(word, characters=[moved(c) for c in word.characters]) for word in line.words])
