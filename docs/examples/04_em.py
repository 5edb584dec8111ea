"""
What has k-means to do with Gaussian mixtures and EM?
=====================================================

k-means is EM for a mixture of spherical Gaussians, in the limit where their variance
vanishes. For a finite variance each row belongs to each cluster with a probability, its
*responsibility*; the smaller the variance, the closer these come to zero and one, until
only the nearest mean counts. `ckmeans.SphericalMixture` has the variance as a
parameter, so this can be watched.
"""

import numpy as np
from sklearn.datasets import make_blobs

from ckmeans import KMeans, SphericalMixture

X = make_blobs(
    240, centers=[[0, 0], [3.2, 0], [1.6, 2.6]], cluster_std=1.0, random_state=2
)[0]
kmeans = KMeans(3, random_state=0).fit(X)
variances = [4.0, 1.0, 0.25, 0.004]
fits = [
    SphericalMixture(3, variance=v, mixing="uniform", init=kmeans.cluster_centers_).fit(
        X
    )
    for v in variances
]

# %%
# Rows are drawn in the colors of the clusters, blended by their responsibilities.
# Crosses are the means of the mixture, circles the centers of k-means.

import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb

colors = np.array([to_rgb(c) for c in ("#0072B2", "#E69F00", "#CC79A7")])
figure, axes = plt.subplots(1, 4, figsize=(9.0, 2.7), sharex=True, sharey=True)
for ax, variance, mixture in zip(axes, variances, fits):
    ax.scatter(*X.T, s=11, color=mixture.responsibilities(X) @ colors, linewidth=0)
    ax.scatter(
        *kmeans.cluster_centers_.T,
        s=110,
        facecolor="none",
        edgecolor="black",
        linewidth=1.2,
    )
    ax.scatter(*mixture.means_.T, s=70, marker="x", color="black", linewidth=2)
    ax.set_title(f"variance {variance:g}")
    ax.set_aspect("equal")
    ax.set(xticks=[], yticks=[])
plt.show()

# %%
# At variance 4, more than the data have between them, all means coincide: there is one
# cluster. (The variance at which they part is the largest eigenvalue of the
# covariance.) At 0.004 the means are the centers of k-means, and the labels are the
# same:

for variance, mixture in zip(variances, fits):
    order = np.argmin(
        ((mixture.means_[:, None] - kmeans.cluster_centers_) ** 2).sum(axis=2), axis=1
    )
    away = np.abs(mixture.means_ - kmeans.cluster_centers_[order]).max()
    same = np.mean(order[mixture.labels_] == kmeans.labels_)
    sure = np.mean(mixture.responsibilities(X).max(axis=1) > 0.99)
    print(
        f"variance {variance:5}: means up to {away:.4f} away, {100 * same:5.1f} % same labels, {100 * sure:5.1f} % of rows sure"
    )

# %%
# Going down slowly is deterministic annealing, a way to find good clusters:
# ``SphericalMixture(3, variance=0.004, mixing="uniform", anneal=20)``. Staying at a
# variance, or estimating it (``variance="tied"``), is honest soft clustering: it says
# which rows belong to no cluster for sure.
#
# Dempster, Laird, Rubin (1977), `doi:10.1111/j.2517-6161.1977.tb01600.x
# <https://doi.org/10.1111/j.2517-6161.1977.tb01600.x>`__; Celeux, Govaert (1992),
# `doi:10.1016/0167-9473(92)90042-E <https://doi.org/10.1016/0167-9473(92)90042-E>`__;
# Rose (1998), `doi:10.1109/5.726788 <https://doi.org/10.1109/5.726788>`__.
