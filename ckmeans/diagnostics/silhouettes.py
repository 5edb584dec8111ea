"""The silhouettes of several clusterings of the same rows, from one pass over their distances."""

import numpy as np
from sklearn.metrics import pairwise_distances_chunked

# Megabytes of distances that are held at a time.
PAIRS = 16


def mean_silhouettes(X, labels, look):
    """The mean silhouette of each clustering, as scikit-learn's `silhouette_score` has it.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    labels : dict of object to ndarray of shape (n_samples,), int
        From 0 up, at least two different ones and fewer than rows.
    look : callable()
        Called between blocks of rows; what it raises ends it.

    Returns
    -------
    dict of object to float

    Examples
    --------
    >>> rows = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> found = mean_silhouettes(rows, {"by twos": np.array([0, 0, 1, 1])}, lambda: None)
    >>> float(round(found["by twos"], 3))
    0.9
    """
    if not labels:
        return {}
    members = np.hstack([np.eye(own.max() + 1)[own] for own in labels.values()])
    sizes = [np.bincount(own) for own in labels.values()]
    ends = np.cumsum([len(each) for each in sizes])[:-1]
    widths, done = dict.fromkeys(labels, 0.0), 0
    for distances in pairwise_distances_chunked(X, working_memory=PAIRS):
        look()
        sums = np.split(distances @ members, ends, axis=1)
        for name, each, part in zip(labels, sizes, sums):
            widths[name] += _widths(part / each, each, labels[name][done : done + len(part)]).sum()
        done += len(distances)
    return {name: width / len(X) for name, width in widths.items()}


def _widths(means, sizes, own):
    """The silhouettes of some rows: from their mean distances to clusters, the sizes of these, and the own one of each row."""
    at, each = np.arange(len(own)), sizes[own]
    inside = means[at, own] * each / np.maximum(each - 1, 1)
    means[at, own] = np.inf
    outside = means.min(axis=1)
    most = np.maximum(inside, outside)
    return np.where((each > 1) & (most > 0), (outside - inside) / np.where(most > 0, most, 1), 0.0)
