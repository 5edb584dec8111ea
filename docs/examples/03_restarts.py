"""
How many restarts do I need?
============================

Ten is a habit, not an answer. Let p be the share of starts that end at the best
clustering. The chance that r starts all miss it is (1 - p)\\ :sup:`r`, so 99 % certainty
takes log 0.01 / log(1 - p) of them. From data to data p differs by orders of magnitude;
but it can be measured. `ckmeans.landscape` makes a thousand starts in a few milliseconds
and tells where they end:
"""

from sklearn.datasets import load_iris, load_wine, make_blobs

from ckmeans import KMeans, certify, landscape

X = load_iris().data
print(
    landscape(
        X, 3, certificate=certify(X, n_clusters=3, random_state=0), random_state=0
    )
)

# %%
# Two minima that differ in one flower share nearly all starts, and less than half of
# them find the better one. So some eight restarts are needed for a certainty of 99 %, and
# that is an easy case. Three more, harder from left to right:

data = {
    "Iris, 5 clusters": (load_iris().data, 5),
    "Wine, 9 clusters": (load_wine().data, 9),
    "25 blobs": (make_blobs(1000, centers=25, cluster_std=0.4, random_state=3)[0], 25),
}
found = {title: landscape(X, k, 1000, random_state=0) for title, (X, k) in data.items()}
best = {
    title: KMeans(k, random_state=0).fit(X).inertia_ for title, (X, k) in data.items()
}
for title, minima in found.items():
    reached = minima.hit_rate if minima.inertia[0] <= best[title] * (1 + 1e-9) else 0.0
    needed = (
        f"{minima.restarts_needed():.0f} restarts"
        if reached
        else "not found by any start"
    )
    print(
        f"{title:17} {len(minima):4} minima, best reached by {100 * reached:4.1f} %: {needed};"
        f" not yet seen {100 * minima.unseen_mass:.0f} %"
    )

# %%

import matplotlib.pyplot as plt
import numpy as np

figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.0), sharey=True)
for ax, (title, minima) in zip(axes, found.items()):
    least = min(best[title], minima.inertia[0])
    excess = np.sort(100 * (minima.inertia[minima.ends] / least - 1))
    ax.fill_between(
        np.linspace(0, 100, len(excess)), np.maximum(excess, 1e-3), 1e-3, color="C0"
    )
    ax.set_title(title)
    ax.set_xlabel("starts, sorted, in %")
axes[0].set_yscale("log")
axes[0].set_yticks(
    [1e-3, 1e-2, 0.1, 1, 10, 100], ["none", "0.01 %", "0.1 %", "1 %", "10 %", "100 %"]
)
axes[0].set_ylabel("inertia above the best known")
plt.show()

# %%
# White at the left is where the best was found. Where there is much of it, a few restarts
# do. Where there is none, a hundred will not either: there a better search pays, not more
# of the same. "Not yet seen" is the estimate of Good (1953): the chance that one more start
# ends in a minimum that none has come to.
#
# `ckmeans.KMeans` therefore does not count to ten. Its restarts are better ones (they go on
# with exchanges of single rows and moves of whole centers), they go on until the best value
# keeps coming back, and it says how often it did:

for title, (X, k) in data.items():
    model = KMeans(k, random_state=0).fit(X)
    again = f"{100 * model.hit_rate_:.0f} % of {model.n_restarts_} restarts"
    print(f"{title:17} inertia {model.inertia_:.6g}, reached by {again}")

# %%
# A value that keeps coming back is likely the optimum, and not known to be:
# :doc:`that takes a proof </questions/01_optimal>`.
