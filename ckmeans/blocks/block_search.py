"""The local search over the rows of a block source."""

import numpy as np

from ..interrupts import Held
from ..local.random_stream import RandomStream
from ..local.restarts import Restarts, run_until_limit
from ..local.sampled import Sampled, sample_size
from ..local.search import local_search
from ..local.seeding import random_rows
from ..local.trivial_bound import bound_of_one_cluster
from ..workers import Workers
from .block_rows import BlockRows


class _OverBlocks:
    """What a search does otherwise where rows are asked for answers."""

    def first(self):
        """Where not one assignment is complete: one is made."""
        rows, centers = self.rows, self.current
        rows.workers.deadline = np.inf
        if centers is None:
            given = isinstance(self.init, np.ndarray)
            centers = rows.scale(self.init) if given else random_rows(rows, self.n_clusters, self.numbers)
        return rows.clustering(centers)

    def known(self, clustering, converged):
        """As of Restarts."""
        labels, centers, inertia = clustering
        lower_bound, optimal = 0.0, inertia == 0 and self.rows.is_on_centers(labels, centers)
        if len(centers) == 1:
            lower_bound, optimal = bound_of_one_cluster(self.rows, centers), optimal or converged
        return {"lower_bound": lower_bound, "status": "optimal" if optimal else "bounded"}


class BlockRestarts(_OverBlocks, Restarts):
    """Restarts over the rows of a block source."""


class BlockSampled(_OverBlocks, Sampled):
    """One run over the rows of a block source, from what was found in a sample."""


def block_search(
    source,
    n_clusters,
    *,
    sample_weight=None,
    init="k-means++",
    n_init="auto",
    max_iter=None,
    tol=0.0,
    polish=True,
    max_seconds=None,
    algorithm="auto",
    rng=None,
    n_threads=None,
    progress=None,
    held=None,
    single=False,
):
    """The same as `local_search` of the rows in one array, to the bit; `source` has the weights.

    Returns
    -------
    LocalSolution
        Its labels are `LabelsOf`, or an array where rows were so few that they were gathered.
    rows : BlockRows or None
        None where they were gathered.
    """
    numbers = RandomStream(np.random.default_rng() if rng is None else rng)
    sampled = n_init == "auto" and isinstance(init, str) and n_clusters > 1
    with Held() as own, Workers(n_threads, max_seconds) as workers:
        held = held or own
        if sampled and sample_size(len(source), n_clusters) == len(source):
            X, weights = gathered(source, workers)
            options = {"max_iter": max_iter, "tol": tol, "polish": polish, "algorithm": algorithm}
            return local_search(
                X,
                n_clusters,
                sample_weight=weights,
                init=init,
                n_init=n_init,
                max_seconds=max_seconds,
                rng=rng,
                n_threads=n_threads,
                progress=progress,
                held=held,
                single=single,
                **options,
            ), None
        kind = BlockSampled if sampled else BlockRestarts
        made = []

        def rows_of(source, sample_weight, workers, algorithm):
            made.append(BlockRows(source, workers, n_clusters, algorithm))
            return made[0]

        solution = run_until_limit(
            lambda rows: kind(rows, n_clusters, init, n_init, max_iter, tol, polish, numbers),
            source,
            None,
            workers,
            progress,
            held,
            single,
            algorithm,
            rows_of=rows_of,
        )
        return solution, made[0]


def gathered(source, workers):
    """All rows of a source, and weights or None where all are one."""
    rows = BlockRows(source, workers, 1)  # checks them
    X, weights = source.gathered()
    return X, weights if rows.weighted else None


def inertia_of(source, workers, centers):
    """The inertia of the rows with the nearest of these centers."""
    rows = BlockRows(source, workers, len(centers), compared_with=centers)
    return rows.inertia(rows.nearest(centers), centers)


def labels_of(source, workers, centers):
    """The nearest of these centers for each row, as an array."""
    rows = BlockRows(source, workers, len(centers), compared_with=centers)
    return rows.labels_of(rows.nearest(centers))
