"""
How do I class values for a map or a scale?
===========================================

A choropleth map has five colors, and the districts have a thousand different values.
Where to cut? Equal intervals leave classes empty when the values are skewed, quantiles
tear similar values apart. *Natural breaks* (Jenks) cut where the values within a class
differ least: k-means in one feature. There, and only there, the optimum can be computed
at any size.
"""

import numpy as np

from ckmeans import natural_breaks

rng = np.random.default_rng(5)
towns = [
    rng.lognormal(mean, spread, n)
    for mean, spread, n in [(7.2, 0.5, 700), (9.6, 0.35, 220), (11.8, 0.3, 60)]
]
values = np.log10(np.concatenate(towns))  # populations of a thousand places

best = natural_breaks(values, 5)
print("breaks:", (10**best.breaks).round(-2).astype(int))
print("status:", best.status)

# %%
# The goodness of variance fit is the share of the variance that the classes explain. No
# five classes have a higher one:

ways = {
    "equal intervals": np.linspace(values.min(), values.max(), 6),
    "quantiles": np.quantile(values, np.linspace(0, 1, 6)),
    "natural breaks": best.breaks,
}


def fit_of(breaks):
    labels = np.searchsorted(breaks[1:-1], values)
    within = sum(
        ((values[labels == k] - values[labels == k].mean()) ** 2).sum()
        for k in set(labels)
    )
    return 1 - within / ((values - values.mean()) ** 2).sum()


# %%

import matplotlib.pyplot as plt

figure, axes = plt.subplots(3, 1, sharex=True, sharey=True, figsize=(7.2, 4.4))
shades = plt.get_cmap("cividis")(np.linspace(0.95, 0.1, 5))
for ax, (name, breaks) in zip(axes, ways.items()):
    counts, edges, bars = ax.hist(values, bins=90)
    for left, right, bar in zip(edges, edges[1:], bars):
        bar.set_facecolor(shades[np.searchsorted(breaks[1:-1], (left + right) / 2)])
    for value in breaks[1:-1]:
        ax.axvline(value, color="black", linewidth=1)
    ax.set_title(f"{name}: {100 * fit_of(breaks):.1f} % of the variance")
    ax.set_yticks([])
    ax.spines.left.set_visible(False)
axes[-1].set_xticks([3, 4, 5, 6], ["1,000", "10,000", "100,000", "1,000,000"])
axes[-1].set_xlabel("population")
plt.show()

# %%
# How many classes? All numbers up to a maximum take little more than one, and the
# Bayesian information criterion chooses:

several = natural_breaks(values, range(1, 10))
for k, tried in several.tried.items():
    print(
        k,
        f"{tried.goodness_of_variance_fit:.3f}",
        f"BIC {tried.bic:9.1f}",
        "<- least" * (k == several.n_clusters),
    )

# %%
# New values go into the same classes with ``best.classify(values)``; weights (areas,
# populations) count with ``sample_weight=``. From the shell: ``ckmeans breaks
# places.csv population -k 5``.
