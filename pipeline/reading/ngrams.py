"""N-grams: the probability of a symbol after the symbols before it, smoothed by Witten & Bell (Chen & Goodman 1999, 2.5)."""

from collections import Counter
from collections.abc import Iterable

import numpy as np


class NGrams:
    """Interpolated n-grams over single characters.

    Attributes:
        counts: n-gram, a context and the symbol after it -> how often it occurred.
        order: longest n-gram.
        symbols: number of possible symbols.
    """

    def __init__(self, counts: dict[str, int], order: int, symbols: int) -> None:
        self.counts, self.order, self.symbols = counts, order, symbols
        self._total: Counter[str] = Counter()
        self._kinds: Counter[str] = Counter()
        for ngram, count in counts.items():
            self._total[ngram[:-1]] += count
            self._kinds[ngram[:-1]] += 1

    def probability(self, context: str, symbol: str) -> float:
        """P(symbol | context): (N(h c) + T(h) P(c | h')) / (N(h) + T(h)), T(h) the number of different symbols after h."""
        context = context[max(0, len(context) - self.order + 1) :]
        likely = 1 / self.symbols
        for start in range(len(context), -1, -1):
            h = context[start:]
            total = self._total[h]
            if not total:
                break
            likely = (self.counts.get(h + symbol, 0) + self._kinds[h] * likely) / (total + self._kinds[h])
        return likely

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """(N,) sorted n-grams and (N,) int32 counts; `NGrams(dict(zip(...)), order, symbols)` is the inverse."""
        ngrams = sorted(self.counts)
        return np.array(ngrams), np.array([self.counts[ngram] for ngram in ngrams], np.int32)


def count_ngrams(texts: Iterable[str], order: int) -> dict[str, int]:
    """Count all n-grams up to `order` in the texts; the first symbol of a text, which marks its beginning, is only a context."""
    counts: Counter[str] = Counter()
    for text in texts:
        for end in range(2, len(text) + 1):
            for start in range(max(0, end - order), end):
                counts[text[start:end]] += 1
    return dict(counts)
