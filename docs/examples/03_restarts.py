"""
How many restarts do I need?
============================

Ten is a habit, not an answer. Let p be the share of starts that end at the best clustering. The chance that r starts all miss
it is (1 - p)\\ :sup:`r`, so 99 % certainty takes log 0.01 / log(1 - p) of them. p differs from data to data by orders of
magnitude; but it can be measured.
"""

import math

import numpy as np
from sklearn.datasets import load_wine, make_blobs

from ckmeans import KMeans

data = {
    "Wine, 3 clusters": (load_wine().data, 3),
    "Wine, 9 clusters": (load_wine().data, 9),
    "25 blobs": (make_blobs(1000, centers=25, cluster_std=0.4, random_state=3)[0], 25),
}
ways = {
    "plain Lloyd, random starts": {"init": "random", "polish": False},
    "plain Lloyd, k-means++": {"polish": False},
    "with exchanges of rows": {},
}
found = {}
for title, (X, k) in data.items():
    for way, options in ways.items():
        ends = [
            KMeans(k, n_init=1, random_state=seed, **options).fit(X).inertia_
            for seed in range(300)
        ]
        found[title, way] = np.array(ends)
best = {title: min(found[title, way].min() for way in ways) for title in data}
best |= {
    title: min(best[title], KMeans(k, random_state=0).fit(X).inertia_)
    for title, (X, k) in data.items()
}

# %%
# The share of 300 starts that reach the best value seen, and the restarts that 99 % takes:

for (title, way), ends in found.items():
    share = np.mean(ends <= best[title] * (1 + 1e-9))
    needed = (
        math.ceil(math.log(0.01) / math.log(1 - share))
        if 0 < share < 1
        else 1
        if share
        else math.inf
    )
    print(f"{title:18} {way:28} {100 * share:5.1f} %   {needed:5} restarts")

# %%

import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 3, figsize=(7.2, 3.2), sharey=True)
for ax, title in zip(axes, data):
    for (way, style), color in zip(zip(ways, (":", "--", "-")), ("C5", "C1", "C0")):
        excess = 100 * (np.sort(found[title, way]) / best[title] - 1)
        ax.plot(np.linspace(0, 100, len(excess)), excess, style, color=color, label=way)
    ax.set_title(title)
    ax.set_xlabel("share of starts, %")
axes[0].set_yscale("symlog", linthresh=0.01)
axes[0].set_ylim(-0.002)
axes[0].set_ylabel("inertia above the best, %")
axes[1].legend(loc="upper left", fontsize="small")
plt.show()

# %%
# Read it from the left: a curve that stays at zero for half the width has p = 50 %, and seven restarts will do. One that leaves
# zero at once will not be saved by ten, nor by a hundred: there a better local search pays, not more of them.
#
# `KMeans` therefore does not count. By default its restarts go on until the best value keeps coming back, and it says how often
# it did:

model = KMeans(3, random_state=0).fit(load_wine().data)
print(
    model.n_restarts_,
    "restarts;",
    f"{100 * model.hit_rate_:.0f} % of them reached the best",
)

# %%
# A value that keeps coming back is likely the optimum, and not known to be: :doc:`that takes a proof </questions/01_optimal>`.
