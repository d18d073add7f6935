"""Drawn pages: photos of forms and boards of many kinds, by hands and in typefaces that nothing was trained on, and their text.

They are the pages that people bring, drawn anew: what is printed is not wanted, what is written is.
"""

import string
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import yaml

from pipeline.common.pixels import CLUTTER, LINE, PRINTED, WRITTEN
from pipeline.synthesis import scene
from pipeline.synthesis.canvas import Canvas
from pipeline.synthesis.handwriting import Habits
from pipeline.synthesis.notes import cross_out
from pipeline.synthesis.sheet import Sheet, make_sheet
from pipeline.synthesis.stroke_library import load_library
from pipeline.synthesis.tokens import frequent_words

ROOT = Path(__file__).parents[1]
SIZE = 1100  # pixels; side of a photo
SEED = 1  # of the pages that are reported; the reader was looked at on others
LABELS = ("Name", "Address", "Phone", "Date of birth", "City", "Reference", "Room", "Remarks", "Country", "Course")
ITEMS = ("Apples", "Bread", "Milk (1 l)", "Cheese", "Tomatoes", "Butter", "Rice", "Tea")

Text = list[str]


def word(rng: np.random.Generator, longest: int = 8) -> str:
    """One of the three hundred most frequent English words, of three letters or more."""
    words = [text for text in frequent_words()[:300] if 3 <= len(text) <= longest]
    return str(rng.choice(words)).upper()


def number(rng: np.random.Generator, most: int) -> str:
    """A number of one to `most` digits."""
    return str(rng.integers(1, 10 ** int(rng.integers(1, most + 1))))


def labelled_lines(sheet: Sheet) -> Text:
    """Printed labels, each with a line to write on."""
    rng, h, text = sheet.rng, sheet.capital, Text()
    sheet.print("Registration", 1.5 * h, 2 * h, 0.9 * h)
    for row, label in enumerate(rng.choice(LABELS, 5, replace=False)):
        y = (5 + 2.6 * row) * h
        start = sheet.print(f"{label}:", 1.5 * h, y, 0.6 * h) + 0.5 * h
        answer = number(rng, 7) if label in ("Phone", "Reference", "Room") else word(rng)
        sheet.write(answer, start + 0.4 * h, y - 0.1 * h)
        sheet.rule([(start, y + 0.1 * h), (0.95 * SIZE, y + 0.1 * h)], 2.0)
        text.append(answer)
    return text


def table(sheet: Sheet) -> Text:
    """A table with printed headings and items, and numbers written into its cells."""
    rng, h, text = sheet.rng, sheet.capital, Text()
    columns, row_height = np.cumsum([0.8, 5.0, 3.3, 3.3, 3.3]) * h, 1.9 * h
    for x, heading in zip(columns, ("Item", "Quantity", "Price", "Total")):
        sheet.print(heading, x + 0.3 * h, 2.9 * h, 0.6 * h)
    for row, item in enumerate(rng.choice(ITEMS, 6, replace=False), 1):
        y = 3 * h + row * row_height
        sheet.print(item, columns[0] + 0.3 * h, y, 0.6 * h)
        numbers = [number(rng, 3) if rng.random() < 0.8 else "" for _ in range(3)]
        for x, amount in zip(columns[1:], numbers):
            if amount:
                sheet.write(amount, x + rng.uniform(0.2, 0.5) * h, y, 0.75 * h)
        text += [" ".join(filter(None, numbers))] if any(numbers) else []
    low = 1.6 * h + 7 * row_height
    for row in range(8):
        sheet.rule([(columns[0], 1.6 * h + row * row_height), (columns[-1], 1.6 * h + row * row_height)], 2.0)
    for x in columns:
        sheet.rule([(x, 1.6 * h), (x, low)], 2.0)
    return text


def combs(sheet: Sheet) -> Text:
    """Printed labels, each before a row of boxes for one character each."""
    rng, h, text = sheet.rng, sheet.capital, Text()
    wide, tall = 1.25 * h, 1.5 * h
    for row, label in enumerate(rng.choice(LABELS, 5, replace=False)):
        y = (3 + 2.4 * row) * h
        answer = number(rng, 7) if label in ("Phone", "Reference", "Room") else word(rng)
        sheet.print(str(label), 0.8 * h, y, 0.55 * h)
        left, count = 5.5 * h, len(answer) + int(rng.integers(0, 3))
        for cell in range(count):
            sheet.box(left + cell * wide, y - 1.2 * h, wide, tall, 2.0)
        _into_cells(sheet, answer, left, wide, y)
        text.append(answer)
    return text


def numbered_boxes(sheet: Sheet) -> Text:
    """Printed numbers, each before two boxes with a digit, several in a row."""
    rng, h, text = sheet.rng, sheet.capital, Text()
    wide = 1.3 * h
    for row in range(4):
        y, answers = (3 + 3 * row) * h, []
        for column in range(3):
            x = (1 + 5.2 * column) * h
            sheet.print(f"{3 * row + column + 1}.", x, y, 0.6 * h)
            answers.append(str(rng.integers(10, 100)))
            for cell in range(2):
                sheet.box(x + 1.6 * h + cell * (wide + 0.15 * h), y - 1.15 * h, wide, 1.35 * h, 1.5)
            _into_cells(sheet, answers[-1], x + 1.6 * h, wide + 0.15 * h, y)
        text.append(" ".join(answers))
    return text


def sudoku(sheet: Sheet) -> Text:
    """A solved sudoku: some of its digits are printed and belong to the text as well."""
    rng, h = sheet.rng, sheet.capital
    side, left, top = 1.65 * h, 1.1 * h, 1.1 * h
    digits = rng.permutation(list(string.digits[1:]))
    text = ["".join(digits[(3 * (row % 3) + row // 3 + column) % 9] for column in range(9)) for row in range(9)]
    for row, line in enumerate(text):
        for column, digit in enumerate(line):
            x, y = left + (column + 0.3) * side, top + (row + 0.8) * side
            sheet.print(digit, x, y, h) if rng.random() < 0.35 else _into_cells(sheet, digit, left + column * side, side, y)
    for line in range(10):
        at, pen = line * side, 4.0 if line % 3 == 0 else 1.5
        sheet.rule([(left, top + at), (left + 9 * side, top + at)], pen)
        sheet.rule([(left + at, top), (left + at, top + 9 * side)], pen)
    return text


def crossed_out(sheet: Sheet) -> Text:
    """Lines of words, some of which are crossed out."""
    rng, h, text = sheet.rng, sheet.capital, Text()
    for row in range(5):
        x, kept = 0.8 * h, Text()
        for _ in range(3):
            start, before, written, y = x, len(sheet.written), word(rng, 5), (2.5 + 2.4 * row) * h
            x = sheet.write(written, x, y)
            if rng.random() < 0.25:
                cross_out(sheet, before, start, x, y)
            else:
                kept.append(written)
            x += 0.8 * h
        text += [" ".join(kept)] if kept else []
    return text


def lettered_drawing(sheet: Sheet) -> Text:
    """A drawing with arrows to it from three words."""
    rng, h, text = sheet.rng, sheet.capital, Text()
    middle = np.array([8.0, 7.5]) * h
    sheet.draw_ellipse(*middle, *(rng.uniform(2, 3, 2) * h))
    for at in np.array([(1.5, 2.5), (6.5, 13.5), (10.0, 2.0)]) * h:
        text.append(word(rng, 7))
        end = sheet.write(text[-1], *at)
        tail = np.array([(at[0] + end) / 2, at[1] + (0.4 if at[1] < middle[1] else -1.5) * h])
        along = (middle - tail) / np.hypot(*(middle - tail))
        head, across = tail + along * rng.uniform(1.2, 2) * h, along[::-1] * (-1, 1)
        sheet.draw(np.array([tail, head]))
        sheet.draw(np.array([head - 0.4 * h * (along + 0.6 * across), head, head - 0.4 * h * (along - 0.6 * across)]))
    return [f"{text[0]} {text[2]}", text[1]]


def _into_cells(sheet: Sheet, text: str, left: float, wide: float, y: float) -> None:
    """Write each character into a cell of its own, not quite in its middle."""
    rng, h = sheet.rng, sheet.capital
    for cell, character in enumerate(text):
        sheet.write(
            character,
            left + cell * wide + 0.5 * (wide - 0.6 * h) + rng.normal(0, 0.07) * h,
            y + rng.normal(0, 0.05) * h,
            0.85 * h,
        )


DRAWN: dict[str, tuple[Callable[[Sheet], Text], float]] = {
    "labels before lines": (labelled_lines, 0.9),
    "a table": (table, 0.74),
    "labels before combs": (combs, 0.95),
    "numbered boxes": (numbered_boxes, 0.75),
    "sudokus": (sudoku, 0.95),
    "words crossed out": (crossed_out, 0.88),
    "a drawing with words and arrows": (lettered_drawing, 0.92),
}
"""What a sheet shows, and the least accuracy of the characters on such pages."""


def draw_pages(contents: Callable[[Sheet], Text], count: int) -> list[tuple[np.ndarray, str]]:
    """Photos, (SIZE, SIZE, 3) uint8, and what is written on them."""
    library = load_library(ROOT / "data/strokes.npz")
    usual = yaml.safe_load((ROOT / "conf/pages/rendered.yaml").read_text())
    pages = []
    for page in range(count):
        rng = np.random.default_rng([SEED, page, *contents.__name__.encode()])
        capital = SIZE / 17
        sheet = make_sheet(library, "test", SIZE, capital, capital * rng.uniform(0.05, 0.12), rng, capitals=True)
        habits = {field.name: usual[field.name] for field in fields(Habits)} | {"slant": rng.normal(0, usual["slant"])}
        sheet.hand = replace(sheet.hand, habits=Habits(**habits))
        text = contents(sheet)
        pages.append((_photograph(sheet, rng), "\n".join(text)))
    return pages


def _photograph(sheet: Sheet, rng: np.random.Generator) -> np.ndarray:
    canvas = Canvas(SIZE, scene.make_camera(SIZE, SIZE, rng.uniform(-5, 5), 0.03, True, rng), float(rng.uniform(0.75, 0.97)))
    for width, strokes in sheet.rules.items():
        canvas.draw(strokes, width, LINE, float(rng.uniform(0.4, 0.95)), 0.0, 0.0, rng)
    canvas.print(sheet.printed, PRINTED, float(rng.uniform(0.6, 0.95)))
    ink = float(rng.uniform(0.5, 0.95))
    for kind, strokes in ((LINE, sheet.drawn), (CLUTTER, sheet.crossed), (WRITTEN, sheet.written)):
        canvas.draw(strokes, sheet.pen, kind, ink, 0.1, 0.12, rng)
    light = scene.light((SIZE, SIZE), 0.4 * rng.random(), 0.4 * rng.random(), 0.2 * rng.random(), 0.0, rng)
    colours = np.repeat((canvas.picture * light)[..., None], 3, axis=2)
    return scene.expose(colours, rng.uniform(0.55, 0.85), rng.normal(0, 0.04), rng.random(), 6 * rng.random(), rng)
