"""What is known of a photo: that it shows one line, word or character, which characters, which texts, which words."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.common.errors import ConfigError, DataError, EmptyPageError
from pipeline.reading import read
from pipeline.reading.word_list import WordList, load_words
from tests.reading.conftest import set_text


@pytest.mark.parametrize(
    "text, known, wanted",
    [
        ("R00M 1O1", {"characters": "0123456789"}, None),  # letters that no digit looks like: nothing passes for one
        ("8A8", {"characters": "AB"}, "BAB"),
        ("A8O12", {"pattern": "[A-Z]{2}[0-9]{3}"}, "AB012"),
        ("AB\n12", {"pattern": "[A-Z]{2}|[0-9]{2}"}, "AB\n12"),
    ],
)
def test_only_what_is_allowed_is_considered(templates, options, text, known, wanted):
    page = read(set_text(text), templates, replace(options, **known))
    if wanted is None:
        assert set(page.text) <= set("0123456789 ")
    else:
        assert page.text == wanted


def test_what_can_be_nothing_that_is_allowed_is_empty(templates, options):
    with pytest.raises(EmptyPageError):
        read(set_text("HI"), templates, replace(options, pattern="[0-9]{12}"))


@pytest.mark.parametrize("mode, text, wanted", [("line", "TO DO", "TO DO"), ("word", "T ODO", "TODO"), ("character", "K", "K")])
def test_a_tight_crop_is_read_as_what_it_is_said_to_be(templates, options, mode, text, wanted):
    image = set_text(text)
    rows, columns = np.nonzero(image[:, :, 0] < 100)
    crop = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    page = read(crop, templates, replace(options, mode=mode))
    assert page.text == wanted and len(page.lines) == 1
    x0, y0, x1, y1 = page.lines[0].box
    assert x0 < 8 and y0 < 8 and x1 > crop.shape[1] - 8 and y1 > crop.shape[0] - 8


def test_one_character_has_its_alternatives_and_keeps_to_the_allowed(templates, options):
    image = set_text("O")
    (character,) = read(image, templates, replace(options, mode="character")).characters
    assert character.text == "O" and "Q" in [text for text, _ in character.alternatives]
    assert character.confidence + sum(p for _, p in character.alternatives) <= 1 + 1e-6
    assert read(image, templates, replace(options, mode="character", characters="0123456789")).text == "0"


def test_words_of_ones_own_are_likely(templates, language):
    listed = WordList(["Kxq7", "KXQZ"], language)
    start = listed.start()
    assert listed.read(start, "KXQ7")[0] > language.read(language.start(), "KXQ7")[0] + 3
    assert listed.read(start, "THE")[0] > language.read(language.start(), "THE")[0] - 1.5  # others are hardly less likely
    _, after = listed.read(start, "KXQ7 THE")
    assert after == listed.new_line(after)
    mass = sum(np.exp(listed.gain(start, c)) / 36 for c in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert mass <= 1 + 1e-6


@pytest.mark.parametrize("word", ["BROWNIES", "FOXES", "JUMPEDOVERTHEFENCES"])
def test_a_listed_word_takes_nothing_from_a_text_that_only_begins_like_it(templates, options, word):
    text = "QUICK BROWN FOX JUMPED OVER"
    listing = replace(templates, language=WordList([word], templates.language))
    assert read(set_text(text), listing, options).text == text


def test_what_a_list_lends_is_given_back_to_the_last_nat(language):
    listed = WordList(["ELECTROENCEPHALOGRAPHICALLY"], language)
    for text in ("ELECTROENCEPHALOGRAPH", "ELECTROENCEPHALOGRAPHICALLX"):
        assert listed.read(listed.start(), text)[0] > language.read(language.start(), text)[0] - 1.5


@pytest.mark.parametrize("content, said", [(None, "cannot be read"), (b"\xff", "cannot be read"), (b" \n", "holds no words")])
def test_what_is_no_list_of_words_is_named(tmp_path, content, said):
    if content is not None:
        (tmp_path / "words.txt").write_bytes(content)
    with pytest.raises(DataError, match=f"words.txt: {said}"):
        load_words(tmp_path / "words.txt")


@pytest.mark.parametrize(
    "known, said", [({"mode": "book"}, "mode: must be one of"), ({"pattern": "[A"}, "pattern: .* ends too early")]
)
def test_what_makes_no_sense_is_refused(options, known, said):
    with pytest.raises(ConfigError, match=said):
        replace(options, **known)
