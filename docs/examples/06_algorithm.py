"""
Which algorithm when?
=====================

========================================================= ==============================================================
You have                                                  Use
========================================================= ==============================================================
rows and a number of clusters, and want good clusters     `ckmeans.KMeans`
the same, and want to know that they are the best         `ckmeans.ExactKMeans`
labels from another program                               `ckmeans.certify`
one column                                                `ckmeans.natural_breaks`: optimal at any size, in a few sorts
up to some 30 rows, and questions about all partitions    `ckmeans.exhaustive_search`, `ckmeans.partition_posterior`
clusters that overlap; probabilities instead of labels    `ckmeans.SphericalMixture`
thousands of small tables                                 `ckmeans.fit_many`
no number of clusters                                     `ckmeans.choose_k`
a file larger than memory                                 ``KMeans(init="k-means||").fit("rows.npy")``
hundreds of clusters                                      ``KMeans(init="k-means||")``
========================================================= ==============================================================

Then there is ``KMeans(algorithm=...)``. That one never changes the result, not by a
bit: the ways compute Lloyd's iteration with all distances, with one bound for each row
(Hamerly 2010, `doi:10.1137/1.9781611972801.12
<https://doi.org/10.1137/1.9781611972801.12>`__), with one more for each group of
centers (Ding et al. 2015), or, for up to 8 features, over boxes of rows that have one
nearest center as a whole (Kanungo et al. 2002, `doi:10.1109/TPAMI.2002.1017616
<https://doi.org/10.1109/TPAMI.2002.1017616>`__). Leave it at "auto". Here is what
"auto" has to choose from, measured when this page was built:
"""

from time import process_time

import numpy as np
from sklearn.datasets import make_blobs

from ckmeans import KMeans

shapes = {
    "2 features, 100 clusters": (200_000, 2, 100),
    "16 features, 64 clusters": (100_000, 16, 64),
    "64 features, 100 clusters": (40_000, 64, 100),
}
ways = ("lloyd", "hamerly", "yinyang", "cells", "auto")
seconds = {}
for title, (n, d, k) in shapes.items():
    X = make_blobs(n, d, centers=k, cluster_std=4, random_state=0)[0]
    start = X[np.random.default_rng(0).choice(n, k, replace=False)]
    fits = {}
    for way in ways:
        model = KMeans(
            k, init=start, n_init=1, polish=False, algorithm=way, n_threads=1
        )
        begin = process_time()
        fits[way] = model.fit(X)
        seconds[title, way] = process_time() - begin
    assert all((fits[way].labels_ == fits["lloyd"].labels_).all() for way in ways)
    assert len({fits[way].inertia_ for way in ways}) == 1
    print(f"{title}: {fits['lloyd'].n_iter_} iterations, the same bits every time")

# %%

import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 3, figsize=(7.2, 2.8), sharey=True)
for ax, title in zip(axes, shapes):
    bars = ax.barh(
        ways, [seconds[title, way] for way in ways], color=["C0"] * 4 + ["0.25"]
    )
    ax.bar_label(bars, fmt="%.2f s", padding=3)
    ax.margins(x=0.35)
    ax.set_title(title)
    ax.spines.bottom.set_visible(False)
    ax.set(xticks=[])
    ax.tick_params(left=False)
axes[0].invert_yaxis()
plt.show()

# %%
# Processor time of one thread, to a fixed point where no label changes. The figures
# beside other libraries are among the :doc:`benchmarks </figures>`.
