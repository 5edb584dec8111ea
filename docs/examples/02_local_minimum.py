"""
Why only a local minimum, and why not set the derivative to zero?
=================================================================

*"The objective is a sum of squares. Differentiate, set it to zero, done?"* For given
labels, yes: the derivative with respect to a center is zero at the mean of its rows,
and nowhere else. The best centers for known labels are means, in closed form.

The labels are the trouble. They are whole numbers, in which there is nothing to
differentiate, and there are many:
"""

from ckmeans import count_partitions

print(
    f"{float(count_partitions(150, 3)):.2g} ways to make three clusters of the 150 rows of Iris"
)

# %%
# Nobody knows a way around it that is quick for all data: to find the best labels is
# NP-hard already for two clusters (Aloise, Deshpande, Hansen, Popat 2009,
# `doi:10.1007/s10994-009-5103-0 <https://doi.org/10.1007/s10994-009-5103-0>`__), and in
# the plane (Mahajan, Nimbhorkar, Varadarajan 2012, `doi:10.1016/j.tcs.2010.05.034
# <https://doi.org/10.1016/j.tcs.2010.05.034>`__).
#
# So Lloyd's iteration takes turns: labels for given centers, centers for given labels.
# Either step lowers the inertia until neither does. The derivative is zero there, too.
# Here are three clusters that anyone can see, and a start with two centers in one of
# them:

import numpy as np

from ckmeans import KMeans, lloyd_path

rng = np.random.default_rng(0)
blobs = np.array([[0.0, 0.0], [6.0, 0.0], [6.0, 3.2]])
X = np.vstack([center + 0.55 * rng.standard_normal((40, 2)) for center in blobs])
start = np.array([[-0.4, 0.3], [0.4, -0.3], [4.5, 1.5]])

path = lloyd_path(X, 3, init=start)  # plain Lloyd, as everyone has it, step by step
best = KMeans(3, random_state=0).fit(X)
print(path)
for labels, centers, inertia in (
    (path.labels[-1], path.centers[-1], path.inertia[-1]),
    (best.labels_, best.cluster_centers_, best.inertia_),
):
    derivative = [2 * (c - X[labels == k]).sum(axis=0) for k, c in enumerate(centers)]
    print(f"inertia {inertia:7.2f}, greatest derivative {np.abs(derivative).max():.0e}")

# %%
# Two minima, zero derivative at both, and one of them costs several times as much. Is the
# other one the best? That takes a proof, not another look:

from ckmeans import certify

proof = certify(X, best.labels_)
print(proof)

# %%
# The same rows twice: where Lloyd's iteration is stuck, and what is proved.

import matplotlib.pyplot as plt

from ckmeans import PathDisplay

display = PathDisplay.from_path(path, X, best=proof)
plt.show()

# %%
# And in motion, as ``display.animate().save("trap.gif")`` writes it for slides. In a
# notebook, ``HTML(display.animate().to_jshtml())`` has buttons to step through it.
#
# .. raw:: html
#
#    <img src="../trap.gif" alt="The centers move, step by step, to where they are stuck" width="720">
#
# Of few rows every partition can be looked at. These are all the fixed points of Lloyd's
# iteration, for twelve rows of the same three clusters: each is the end for any start that
# comes to it, and only one is the best.

from ckmeans import landscape

few = np.vstack([X[:4], X[40:44], X[80:84]])
print(landscape(few, 3, random_state=0))

# %%
# What helps against traps: exchanges of single rows (Hartigan), moves of whole centers,
# and restarts, all of which `ckmeans.KMeans` does by default. :doc:`How many restarts
# </questions/03_restarts>` are enough is the next question.
