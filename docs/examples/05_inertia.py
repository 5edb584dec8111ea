"""
Why do two programs report different inertia?
=============================================

On the same data, with the same number of clusters. Five reasons, the frequent ones first.

1. **They found different local minima.** :doc:`/questions/02_local_minimum`
2. **They mean different things by it.** A sum of squares, a mean of squares, a mean of distances; weighted or not.
3. **They saw different data.** One standardized the columns, or dropped rows with missing values.
4. **One stopped early.** With a tolerance above zero, labels and centers do not quite belong together.
5. **Rounding.** \\|x\\|² - 2 x·c + \\|c\\|² is quick, and loses all digits where the data are far from the origin.

An arbiter helps: `ckmeans.certify` computes what a clustering costs as a fraction,
exactly, from the labels of any program.
"""

import numpy as np
import scipy.cluster.vq
import sklearn.cluster
from sklearn.datasets import load_iris

from ckmeans import KMeans, certify

X = load_iris().data
ours = KMeans(3, random_state=0).fit(X)
theirs = sklearn.cluster.KMeans(3, n_init=1, init="random", random_state=1).fit(X)
book, distortion = scipy.cluster.vq.kmeans(X, 3, rng=0)

print(f"ckmeans        {ours.inertia_:.6f}   sum of squared distances")
print(f"scikit-learn   {theirs.inertia_:.6f}   the same, another minimum")
print(f"SciPy           {distortion:.6f}   mean distance, not squared")

# %%
# From the labels, all three in one unit:

labels = {
    "ckmeans": ours.labels_,
    "scikit-learn": theirs.labels_,
    "SciPy": scipy.cluster.vq.vq(X, book)[0],
}
for name, own in labels.items():
    exact = certify(X, own, time_limit=0).exact_inertia
    print(
        f"{name:14} {float(exact):.6f}   (a fraction with a numerator of {len(str(exact.numerator))} digits)"
    )

# %%
# Rounding
# --------
#
# The same rows, moved away from the origin, as dates in seconds or coordinates in
# meters are. The true inertia stays the same, but for what rounding the rows themselves
# does. The picture shows the error of the quick formula, and of `ckmeans.KMeans`,
# against the fraction.

rng = np.random.default_rng(0)
rows = np.vstack([rng.normal(size=(100, 3)), rng.normal(size=(100, 3)) + 4])
offsets = 10.0 ** np.arange(0, 12)
errors = {"quick formula": [], "KMeans": []}
for offset in offsets:
    moved = rows + offset
    model = KMeans(2, random_state=0).fit(moved)
    exact = certify(moved, model.labels_, time_limit=0).exact_inertia
    centers = model.cluster_centers_[model.labels_]
    quick = (
        (moved**2).sum(axis=1)
        - 2 * (moved * centers).sum(axis=1)
        + (centers**2).sum(axis=1)
    ).sum()
    for name, value in zip(errors, (quick, model.inertia_)):
        errors[name].append(max(1e-17, abs(float(value) / float(exact) - 1)))

# %%

import matplotlib.pyplot as plt

figure, ax = plt.subplots()
for (name, values), marker in zip(errors.items(), "so"):
    ax.loglog(offsets, values, marker=marker, label=name)
ax.axhline(1, color="0.5", linewidth=0.8)
ax.annotate(
    "not one digit is right",
    (1, 1),
    xytext=(0, 4),
    textcoords="offset points",
    color="0.35",
)
ax.set_xlabel("distance of the data from the origin, in standard deviations")
ax.set_ylabel("relative error of the inertia")
ax.legend(loc="center right")
plt.show()
