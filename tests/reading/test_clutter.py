"""What is dropped because nothing is written there, and what is not."""

import warnings

from pipeline.reading.clutter import drop_clutter
from pipeline.reading.page import Character, Line, Word


def line(text: str, top: int, height: int = 40, confidence: float = 0.99) -> Line:
    words, x = [], 0
    for word in text.split():
        characters = []
        for character in word:
            high = height if character.isalnum() else height // 8
            characters.append(Character(character, (x, top, x + 25, top + high), confidence))
            x += 30
        words.append(Word(characters))
        x += 20
    return Line(words)


def kept(*lines: Line) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [line.text for line in drop_clutter(list(lines))]


def test_a_line_of_signs_stays():
    assert kept(line("12", 0), line("-", 60), line("7", 120)) == ["12", "-", "7"]
    assert kept(line(". . .", 0)) == [". . ."]
    assert kept(line("AB", 0), line("...", 60)) == ["AB", "..."]


def test_unlikely_characters_and_those_of_another_size_go():
    assert kept(line("HELLO", 0), line("X", 60, confidence=0.3), line("-", 90, confidence=0.3)) == ["HELLO"]
    assert kept(line("HELLO", 0), line("AB", 60, height=10)) == ["HELLO"]


def test_an_amount_far_to_the_right_stays_though_it_may_be_one_of_two_characters():
    def row(end: Character) -> Line:
        return Line([*line("BREAD", 0).words, Word([end])])

    place = (600, 0, 610, 40)
    assert kept(row(Character("1", place, 0.5, alternatives=(("I", 0.45),)))) == ["BREAD 1"]
    assert kept(row(Character("1", place, 0.3, alternatives=(("I", 0.2),)))) == ["BREAD"]
