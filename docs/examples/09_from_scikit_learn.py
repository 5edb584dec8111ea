"""
How do I move from scikit-learn?
================================

In two lines:

.. code-block:: diff

   - from sklearn.cluster import KMeans
   + from ckmeans import KMeans

   - model = KMeans(n_clusters=20, n_init=10, random_state=0).fit(X)
   + model = KMeans(n_clusters=20, random_state=0).fit(X)

The second is not necessary, but ``n_init`` may as well go: on few rows restarts go on
until the best value keeps coming back, on many a sample is searched first, and
:doc:`a table </default>` sets both beside ten restarts. Methods and attributes have the
same names (``fit``, ``predict``, ``transform``, ``score``, ``cluster_centers_``,
``labels_``, ``inertia_``), and pipelines, cloning and grid search work.
"""

import numpy as np
import sklearn.cluster
from sklearn.datasets import make_blobs
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ckmeans

X = make_blobs(1500, n_features=4, centers=20, cluster_std=1.1, random_state=7)[0]
pipeline = make_pipeline(StandardScaler(), ckmeans.KMeans(20, random_state=0)).fit(X)
print(pipeline[-1].inertia_, pipeline[-1].stop_reason_)

# %%
# What you gain: fewer bad luck seeds. Thirty seeds each, default settings:

ends = {
    "scikit-learn, default": [
        sklearn.cluster.KMeans(20, random_state=s).fit(X).inertia_ for s in range(30)
    ],
    "scikit-learn, n_init=10": [
        sklearn.cluster.KMeans(20, n_init=10, random_state=s).fit(X).inertia_
        for s in range(30)
    ],
    "ckmeans, default": [
        ckmeans.KMeans(20, random_state=s).fit(X).inertia_ for s in range(30)
    ],
}
best = min(map(min, ends.values()))

# %%

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(7.2, 2.8))
rng = np.random.default_rng(0)
for height, values in enumerate(ends.values()):
    excess = 100 * (np.array(values) / best - 1)
    ax.scatter(
        excess,
        height + rng.uniform(-0.22, 0.22, len(excess)),
        s=18,
        alpha=0.6,
        linewidth=0,
    )
ax.set_yticks(range(3), ends)
ax.invert_yaxis()
ax.set_xlabel("inertia above the best of all, in %")
ax.set_title("30 seeds, 20 clusters: each dot is a fit")
plt.show()

# %%
# What is different:
#
# ============================= ========================================== ============================================
# scikit-learn                  ckmeans                                    because
# ============================= ========================================== ============================================
# ``tol=1e-4``                  ``tol=0``, of the same meaning             it goes on to a true fixed point
# ``max_iter=300``              ``max_iter=None``                          the same; ``max_seconds`` limits the time
# ``n_init="auto"``: 1 or 10    ``n_init="auto"``: by the number of rows   ten is a habit
# ``algorithm="elkan"``         the same; ``"auto"``, bounds or boxes      the result has the same bits
# ``copy_x``                    taken, without effect                      X is never written to
# labels up to rounding         the exact nearest center                   ties go to the lowest index
# result depends on threads     the same bits for any number               sums are added in a fixed order
# (none)                        ``hit_rate_`` (of restarts)                to know what it is worth
# (none)                        ``stop_reason_``                           to know why it ended
# (none)                        `ckmeans.certify`                          to know how far above the best it can be
# ============================= ========================================== ============================================
#
# :doc:`Moving here </migration>` has every parameter and attribute, and the tables for other libraries.
#
# Plain Lloyd from given centers, nothing else: ``KMeans(k, init=centers, n_init=1, polish=False)``.
