"""
Which classes should my map have?
=================================

A map of rents, incomes or densities shows a handful of classes, and where they are cut decides what
the reader sees. Jenks' natural breaks put values that are alike into one class; the usual programs
find them slowly, from a sample, or in numbers that are too short. `ckmeans.natural_breaks` finds the
best ones for any number of values, and proves it.

The region below is made up: districts around three towns, with rents that fall with the distance.
"""

import numpy as np
from scipy.spatial import Voronoi

rng = np.random.default_rng(7)
towns = np.array([[3.0, 4.0], [8.0, 6.5], [6.0, 1.5]])
places = np.concatenate(
    [rng.uniform(0, 10, (240, 2)), *(rng.normal(town, 0.6, (40, 2)) for town in towns)]
)
places = places[((places > 0) & (places < 10)).all(axis=1)]
mirrored = [
    places * [sx, sy] + [tx, ty]
    for sx, tx, sy, ty in ((-1, 0, 1, 0), (-1, 20, 1, 0), (1, 0, -1, 0), (1, 0, -1, 20))
]
cells = Voronoi(
    np.concatenate([places, *mirrored])
)  # mirrored at the borders, so that each district is closed
districts = [
    cells.vertices[cells.regions[cells.point_region[i]]] for i in range(len(places))
]
distance = np.linalg.norm(places[:, None] - towns, axis=2).min(axis=1)
rents = np.round(6 + 16 * np.exp(-distance / 0.9) + rng.gamma(2.0, 0.5, len(places)), 2)

# %%
# Five classes, and the same number of districts in each (quantiles) beside them. The breaks are the
# least value, then the greatest of each class:

from ckmeans import natural_breaks

best = natural_breaks(rents, 5)
quantiles = np.quantile(rents, np.linspace(0, 1, 6))
print(f"natural breaks  {best.breaks.tolist()}: {best.status}")
print(f"districts       {best.sizes.tolist()}")
print(f"explain {best.goodness_of_variance_fit:.1%} of the variance", end="; ")
labels = np.searchsorted(quantiles[1:-1], rents)
within = sum(
    ((rents[labels == c] - rents[labels == c].mean()) ** 2).sum() for c in range(5)
)
print(f"quantiles {1 - within / ((rents - rents.mean()) ** 2).sum():.1%}")

# %%

import matplotlib.pyplot as plt
from matplotlib.collections import PolyCollection


def draw(axes, labels, breaks, title):
    colors = plt.colormaps["YlGnBu"](np.linspace(0.15, 1, 5))
    axes.add_collection(
        PolyCollection(
            districts, facecolors=colors[labels], edgecolors="white", linewidths=0.4
        )
    )
    for c in range(5):
        count = int((labels == c).sum())
        axes.plot(
            [],
            [],
            "s",
            color=colors[c],
            label=f"{breaks[c]:.2f} to {breaks[c + 1]:.2f} ({count})",
        )
    axes.set(xlim=(0, 10), ylim=(0, 10), aspect="equal", title=title)
    axes.set_axis_off()
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0.02),
        ncols=2,
        frameon=False,
        fontsize=9,
    )


figure, (left, right) = plt.subplots(1, 2, figsize=(10, 6.4), layout="constrained")
draw(left, best.labels, best.breaks, "Natural breaks: the towns stand out")
draw(right, labels, quantiles, "Quantiles: a fifth of the districts each")
plt.show()

# %%
# How many classes? Each one more explains more; the Bayesian information criterion says when it is no longer
# worth it:

several = natural_breaks(rents, range(1, 10))
for k, tried in several.tried.items():
    print(
        f"{k} classes: {tried.goodness_of_variance_fit:.1%} of the variance, BIC {tried.bic:.1f}"
    )
print(f"least BIC: {several.n_clusters} classes")

# %%
# Who has a program around jenkspy or mapclassify changes one line. `FisherJenks` is a classifier of
# mapclassify, with its bins, counts, legends and measures of fit; ``with exact_schemes():`` makes
# ``GeoDataFrame.plot(column, scheme="FisherJenks")`` of geopandas use it. Districts may have weights, such as
# their inhabitants.

from ckmeans.compat import FisherJenks, jenks_breaks

print(jenks_breaks(rents, 5) == best.breaks.tolist())
print(FisherJenks(rents, k=5))
print(FisherJenks(rents, k=5, sample_weight=rng.integers(100, 5000, len(rents))).bins)

# %%
# From the shell, with bounds as people write them, and a legend as a file:
#
# .. code-block:: text
#
#    ckmeans breaks rents.csv rent -k 5 --round --legend legend.csv --out classes.csv --plot rents.png
