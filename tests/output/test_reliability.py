"""What a page's confidences are worth."""

import numpy as np
import pytest

from pipeline.output.reliability import accuracy_coverage, calibration_error, character_outcomes, join, word_outcomes


def record(*words):
    """A page of one line of words (text, confidence), whose characters have the same confidence."""
    return {
        "lines": [
            {
                "words": [
                    {"text": text, "confidence": sure, "characters": [{"text": c, "confidence": sure} for c in text]}
                    for text, sure in words
                ]
            }
        ]
    }


def test_right_is_what_was_written_wherever_it_stands():
    page = record(("SEND", 0.9), ("HE1P", 0.6), ("NOW", 0.8))
    words, characters = word_outcomes(page, "send\nhelp now"), character_outcomes(page, "send\nhelp now")
    assert words.right.tolist() == [True, False, True] and words.confidence.tolist() == [0.9, 0.6, 0.8]
    assert len(characters.right) == 11 and characters.right.sum() == 10 and not characters.right[6]


def test_the_calibration_error_is_the_mean_gap_of_confidence_and_accuracy():
    page = record(*[("A", 0.75)] * 3, ("B", 0.75), *[("C", 0.99)] * 4)
    assert calibration_error(word_outcomes(page, "A A A X C C C C")) == pytest.approx(0.5 * 0.0 + 0.5 * 0.01)
    assert calibration_error(word_outcomes(page, "X")) == pytest.approx(0.5 * 0.75 + 0.5 * 0.99)
    both = join([word_outcomes(page, "A A A X C C C C"), word_outcomes(page, "X")])
    assert len(both.right) == 16 and calibration_error(both) == pytest.approx(0.5 * 0.375 + 0.5 * 0.49)


def test_leaving_out_the_least_certain_leaves_the_right_ones():
    coverage, accuracy, threshold = accuracy_coverage(word_outcomes(record(("A", 0.4), ("B", 0.9)), "B"))
    assert np.allclose(coverage, [0.5, 1.0]) and np.allclose(accuracy, [1.0, 0.5]) and np.allclose(threshold, [0.9, 0.4])
