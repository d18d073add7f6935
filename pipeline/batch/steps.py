"""Steps: pictures of the steps from photo to text, in the folder `ocr.debug=FOLDER`."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.common.files import replacing
from pipeline.common.pixels import CLUTTER, LINE, PAPER, PRINTED, WRITTEN
from pipeline.nn.unet import UNet
from pipeline.output.annotation import BAND, explain, explanation_width
from pipeline.reading.lattice import Lattice
from pipeline.reading.regions import Part
from pipeline.reading.straighten import View
from pipeline.seeing.ink import INK
from pipeline.seeing.looks import look_closely
from pipeline.seeing.polarity import darken_ink

COLOURS = {PAPER: (255, 255, 255), WRITTEN: (20, 40, 140), PRINTED: (30, 140, 60), LINE: (240, 160, 40), CLUTTER: (200, 60, 60)}
CYCLE = ((40, 110, 220), (220, 120, 20), (60, 150, 70), (150, 70, 180), (190, 50, 60))  # of lines and of pieces, in turn
CHOSEN, TEXT = (220, 120, 20), (20, 20, 20)
LINE_HEIGHT, BAR = 72, 20  # pixels; height of a line in the picture of its candidates, and of each row of candidates
WIDEST = 1600  # pixels; of such a picture
UNLIKELY = 0.05  # probability; candidates that are less likely a character are left out of the picture


class StepPictures:
    """Writes a picture of each step of reading one page.

    Args:
        folder: for the pictures, numbered in the order of the steps.
        network: that tells what a pixel shows; None: thresholds are used.
        characters: of the line model, in its order.
    """

    def __init__(self, folder: Path, network: UNet | None, characters: str) -> None:
        self.folder, self.network, self.characters = folder, network, characters

    def sheet(self, view: View) -> None:
        """The sheet of paper in the photo, its perspective undone; (H, W) uint8."""
        self._save("1_sheet", Image.fromarray(view.pixels))
        if self.network is not None:
            self._save("2_pixels", draw_kinds(view.pixels, self.network))

    def ink(self, view: View) -> None:
        """The ink that is read: (H, W) uint8, bright on 0."""
        self._save("3_ink", Image.fromarray(255 - view.pixels))

    def parts(self, parts: list[Part]) -> None:
        """The pieces, lines and candidates of each part of the page that has the same side up."""
        for number, part in enumerate(parts, start=1):
            of = f"_part{number}" if len(parts) > 1 else ""
            self._save(f"4_lines{of}", draw_lines(part))
            self._save(f"5_pieces{of}", draw_pieces(part))
            read = {character.box: character.text for line in part.lines for character in line.characters}
            for row, lattice in enumerate(part.lattices, start=1):
                self._save(f"6_candidates{of}_line{row:02d}", draw_candidates(lattice, part.view, read, self.characters))

    def of_sheet(self, number: int) -> "StepPictures":
        """For one of several sheets of the photo, in a folder of its own."""
        return StepPictures(self.folder / f"sheet{number}", self.network, self.characters)

    def _save(self, name: str, picture: Image.Image) -> None:
        with replacing(self.folder / f"{name}.png") as temporary:
            picture.save(temporary)


def draw_kinds(gray: np.ndarray, network: UNet) -> Image.Image:
    """The most probable kind of each pixel, in its colour."""
    kinds = look_closely(darken_ink(gray), network).argmax(axis=0)
    colours = np.array([COLOURS[kind] for kind in sorted(COLOURS)], np.uint8)
    words = [("writing", COLOURS[WRITTEN]), ("print", COLOURS[PRINTED]), ("ruling", COLOURS[LINE]), ("clutter", COLOURS[CLUTTER])]
    return _explained(Image.fromarray(colours[kinds]), words)


def draw_lines(part: Part) -> Image.Image:
    """The ink of each line in a colour; grey ink is outside of all lines."""
    pixels = np.array(_faint(part.view))
    for row, lattice in enumerate(part.lattices):
        for x0, y0, x1, y1 in (atom.box for atom in lattice.atoms):
            pixels[y0:y1, x0:x1][part.view.pixels[y0:y1, x0:x1] > INK] = CYCLE[row % len(CYCLE)]
    return _explained(Image.fromarray(pixels), [("one colour: one line of text", TEXT)])


def draw_pieces(part: Part) -> Image.Image:
    """The atoms that letters are made of, each in its box; a piece that was cut has several."""
    picture = _faint(part.view)
    draw = ImageDraw.Draw(picture)
    for lattice in part.lattices:
        for number, atom in enumerate(lattice.atoms):
            x0, y0, x1, y1 = atom.box
            draw.rectangle((x0 - 1, y0 - 1, x1, y1), outline=CYCLE[number % 2])
            if atom.crossed is not None:
                draw.line((x0, y0 - 4, x0, y1 + 4), fill=CYCLE[4], width=2)
    return _explained(picture, [("pieces", CYCLE[0]), ("and their neighbours", CYCLE[1]), ("cuts", CYCLE[4])])


def draw_candidates(lattice: Lattice, view: View, read: Mapping[tuple, str], characters: str) -> Image.Image:
    """The line, and below it a bar for each candidate, with its most probable character.

    Args:
        read: the characters that were read, by their boxes.
        characters: that the labels of the lattice are indices of.
    """
    boxes = np.array([candidate.box for candidate in lattice.candidates])
    (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
    scale = min(LINE_HEIGHT / (y1 - y0), WIDEST / (x1 - x0))
    size = max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale))
    line = Image.fromarray(255 - _bytes(view)).crop((x0, y0, x1, y1)).resize(size, Image.Resampling.BILINEAR)
    likely = np.exp(lattice.shape.max(axis=1))
    bars = [
        (round((c.box[0] - x0) * scale), round((c.box[2] - x0) * scale), read.get(c.box, characters[label]), p, c.box in read)
        for c, label, p in zip(lattice.candidates, lattice.shape.argmax(axis=1), likely.tolist())
        if p >= UNLIKELY or c.box in read
    ]
    rows = _packed([(start, end) for start, end, *_ in bars])
    picture = Image.new("RGB", (size[0], size[1] + 8 + BAR * (max(rows, default=0) + 1)), "white")
    picture.paste(line.convert("RGB"))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    for row, (start, end, character, probability, chosen) in zip(rows, bars):
        top, shade = size[1] + 6 + BAR * row, round(255 - 120 * probability)
        frame = (start, top, max(end - 1, start + 2), top + BAR - 4)
        draw.rectangle(frame, fill=(shade, shade, 255), outline=CHOSEN if chosen else None, width=2)
        draw.text(((start + end) / 2, top + BAR / 2 - 2), character, font=font, fill=TEXT, anchor="mm")
    words = [("a bar: pieces as one character", TEXT), ("darker: more probable", (90, 90, 220)), ("framed: read so", CHOSEN)]
    return _explained(picture, words)


def _packed(spans: list[tuple[int, int]]) -> list[int]:
    """The row of each span (start, end): the first in which it overlaps none before it."""
    ends: list[list[tuple[int, int]]] = []
    rows = []
    for start, end in spans:
        free = next((row for row, taken in enumerate(ends) if all(end < a or start > b for a, b in taken)), len(ends))
        if free == len(ends):
            ends.append([])
        ends[free].append((start, end))
        rows.append(free)
    return rows


def _bytes(view: View) -> np.ndarray:
    return view.pixels.astype(np.uint8) * 255 if view.pixels.dtype == bool else view.pixels


def _faint(view: View) -> Image.Image:
    """The ink in grey on white, to be drawn upon."""
    return Image.fromarray((255 - 0.4 * _bytes(view)).astype(np.uint8)).convert("RGB")


def _explained(picture: Image.Image, words: list[tuple[str, tuple[int, int, int]]]) -> Image.Image:
    """The picture with an explanation of its colours below it."""
    wide = max(picture.width, round(explanation_width(words)))
    below = Image.new("RGB", (wide, picture.height + BAND), "white")
    below.paste(picture)
    explain(ImageDraw.Draw(below), 0, picture.height, words)
    return below
