"""Build `data/language.npz`, the table behind `pipeline.reading.language`, from the word frequencies of wordfreq.

    pip install wordfreq && python scripts/build_language.py

The model is a character n-gram with interpolated Witten-Bell smoothing (Chen & Goodman 1999) over English words as they are
printed in capitals, each between two word ends. It is stored as two sorted arrays: the key of a context followed by a
character, in base 37, and the log-probability in 1/24 nat.
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from wordfreq import iter_wordlist, word_frequency

sys.path.insert(0, str(Path(__file__).parents[1]))
from pipeline.common.files import replacing  # noqa: E402
from pipeline.reading.language import ALPHABET, END, SCALE, encode  # noqa: E402


def words(count: int) -> dict[str, float]:
    """The `count` most frequent words made of A-Z alone (apostrophes dropped), upper case -> weight."""
    found: dict[str, float] = defaultdict(float)
    for word in iter_wordlist("en", "large"):
        printed = word.replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "").upper()
        if re.fullmatch("[A-Z]+", printed):
            if len(printed) == 1 and printed not in "AI":
                continue  # wordfreq counts every letter as a word; alone they are codes, not English
            found[printed] += word_frequency(word, "en")
            if len(found) >= count:
                break
    return found


def count_ngrams(weights: dict[str, float], order: int, power: float) -> list[dict[str, dict[str, float]]]:
    """Counts[k][context of k characters][next character]. Frequencies are flattened by `power`, or "THE" rules all."""
    counts: list[dict[str, dict[str, float]]] = [defaultdict(lambda: defaultdict(float)) for _ in range(order)]
    smallest = min(weights.values())
    for word, weight in weights.items():
        text = END + word + END
        mass = (weight / smallest) ** power
        for i in range(1, len(text)):
            for k in range(min(order, i + 1)):
                counts[k][text[i - k : i]][text[i]] += mass
    return counts


def smooth(counts: list[dict[str, dict[str, float]]], threshold: float) -> dict[str, float]:
    """Witten-Bell: P(c | h) = (N(h c) + T(h) P(c | h')) / (N(h) + T(h)), T(h) the number of kinds seen after h.

    A missing n-gram falls back on the shorter context, scaled by the back-off weight of h, which is stored under the key
    h + "?". Contexts seen less than `threshold` are left to their shorter ones.
    """
    table: dict[str, float] = {}
    uniform = 1 / len(ALPHABET)

    def probability(context: str, character: str) -> float:
        if not context and ("", character) not in table:
            return uniform
        found = table.get((context, character))
        if found is not None:
            return found
        shorter = probability(context[1:], character) if context else uniform
        return table.get((context, "?"), 1.0) * shorter

    for level in counts:
        for context, following in sorted(level.items()):
            kinds, total = len(following), sum(following.values())
            if total < threshold and context:
                continue
            table[context, "?"] = kinds / (kinds + total)
            for character, mass in following.items():
                shorter = probability(context[1:], character) if context else uniform
                table[context, character] = (mass + kinds * shorter) / (kinds + total)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=int, default=60_000)
    parser.add_argument("--order", type=int, default=8)
    parser.add_argument("--power", type=float, default=0.6)
    parser.add_argument("--threshold", type=float, default=6.0, help="contexts seen less than this are left out")
    parser.add_argument("--output", type=Path, default=Path("data/language.npz"))
    options = parser.parse_args()
    table = smooth(count_ngrams(words(options.words), options.order, options.power), options.threshold)
    keys = np.array([encode(context + character) for context, character in table], np.uint64)
    costs = np.clip(np.round(-np.log(np.array(list(table.values()))) * SCALE), 0, 255).astype(np.uint8)
    order = np.argsort(keys)
    with replacing(options.output) as temporary:
        with open(temporary, "wb") as file:
            np.savez_compressed(file, keys=keys[order], costs=costs[order], order=np.array(options.order))
    print(f"{options.output}: {len(keys):,} n-grams, {options.output.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
