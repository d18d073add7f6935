"""Contents: the kinds of things that a sheet may hold. Each is a function that fills an empty `Sheet`."""

from collections.abc import Callable

import numpy as np

from pipeline.synthesis.diagrams import diagram
from pipeline.synthesis.lettering import make_text
from pipeline.synthesis.notes import notes
from pipeline.synthesis.printed_forms import form
from pipeline.synthesis.sheet import Sheet
from pipeline.synthesis.tables import table


def printed_page(sheet: Sheet) -> None:
    """Fill a sheet with printed text; some get a rule or notes written on them."""
    rng, size = sheet.rng, sheet.size
    capital = float(np.exp(rng.uniform(np.log(7), np.log(70))))
    pitch = capital * rng.uniform(1.5, 2.2)
    left = rng.uniform(-0.5, 0.3) * size
    for y in np.arange(rng.uniform(0, 1) * pitch, size + capital, pitch):
        if rng.random() < 0.1:
            continue
        case = str(rng.choice(["lower", "lower", "mixed", "upper"]))
        sheet.print(make_text(rng, case, max(1, int(1.6 * size / (5 * capital)))), left, y, capital)
    if rng.random() < 0.3:
        y = rng.uniform(0, size)
        sheet.rule([(-0.2 * size, y), (1.2 * size, y)], float(rng.choice([1.0, 2.0, 4.0, 8.0, 16.0])))
    for _ in range(int(rng.integers(0, 3))):
        sheet.write(
            make_text(rng, sheet.hand.case, int(rng.integers(1, 4))), rng.uniform(-0.2, 0.7) * size, rng.uniform(0, 1.1) * size
        )


def one_line(sheet: Sheet) -> None:
    """Write one or two words, which fill the picture where the capitals are high."""
    rng, size = sheet.rng, sheet.size
    text = make_text(rng, sheet.hand.case, int(rng.integers(1, 3)))
    sheet.write(text, rng.uniform(-0.3, 0.3) * size, rng.uniform(0.4, 0.8) * size)


Contents = Callable[[Sheet], None]

CONTENTS: dict[Contents, float] = {
    notes: 0.43,
    form: 0.22,
    table: 0.12,
    printed_page: 0.06,
    one_line: 0.08,
    diagram: 0.09,
}
"""What a sheet may hold -> the share of sheets that hold it."""
