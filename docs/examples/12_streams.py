"""
Can I cluster rows that I saw once and could not keep?
======================================================

Two hundred thousand rows come by, a batch at a time, and none of them stays. What stays is a
*summary*: some hundred cells, and of each the weight, the sum and the sum of squares of its rows,
in whole numbers, with a box around them. That is enough to say what any clustering that keeps
cells together would cost over every row that came by, exactly; and enough for a bound that no
clustering of these rows can go below, those included that part the rows of a cell.
"""

import numpy as np

from ckmeans import KMeans, Summary, certify

PLACES = np.array([[0, 0], [6, 1], [3, 5], [-2, 6]])


def batch(day):
    """Rows of one day; tomorrow they are gone."""
    rng = np.random.default_rng(day)
    return PLACES[rng.integers(4, size=5_000)] + rng.normal(size=(5_000, 2))


summary = Summary(max_cells=400)
for day in range(40):
    summary.partial_fit(batch(day))
kmeans = KMeans(4, random_state=0).fit(summary)
certificate = certify(summary, kmeans, time_limit=20)
print(certificate)

# %%
# The numbers are those of all rows, not of the cells. Here the rows can be made again, so that
# this can be seen: the sum of squared distances from each row to the center of its cell.

found = KMeans(4, init=kmeans.cluster_centers_, n_init=1).fit(
    lambda: map(batch, range(40))
)
print(
    f"inertia by the summary {kmeans.inertia_:.1f}, of the best found with all rows {found.inertia_:.1f}"
)

# %%
# Drawn: the cells, as large as the weight in them, in the color of their cluster, and the
# rows of one day. The cells are dense where rows are.

import matplotlib.pyplot as plt

cells = summary.cells
_, axes = plt.subplots(1, 2, sharex=True, sharey=True, figsize=(9, 4.2))
axes[0].scatter(*batch(0).T, s=1, c=kmeans.predict(batch(0)), cmap="viridis")
axes[0].set_title("5,000 rows of one day, gone")
labels = kmeans.predict(cells.means)
axes[1].scatter(
    *cells.means.T, s=cells.weights / 40, c=labels, cmap="viridis", alpha=0.6
)
axes[1].plot(*kmeans.cluster_centers_.T, "k+", markersize=12)
axes[1].set_title(f"{len(cells.weights)} cells of 200,000 rows, kept")
plt.show()
