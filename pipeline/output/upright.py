"""Upright: a page and its photo after the quarter turns that make its lines most nearly level."""

from dataclasses import replace

import numpy as np

from pipeline.reading.page import Box, Character, Page


def turn_upright(page: Page, image: np.ndarray) -> tuple[Page, np.ndarray]:
    """The photo, (H, W, 3) uint8, and its page, turned so that a rotation of at most 45 degrees is left."""
    turns = round(page.rotation / 90) % 4
    for _ in range(turns):
        page = _quarter_turn(page)
    return page, np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _quarter_turn(page: Page) -> Page:
    """The page after one quarter turn, counter-clockwise: what was to the right is now at the top."""

    def turned(box: Box) -> Box:
        x0, y0, x1, y1 = box
        return y0, page.width - x1, y1, page.width - x0

    def character(c: Character) -> Character:
        return replace(c, box=turned(c.box))

    lines = [
        replace(line, words=[replace(word, characters=[character(c) for c in word.characters]) for word in line.words])
        for line in page.lines
    ]
    rotation = (page.rotation - 90 + 180) % 360 - 180
    return Page(page.height, page.width, rotation, lines)
