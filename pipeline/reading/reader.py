"""Reader: from a photo to a page of text."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image

from pipeline.common.errors import EmptyPageError, PageError
from pipeline.reading import straighten
from pipeline.reading.blocks import NARROW, find_blocks, find_rows, only
from pipeline.reading.cells import CellRow, Cells, find_cell_rows, in_cells
from pipeline.reading.clutter import drop_clutter
from pipeline.reading.combs import read_rows
from pipeline.reading.constraint import Constraint
from pipeline.reading.crops import read_crop
from pipeline.reading.glyphs import Model
from pipeline.reading.ink import INK, Ink, Squared, find_ink
from pipeline.reading.inks import drop_other_inks
from pipeline.reading.lattice import Lattice
from pipeline.reading.layout import Components, find_components
from pipeline.reading.models import Models
from pipeline.reading.options import OcrOptions
from pipeline.reading.page import Character, Line, Page, reject
from pipeline.reading.printed import mark_print
from pipeline.reading.sides import own_side, prior_of, sides_up

LANGUAGE = -0.2  # score a character that only language reaches; codes have -0.4 and less, as do pages upside down
ANOTHER_SIDE = 8.0  # prior log-odds that a block has the same side up as its page
CELLS = 8.0  # prior log-odds that what stands in cells is read cell by cell: the squares of squared paper look like them
SLIGHT = 3.0  # degrees; lines with a smaller slope are followed as well as level ones
MANY = 40  # letters; so many do not lie on a slanting line by chance
LOWEST = 6  # pixels; characters that are lower cannot be told apart
NOTHING = "nothing to read on this page; is it blank, or out of focus?"


class Watcher(Protocol):
    """Receives the results of the steps of the reader."""

    def sheet(self, view: straighten.View) -> None: ...

    def ink(self, view: straighten.View) -> None: ...

    def parts(self, parts: list["Part"]) -> None: ...


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
    whole = options.mode == "page"
    gray = straighten.prepare(image, options.work_pixels, options.straighten and whole)
    if watcher:
        watcher.sheet(gray)
    if whole:
        look, parts = _read_page(gray, models, options, constraint)
    else:
        look = _look(gray, 0, models, "keep")
        parts = [Part(read_crop(look.flat.pixels > INK, models, options, constraint), look.flat, 0.0, [])]
    if watcher:
        watcher.ink(look.flat)
    if whole and not any(part.lattices or part.lines for part in parts):
        raise EmptyPageError(NOTHING)
    if watcher:
        watcher.parts(parts)
    lines = [part._replace(lines=drop_clutter(part.lines)) for part in parts] if whole else parts
    if not any(part.lines for part in lines):
        raise EmptyPageError(NOTHING)
    height, width = image.shape[:2]
    page = Page(
        width,
        height,
        rotation(parts[0].view),
        [line_in_photo(line, part.view, width, height) for part in lines for line in part.lines],
    )
    if whole and options.printed == "mark":
        page = mark_print(page, *(straighten.orient_back(mask, look.side) for mask in (look.ink.pixels > INK, look.ink.printed)))
    return reject(page, options.reject_below)


class Part(NamedTuple):
    """A reading of the pieces of a page that have the same side up, its place and its score."""

    lines: list[Line]
    view: straighten.View
    score: float
    lattices: list[Lattice]


class Look(NamedTuple):
    """The ink of a page with a side up, as `straighten.orient` numbers the sides, and the cells of its forms."""

    side: int
    ink: Ink
    flat: straighten.View
    cells: Cells | None


def _look(gray: straighten.View, side: int, models: Models, printed: str, squared: Squared | None = None) -> Look:
    view = straighten.orient(gray, side)
    ink = find_ink(view.pixels, models.ink, printed, models.lines.printed, squared)
    flat = straighten.View(drop_other_inks(ink.pixels, ink.gray, models.characters), view.to_photo)
    if ink.cells is None:
        return Look(side, ink, flat, None)
    larger = np.diag([*np.divide(view.pixels.shape, ink.cells.labels.shape)[::-1], 1.0])
    return Look(side, ink, flat, ink.cells._replace(to_photo=view.to_photo @ larger))


def _read_page(
    gray: straighten.View, models: Models, options: OcrOptions, constraint: Constraint | None
) -> tuple[Look, list[Part]]:
    """Read a page with any side up; blocks with another side up than most of the page come last.

    The ink network has learnt from upright pages, and takes the foot of a turned L for a line: so a page that is not upright
    is looked at again when its side is known.
    """
    look = _look(gray, 0, models, options.printed)

    def read_view(view: straighten.View, found: Components) -> Part:
        return _read_turned(found, view, 0, look.cells, models, options, constraint)

    if not options.straighten:
        return look, [read_view(look.flat, find_components(look.flat.pixels > INK))]
    readings = []  # all of the same ink: a look at a turned page finds other ink, with which scores cannot be compared
    for skew in skews(look.flat.pixels):
        level = straighten.rotate(look.flat, skew)
        as_it_lies = find_components(level.pixels > INK)
        prior = prior_of(as_it_lies)
        inside = in_cells(look.cells, as_it_lies, level) if look.cells else None
        for side in sides_up(as_it_lies, models.characters, prior, inside):
            view = straighten.orient(level, side)
            found = find_components(view.pixels > INK) if side else as_it_lies
            part = read_view(view, found)
            readings.append((part.score + prior[side], side, skew, found, part))
            if options.language_weight > 0 and part.score > LANGUAGE * sum(len(line.characters) for line in part.lines):
                break
    _, side, skew, found, part = max(readings, key=lambda reading: reading[0])

    def read_again(squared: Squared | None) -> tuple[Look, Components, Part]:
        closer = _look(gray, side, models, options.printed, squared)
        view = straighten.rotate(closer.flat, -skew if side in straighten.MIRROR_SIDES else skew)
        found = find_components(view.pixels > INK)
        return closer, found, _read_turned(found, view, 0, closer.cells, models, options, constraint)

    if side:
        look, found, part = read_again(None)
    if look.ink.squared:
        look, found, part = max((look, found, part), read_again(look.ink.squared), key=lambda reading: reading[2].score)

    def reading(pieces: np.ndarray, turns: int) -> Part:
        return _read_turned(only(found, pieces), part.view, turns, look.cells, models, options, constraint)

    main, others = part_by_side(found, models.characters, reading)
    return look, [reading(main, 0), *others] if others else [part]


def _read_turned(
    found: Components,
    view: straighten.View,
    turns: int,
    cells: Cells | None,
    models: Models,
    options: OcrOptions,
    constraint: Constraint | None,
) -> Part:
    """Read the pieces of a view after quarter turns, counter-clockwise; nothing if they are too low for characters."""
    if found.height < LOWEST:
        return Part([], view, -np.inf, [])
    kept = np.concatenate([[False], found.areas > 0])[found.labels]
    turned = straighten.rotate(straighten.View(kept, view.to_photo), 90 * turns)
    found = find_components(turned.pixels) if turns else found
    rows = find_rows(found)

    def reading(cell_rows: list[CellRow]) -> Part:
        own = found._replace(labels=found.labels.copy())  # reading marks its cuts in them, and the page may be read again
        lines, score, lattices = read_rows(own, rows, cell_rows, models, options, constraint)
        return Part(lines, turned, score, lattices)

    cell_rows = find_cell_rows(cells, found, turned) if cells else []
    if not cell_rows:
        return reading([])
    by_cells, as_text = reading(cell_rows), reading([])
    return by_cells if by_cells.score + CELLS >= as_text.score else as_text


def part_by_side(found: Components, model: Model, reading: Callable[[np.ndarray, int], Part]) -> tuple[np.ndarray, list[Part]]:
    """Separate the pieces that are upright, as most of the page, from blocks that read better with another side up.

    A note in the margin may be closer to the text than two columns are to each other: a narrow gap separates them if they read
    better apart.

    Returns:
        the pieces of the page, and the readings of the other blocks.
    """
    main, others = [], []
    blocks = find_blocks(found)
    for block in blocks:
        parts = find_blocks(only(found, block), NARROW)
        if len(blocks) == len(parts) == 1:
            return block, []  # its side is that of the page
        own = [own_side(found, part, model) for part in parts]
        turned = [reading(part, turns) for part, turns in zip(parts, own) if turns]
        if not turned:
            main.append(block)
            continue
        same = [part for part, turns in zip(parts, own) if not turns]
        apart = sum(part.score - ANOTHER_SIDE for part in turned) + sum(reading(part, 0).score for part in same)
        if apart > reading(block, 0).score:
            main += same
            others += turned
        else:
            main.append(block)
    return (np.concatenate(main), others) if main else (np.flatnonzero(found.areas > 0), [])


def skews(ink: np.ndarray) -> list[float]:
    """Rotations in degrees that may make the lines of text level or upright.

    A few letters may lie on a slanting line by chance: then 0 is returned too, and the better reading decides.
    """
    found = find_components(np.asarray(Image.fromarray(ink).reduce(2)) > INK)  # half of the pixels are enough
    if not found.areas.any():
        return [0.0]
    skew = straighten.estimate_skew(found.labels > 0, found.height)
    if abs(skew) < 0.3:
        return [0.0]
    letters = (np.maximum(found.heights, found.widths) > 0.5 * found.height) & (found.areas > 0)
    return [skew] if letters.sum() >= MANY or abs(skew) < SLIGHT else [0.0, skew]


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
