"""Order: in which the regions of a page, and the sheets of a photo, are read."""

from dataclasses import replace

import numpy as np

from pipeline.reading.page import Line, Page, level_box


def in_order(regions: list[list[Line]]) -> list[Line]:
    """The lines of the page, the first of the regions, after those of regions that lie above it, before those of others."""
    top = min((line.box[1] for line in regions[0]), default=np.inf)
    ordered = sorted(regions, key=lambda lines: max((line.box[3] for line in lines), default=0) > top)
    return [line for lines in ordered for line in lines]


def join(pages: list[Page]) -> Page:
    """One page of the lines of several sheets of a photo: row by row of sheets, as the one with most characters lies.

    Args:
        pages: each with lines; at least one.
    """
    main = max(pages, key=lambda page: len(page.characters))
    boxes = [level_box(page.characters, main.rotation) for page in pages]
    rows: list[list[int]] = []
    for number in sorted(range(len(pages)), key=lambda number: boxes[number][1]):
        _, top, _, bottom = boxes[number]
        if rows and (top + bottom) / 2 < boxes[rows[-1][0]][3]:  # its middle is beside the first one of the row
            rows[-1].append(number)
        else:
            rows.append([number])
    ordered = [number for row in rows for number in sorted(row, key=lambda number: boxes[number][0])]
    return replace(main, lines=[line for number in ordered for line in pages[number].lines])
