"""Lloyd's iteration step by step: each step is what the definition says, and the last is where `KMeans` ends."""

import numpy as np
import pytest

from ckmeans import KMeans, lloyd_path


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_every_step(init, weighted):
    rng = np.random.default_rng(1)
    X, w = rng.normal(size=(60, 3)), rng.uniform(0.5, 2, 60) if weighted else None
    path = lloyd_path(X, 4, init=init, sample_weight=w, random_state=1)
    for step in range(len(path)):
        centers, labels, inertia = path[step]
        sq = ((X[:, None] - centers) ** 2).sum(axis=2)
        assert labels.tolist() == sq.argmin(axis=1).tolist()
        assert inertia == pytest.approx((sq.min(axis=1) * (1 if w is None else w)).sum())
        if step:
            before = path.labels[step - 1]
            means = [
                np.average(X[before == k], axis=0, weights=None if w is None else w[before == k])
                for k in range(4)
            ]
            assert centers == pytest.approx(np.array(means))
    model = KMeans(4, init=path.centers[0], n_init=1, polish=False).fit(X, sample_weight=w)
    assert path.converged and model.n_iter_ == len(path)
    assert model.labels_.tolist() == path.labels[-1].tolist()


def test_extremes():
    X = np.random.default_rng(0).normal(size=(20, 2))
    usual, large = (lloyd_path(X * s, 3, init=X[:3] * s) for s in (1.0, 2.0**600))
    assert (usual.labels == large.labels).all() and (usual.centers * 2.0**600 == large.centers).all()
    stopped = lloyd_path(X, 3, init=X[:3], max_iter=1)
    assert len(stopped) == 2 and not stopped.converged and "labels would still change" in str(stopped)
    assert len(lloyd_path(np.ones((3, 2)), 2)) >= 1
    with pytest.raises(ValueError, match="none of"):
        lloyd_path(X, 3, init="best")
    with pytest.raises(ValueError, match="shape"):
        lloyd_path(X, 3, init=X[:2])
