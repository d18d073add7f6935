"""Lines with exact segmentation, and the texts that are written on them."""

from pathlib import Path

import numpy as np

from pipeline.characters import CLASSES
from pipeline.synthesis.lines import write_page
from pipeline.synthesis.stroke_library import load_library
from pipeline.synthesis.texts import random_page, text_of

ROOT = Path(__file__).parents[2]


def test_a_page_of_text_has_only_what_can_be_written_and_every_token_a_kind():
    kinds = set()
    for seed in range(40):
        for line in random_page(np.random.default_rng(seed), CLASSES + "."):
            assert set(text_of(line)) <= set(CLASSES + ". ") and all(token.text for token in line)
            kinds |= {token.kind for token in line}
    assert kinds == {"word", "number", "letters", "code"}


def test_every_pixel_of_ink_knows_its_character():
    library = load_library(ROOT / "data/strokes.npz")
    page = write_page(library, library.hands_of("valid")[0], CLASSES + ".", np.random.default_rng(5))
    text = [text_of(line) for line in page.lines]
    assert page.characters == "".join(text).replace(" ", "")
    assert page.word_start.sum() == sum(len(line.split()) for line in text)
    assert not page.owner[~page.ink].any() and set(np.unique(page.owner)) >= set(range(1, len(page.characters) + 1))
    rows = [np.nonzero(page.owner == index + 1)[0].mean() for index in range(len(page.characters))]
    assert page.line_of.max() == len(text) - 1
    if len(text) > 1:  # lines lie below one another
        assert np.corrcoef(rows, page.line_of)[0, 1] > 0.9


def test_a_hand_leaves_out_what_it_has_no_shape_for():
    library = load_library(ROOT / "data/strokes.npz")
    hand, missing = next(
        (hand, character) for hand in library.hands_of("valid") for character in "€*" if not library.find(hand, character)
    )
    pages = [write_page(library, hand, f"0123456789{missing}", np.random.default_rng(seed)) for seed in range(20)]
    assert not any(missing in page.characters for page in pages)
