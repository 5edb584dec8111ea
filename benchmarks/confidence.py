"""How often a bound with confidence is not true: certify(X, kmeans, confidence=...) again and again, of rows whose optimum is known.

    python benchmarks/confidence.py [--times N] [--confidence C]

The limit of the mean by itself, of numbers whose mean is known, looked at after each draw, as certify may; and whole calls, for rows in
one feature, whose optimum is known exactly. The exit code is 1 where a bound was wrong more often than its confidence allows, by more than four
standard deviations.
"""

import argparse
import sys
from fractions import Fraction

import numpy as np

from ckmeans import KMeans, certify, natural_breaks
from ckmeans.proofs import row_batches, source_certificate
from ckmeans.proofs.mean_limit import mean_limit

# Gaps of groups: what they are like, how one draws them, and their mean.
KINDS = {
    "alike": (lambda rng, n: rng.normal(0.03, 0.005, n).clip(0, 1), 0.03),
    "a tenth": (lambda rng, n: np.full(n, 0.1), 0.1),
    "seldom all": (lambda rng, n: rng.random(n) < 0.01, 0.01),
    "half and half": (lambda rng, n: rng.random(n) < 0.5, 0.5),
    "skewed": (lambda rng, n: rng.beta(0.2, 3.8, n), 0.05),
}
DRAWS = 200


def missed_limits(draw, mean, times, confidence, rng):
    """How often the least limit after 25, 50, ... draws is below the mean, and the median of it."""
    limits = []
    for _ in range(times):
        values = draw(rng, DRAWS).astype(float)
        limits.append(min(mean_limit(values[:n], confidence) for n in range(25, DRAWS + 1, 25)))
    return sum(limit < mean for limit in limits), float(np.median(limits))


def missed_bounds(times, confidence):
    """How often the bound of a whole call is above the optimum, or above the sum of the optima of the groups, which it estimates."""
    row_batches.LINE_DRAWN, source_certificate.MOST_DRAWN, missed, above_sum = (1, 32, 32), 256, 0, 0
    for seed in range(times):
        rng = np.random.default_rng(seed)
        X = rng.standard_t(3, size=(200, 1)) + 5 * rng.integers(3, size=(200, 1))
        best = natural_breaks(X[:, 0], 3)
        kmeans = KMeans(3, init=best.centers.reshape(-1, 1), n_init=1).fit(X)
        found = certify(
            X, kmeans, confidence=confidence, gap=1e-6, random_state=seed, n_threads=1, time_limit=None
        )
        batches = row_batches.batches_of(0, len(X), max(1, round(200 / 32)))
        optima = [natural_breaks(X[batches == at, 0], 3).inertia for at in range(max(batches) + 1)]
        missed += found.exact_lower_bound > Fraction(best.inertia)
        above_sum += found.lower_bound > sum(optima) * (1 + 1e-9)
    return missed, above_sum


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--confidence", type=float, default=0.95)
    options = parser.parse_args()
    allowed = options.times * (1 - options.confidence)
    allowed += 4 * np.sqrt(allowed)
    worst, rng = 0, np.random.default_rng(0)
    for name, (draw, mean) in KINDS.items():
        missed, median = missed_limits(draw, mean, options.times, options.confidence, rng)
        worst = max(worst, missed)
        print(f"{name}: mean {mean}, below it {missed} of {options.times} limits, their median {median:.4f}")
    missed, above_sum = missed_bounds(options.times, options.confidence)
    print(
        f"certify: {missed} of {options.times} bounds above the optimum, {above_sum} above that of all groups"
    )
    return int(max(worst, missed, above_sum) > allowed)


if __name__ == "__main__":
    sys.exit(main())
