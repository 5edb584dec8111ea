"""
How do I choose k without the elbow?
====================================

The elbow is in the eye. Inertia falls with k for any data, steeply at first, also where
there are no clusters at all:
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris, make_blobs

from ckmeans import KMeans, choose_k

rng = np.random.default_rng(0)
even = rng.uniform(size=(400, 2))
four = make_blobs(400, centers=4, cluster_std=1.6, random_state=11)[0]
ks = range(1, 11)
figure, axes = plt.subplots(1, 2, figsize=(7.2, 2.8))
for ax, X, title in zip(axes, (even, four), ("even rows: no clusters", "four blobs")):
    ax.plot(ks, [KMeans(k, random_state=0).fit(X).inertia_ for k in ks], marker="o")
    ax.set_title(title)
    ax.set_xlabel("k")
    ax.set_yticks([])
axes[0].set_ylabel("inertia")
plt.show()

# %%
# There is a bend on the left, where there is nothing, and on the right it is not where one
# would look for it. Criteria do better, each by its own idea of a cluster. So
# `ckmeans.choose_k` has eight of them, and shows where they disagree:

choice = choose_k(load_iris().data, range(1, 9), certify=True, random_state=0)
print(choice)

# %%
# Iris has three species, two of which overlap. Those criteria that look for empty space
# between clusters say 2; those that look at how compact they are say more. Both are
# right, about different things. The last column says that this disagreement is not due
# to bad clusterings: each is the proven optimum for its k.

titles = {
    "gap": "gap statistic",
    "silhouette": "silhouette",
    "simplified_silhouette": "silhouette, by centers",
    "calinski_harabasz": "Calinski-Harabasz",
    "davies_bouldin": "Davies-Bouldin (low is good)",
    "bic": "BIC (low is good)",
    "pham": "f(K) (low is good)",
    "stability": "stability",
}
figure, axes = plt.subplots(2, 4, figsize=(9.0, 4.0), sharex=True)
for ax, (name, values) in zip(axes.flat, choice.criteria.items()):
    ax.plot(choice.n_clusters, values, marker="o", markersize=4)
    if name in choice.spread:
        ax.errorbar(
            choice.n_clusters,
            values,
            choice.spread[name],
            color="C0",
            linewidth=1,
            capsize=2,
        )
    chosen = choice.n_clusters == choice.suggested.get(name)
    ax.scatter(
        choice.n_clusters[chosen],
        values[chosen],
        s=130,
        facecolor="none",
        edgecolor="black",
        linewidth=1.6,
        zorder=3,
    )
    ax.set_title(titles[name], fontsize="small")
    ax.set_yticks([])
    ax.set_xticks(choice.n_clusters)
for ax in axes[1]:
    ax.set_xlabel("k")
plt.show()

# %%
# Where they agree, the number is in the data:

print(
    choose_k(
        make_blobs(240, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)[0],
        range(1, 7),
        random_state=0,
    ).verdict
)

# %%
# Where they do not, what the clusters are *for* has to decide: how many sizes of shirts a
# shop can stock is not in the measurements. From the shell: ``ckmeans choose DATA --range 2:10``.
