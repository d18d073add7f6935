"""Words above a line, whose place a caret shows."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pipeline.reading import Character, Line, Word, read
from pipeline.reading.insertions import Insertion, insert
from tests.reading.conftest import set_text


def page(text: str, carets: list[float], above: list[tuple[float, str]], lift: float = 0.0) -> np.ndarray:
    """A page whose second line has carets at x, `lift` pixels higher than usual, and small words above it that begin at x."""
    image = Image.fromarray(set_text(text, tracking=0.35, margin=80))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(40)
    top = ImageDraw.Draw(image).textbbox((0, 80 + 108), "H", font=ImageFont.load_default(60))
    for x in carets:
        foot = top[3] - lift
        draw.line([(x - 11, foot + 12), (x, foot - 16), (x + 11, foot + 12)], fill=(40, 40, 40), width=5)
    for start, word in above:
        x = start
        for letter in word:
            draw.text((x, top[1] - 46), letter, font=font, fill=(40, 40, 40))
            x += font.getlength(letter) + 12
    return np.asarray(image)


def test_a_word_above_a_caret_is_read_in_its_place(templates, options):
    text = "DO   OPEN IT\nAT NINE"
    image = page(f"TAKE TEN\n{text}", [250], [(230, "NOT")])
    assert read(image, templates, options).text == "TAKE TEN\nDO NOT OPEN IT\nAT NINE"


def test_each_of_two_words_goes_to_its_own_caret(templates, options):
    image = page("TAKE TEN\nDO   OPEN   DOOR\nAT NINE", [250, 590], [(230, "NOT"), (570, "THE")])
    assert read(image, templates, options).text == "TAKE TEN\nDO NOT OPEN THE DOOR\nAT NINE"


@pytest.mark.parametrize("carets, lift", [([], 0), ([250], 30)], ids=["none", "as high as a letter"])
def test_without_a_caret_at_the_foot_of_the_line_nothing_is_moved(templates, options, carets, lift):
    image = page("TAKE TEN\nDO   OPEN IT\nAT NINE", carets, [(230, "NOT")], lift)
    lines = read(image, templates, options).text.split("\n")
    assert lines[1] == "NOT" and len(lines) == 4


def test_a_caret_with_nothing_above_it_inserts_nothing(templates, options):
    image = page("TAKE TEN\nDO   OPEN IT\nAT NINE", [250], [])
    lines = read(image, templates, options).text.split("\n")
    assert lines[0] == "TAKE TEN" and len(lines) == 3


def test_a_word_that_a_caret_parts_does_not_keep_what_was_known_of_the_whole():
    def letters(text: str, x: float, top: float) -> list[Character]:
        return [Character(letter, (x + 30 * i, top, x + 30 * i + 20, top + 40), 0.9) for i, letter in enumerate(text)]

    target = Line([Word(letters("DOOPEN", 0, 100), 0.8, (("DOOREN", 0.2),))])
    source = Line([Word(letters("NOT", 40, 20), 0.7)])
    (line,) = insert([source, target], [Insertion(55.0, (0, 90, 200, 150), (30, 10, 150, 70))])
    assert line.text == "DO NOT OPEN" and [word.posterior for word in line.words] == [None, 0.7, None]
    assert not any(word.alternatives for word in line.words)
