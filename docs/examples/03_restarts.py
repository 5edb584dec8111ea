"""
How many restarts do I need?
============================

Ten is a habit, not an answer. Let p be the share of starts that end at the best
clustering. The chance that r starts all miss it is (1 - p)\\ :sup:`r`, so 99 % certainty
takes log 0.01 / log(1 - p) of them. From data to data p differs by orders of magnitude,
and nobody knows it. `ckmeans.landscape` makes a thousand starts and tells where they end;
the counts give an interval for p:
"""

from sklearn.datasets import load_iris, load_wine, make_blobs

from ckmeans import KMeans, LandscapeDisplay, RestartDisplay, certify, landscape

X = load_iris().data
certificate = certify(X, n_clusters=5, random_state=0)
minima = landscape(X, 5, certificate=certificate, random_state=0)
print(minima)

# %%
# Each minimum by how far it is above the best, and by the share of starts that end there:

import matplotlib.pyplot as plt

LandscapeDisplay.from_landscape(minima)
plt.show()

# %%
# And what the best of r restarts comes to, on the safe side of what the counts tell:

RestartDisplay.from_landscape(minima)
plt.show()

# %%
# That was an easy case: the proof says which minimum is the best, and many starts ended
# there. Three more, harder from left to right. Where no more than one start came to the
# best of them, the counts do not tell how many would; and the best that a thousand starts
# saw need not be the best there is: what `ckmeans.KMeans` finds by default is set beside it.

data = {
    "Iris, 5 clusters": (load_iris().data, 5),
    "Wine, 9 clusters": (load_wine().data, 9),
    "25 blobs": (make_blobs(1000, centers=25, cluster_std=0.4, random_state=3)[0], 25),
}
found = {title: landscape(X, k, 1000, random_state=0) for title, (X, k) in data.items()}
for title, minima in found.items():
    fewest, most = minima.restarts_interval(0.99)
    many = f"{fewest:.0f} to {most:.0f} restarts" if minima.n_hits > 1 else "no telling"
    beaten = minima.kmeans_inertia < minima.inertia[0] * (1 - 1e-9)
    print(
        f"{title:17} {len(minima):4} minima seen, the best by {minima.n_hits} of {minima.n_starts} starts:"
        f" {many} for a chance of 99 %;"
        f" about {100 * minima.unseen_mass:.0f} % of further starts end in new ones;"
        f" KMeans finds {'a better one' if beaten else 'none that is better'}"
    )

# %%

import numpy as np

figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.0), sharey=True)
for ax, (title, minima) in zip(axes, found.items()):
    least = min(minima.kmeans_inertia, minima.inertia[0])
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
# White at the left is where the best known was found. Where there is much of it, a few
# restarts do. Where there is none, as many again will hardly do either: there a better
# search pays, not more of the same. How many further starts end in a minimum that none has
# come to is estimated after Good (1953), by the share of those seen once.
#
# `ckmeans.KMeans` therefore does not count to ten. On data as small as these its restarts
# are better ones (they go on with exchanges of single rows and moves of whole centers),
# they go on until the best value keeps coming back or a modest budget is spent, and it says
# how often it did:

for title, (X, k) in data.items():
    model = KMeans(k, random_state=0).fit(X)
    hits = round(model.hit_rate_ * model.n_restarts_)
    print(
        f"{title:17} inertia {model.inertia_:.6g}, by {hits} of the {model.n_restarts_} restarts made"
    )

# %%
# A value that keeps coming back is hard to improve on in this way, and not known to be the
# optimum: :doc:`that takes a proof </questions/01_optimal>`. With more than 4,096 rows there is one
# run over all rows, from a sample that was searched: ``hit_rate_`` is 1.0 then, which is no
# evidence. For that, give the number of restarts as ``n_init``.
