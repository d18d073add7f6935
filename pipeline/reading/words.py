"""Words: the probability that a gap between neighbours separates words, from all gaps of the line and of the page.

Some people write letters close to each other and words far apart, others leave space around every letter, and in a row of single
letters all gaps separate words. So only the gaps themselves show which of them separate words: they are a mixture of two normal
distributions, fitted by expectation maximisation (Dempster 1977). Usual hand-print is the prior for the page, and the page is the
prior for its lines.
"""

from typing import NamedTuple

import numpy as np

LIMIT = 7.0  # largest log-odds
FARTHEST = 2.5  # letter heights; wider gaps are between columns or a missing letter, and count as this wide
FLOOR = 0.01  # least share of each group
ROUNDS = 15


class Gaps(NamedTuple):
    """Two groups of gaps, within and between words: means and standard deviations in letter heights, share of the second."""

    means: tuple[float, float]
    spreads: tuple[float, float]
    share: float


USUAL = Gaps((0.3, 1.3), (0.2, 0.4), 0.25)
ROWS = Gaps((0.3, 1.0), (0.2, 0.4), 0.97)  # a page of single letters
SPACED = Gaps((0.9, 2.2), (0.2, 0.4), 0.25)  # spaced letters, words further apart
ROWS_PENALTY, SPACED_PENALTY = 4.0, 18.0  # prior log-odds against these two
PAGE_TRUST, LINE_TRUST = 6.0, 15.0  # weight of the prior, in gaps


def fit_lines(lines: list[np.ndarray]) -> list[Gaps]:
    """The groups of the gaps of each line, (G,) in letter heights, with those of the page as the prior."""
    lines = [np.minimum(gaps, FARTHEST) for gaps in lines]
    page = fit_page(np.concatenate(lines) if lines else np.empty(0))
    return [fit(gaps, page, LINE_TRUST)[0] for gaps in lines]


def fit_page(gaps: np.ndarray) -> Gaps:
    """The groups of a page: of words, of single letters, or of spaced letters, whichever explain its gaps best."""
    priors = (USUAL, 0.0), (ROWS, ROWS_PENALTY), (SPACED, SPACED_PENALTY)
    fitted = [(*fit(gaps, prior, PAGE_TRUST), penalty) for prior, penalty in priors]
    return max(fitted, key=lambda entry: entry[1] - entry[2])[0]


def fit(gaps: np.ndarray, prior: Gaps, trust: float) -> tuple[Gaps, float]:
    """The most probable groups given the gaps and a prior with the weight of `trust` gaps, and their log-probability."""
    groups = prior
    pseudo = trust * np.array([1 - prior.share, prior.share])
    for _ in range(ROUNDS):
        belongs = _shares(gaps, groups)  # (2, n)
        weight = belongs.sum(1) + pseudo
        means = (belongs @ gaps + pseudo * prior.means) / weight
        squares = (belongs * (gaps - means[:, None]) ** 2).sum(1) + pseudo * _pseudo_squares(means, prior)
        share = float(np.clip(weight[1] / weight.sum(), FLOOR, 1 - FLOOR))
        groups = Gaps(tuple(means), tuple(np.sqrt(squares / weight)), share)
    spreads = np.array(groups.spreads)
    log_prior = pseudo @ (
        -0.5 * _pseudo_squares(np.array(groups.means), prior) / spreads**2
        - np.log(spreads)
        + np.log([1 - groups.share, groups.share])
    )
    return groups, float(log_prior + np.logaddexp(*_log_densities(gaps, groups)).sum())


def _pseudo_squares(means: np.ndarray, prior: Gaps) -> np.ndarray:
    """(2,) mean squared distance of the gaps of the prior from the means."""
    return np.square(prior.spreads) + (means - prior.means) ** 2


def _log_densities(gaps: np.ndarray, groups: Gaps) -> np.ndarray:
    """(2, n) logarithm of share times density, without the constant."""
    means, spreads = np.array(groups.means)[:, None], np.array(groups.spreads)[:, None]
    shares = np.array([[1 - groups.share], [groups.share]])
    return -0.5 * ((gaps - means) / spreads) ** 2 - np.log(spreads) + np.log(shares)


def _shares(gaps: np.ndarray, groups: Gaps) -> np.ndarray:
    """(2, n) probability that a gap belongs to each group."""
    between = 1 / (1 + np.exp(-_raw_log_odds(gaps, groups)))
    return np.stack([1 - between, between])


def _raw_log_odds(gaps: np.ndarray, groups: Gaps) -> np.ndarray:
    """log P(between words) - log P(within), constant beyond the two means, where normal distributions do not fit."""
    within, between = _log_densities(np.clip(gaps, *groups.means), groups)
    return between - within


def log_odds(gaps: np.ndarray, groups: Gaps) -> np.ndarray:
    """Log-odds that gaps, in letter heights, separate words."""
    return np.clip(_raw_log_odds(gaps, groups), -LIMIT, LIMIT)
