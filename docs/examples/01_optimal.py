"""
Is my clustering optimal?
=========================

Every k-means program reports an inertia. None of them says how far that is from the
best possible one: it may be the optimum, or half as much may be possible.
`ckmeans.certify` answers that for the labels of any program, with a proof.
"""

from sklearn.cluster import AgglomerativeClustering, Birch, KMeans, MiniBatchKMeans
from sklearn.datasets import load_iris
from sklearn.mixture import GaussianMixture

from ckmeans import ExactKMeans, certify

X = load_iris().data
ward = AgglomerativeClustering(3).fit_predict(X)
certificate = certify(X, ward, random_state=0)
print(certificate)

# %%
# This is a statement about *all* partitions of the 150 flowers into at most three
# clusters, made in exact arithmetic. The search for the proof also found the best
# clustering; its certificate is ``certificate.better``.
#
# Once the optimum is proved, any other clustering can be measured by it, too:

programs = {
    "Ward's linkage": AgglomerativeClustering(3),
    "BIRCH": Birch(n_clusters=3),
    "mini-batch k-means": MiniBatchKMeans(
        3, n_init=1, batch_size=20, max_iter=2, random_state=0
    ),
    "k-means, 1 random start": KMeans(3, init="random", n_init=1, random_state=1),
    "Gaussian mixture": GaussianMixture(3, random_state=0),
    "k-means, 10 starts": KMeans(3, n_init=10, random_state=0),
    "ExactKMeans": ExactKMeans(3, random_state=0),
}
excess = {}
for name, program in programs.items():
    cost = certify(
        X, program.fit_predict(X), time_limit=0
    ).exact_inertia  # a fraction: exactly what these labels cost
    excess[name] = float(100 * (cost / certificate.better.exact_inertia - 1))

# %%

import matplotlib.pyplot as plt

names = sorted(excess, key=excess.get, reverse=True)
figure, ax = plt.subplots(figsize=(7.2, 3.4))
bars = ax.barh(
    names,
    [excess[name] for name in names],
    color=["C0" if excess[name] else "0.2" for name in names],
)
ax.bar_label(
    bars,
    [f"{excess[name]:.2g} %" if excess[name] else "optimal" for name in names],
    padding=4,
)
ax.margins(x=0.12)
ax.set_xlabel("inertia above the proven optimum, in %")
ax.set_title("Iris, three clusters")
ax.spines.left.set_visible(False)
ax.tick_params(left=False)
plt.show()

# %%
# To have the best clustering in the first place, ask for it. `ckmeans.ExactKMeans` is
# an estimator like any other, with four more attributes: ``status_``, ``lower_bound_``,
# ``gap_`` and ``certificate_``.

from ckmeans import GapDisplay, GapRecorder

recorder = GapRecorder()
model = ExactKMeans(3, random_state=0, verbose=recorder).fit(X)
print(model.status_, model.inertia_, model.lower_bound_)

# %%
# How it went, from the first clustering to the proof:

GapDisplay.from_recorder(recorder, model.certificate_)
plt.show()

# %%
# "optimal-unique" says that every other partition costs more. Where the time is up
# before the proof is complete, the status is "bounded" and ``gap_`` says how much lower
# the best inertia can be; "optimal" is never said to a tolerance, and "proved" only of
# what the checker accepted.
#
# Proven optima
# -------------
#
# The classical data that scikit-learn ships. Each proof is a file that a program of one
# file checks, which shares no code with the solver: ``python -m ckmeans.check
# iris-3.ckc`` (:doc:`how </questions/10_proofs>`). They were written, and checked, when
# these pages were built.
#
# .. include:: ../made/proved.inc
#
# What can be proved: one feature at any size; in few dimensions hundreds to some
# thousand rows; few rows in any number of dimensions. Elsewhere there is a bound.
# More instances, from data that are not shipped, are among the :doc:`benchmarks </figures>`.
