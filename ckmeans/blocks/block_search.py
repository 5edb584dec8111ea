"""The local search over the rows of a block source."""

from dataclasses import dataclass

import numpy as np

from ..interrupts import Held
from ..local.random_stream import RandomStream
from ..local.restarts import LocalSolution, Restarts, run_until_limit
from ..local.sampled import Sampled, sample_size
from ..local.search import local_search
from ..local.seeding import random_rows
from ..local.trivial_bound import bound_of_one_cluster
from ..workers import Workers
from . import sources
from .block_rows import BlockRows
from .parts import LabelsOf


@dataclass(frozen=True, eq=False)
class BlockSolution(LocalSolution):
    """As LocalSolution.

    Attributes
    ----------
    labels : ndarray, or lazy
        Those of the centers in an order in which those without rows are last.
    counts : ndarray of shape (n_clusters,), int
        Rows of each cluster, in the order of the centers.
    """

    counts: np.ndarray


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
    BlockSolution
    """
    numbers = RandomStream(np.random.default_rng() if rng is None else rng)
    sampled = n_init == "auto" and isinstance(init, str) and n_clusters > 1
    few = source.size * source.dtype.itemsize <= sources.PART_BYTES
    few |= sampled and sample_size(len(source), n_clusters) == len(source)
    options = {"init": init, "n_init": n_init, "max_iter": max_iter, "tol": tol, "polish": polish}
    with Held() as own, Workers(n_threads, max_seconds) as workers:
        held = held or own
        try:
            if few:
                with workers.without_limit():
                    X, weights = gathered(source, workers)
                options |= {
                    "max_seconds": max_seconds,
                    "rng": rng,
                    "n_threads": n_threads,
                    "algorithm": algorithm,
                }
                options |= {"progress": progress, "held": held, "single": single}
                solution = local_search(X, n_clusters, sample_weight=weights, **options)
                counts = np.bincount(solution.labels, minlength=n_clusters)
            else:
                kind, kept = BlockSampled if sampled else BlockRestarts, []

                def rows_of(source, sample_weight, workers, algorithm):
                    kept.append(BlockRows(source, workers, n_clusters, algorithm))
                    kept[0].listener = getattr(progress, "passed", None)
                    return kept[0]

                def search_of(rows):
                    return kind(rows, n_clusters, numbers=numbers, **options)

                arguments = workers, progress, held, single, algorithm
                solution = run_until_limit(search_of, source, None, *arguments, rows_of=rows_of)
                counts = kept[0].counts(solution.labels)
            workers.deadline = np.inf
            order = np.argsort(counts == 0, kind="stable")
            labels = source.labelled(LabelsOf(solution.centers[order]))
        finally:
            source.close()
    return BlockSolution(**{**vars(solution), "labels": labels}, counts=counts)


def gathered(source, workers):
    """All rows of a source, and weights or None where all are one."""
    rows = BlockRows(source, workers, 1)  # checks them
    X, weights = source.gathered()
    return X, weights if rows.weighted else None


def inertia_of(source, workers, centers):
    """The inertia of the rows with the nearest of these centers."""
    rows = BlockRows(source, workers, len(centers), compared_with=centers)
    return rows.inertia(rows.nearest(centers), centers)
