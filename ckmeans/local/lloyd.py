"""Lloyd's iteration: rows to their nearest centers, centers to the means of their rows, until nothing changes."""

import numpy as np

# Updates after which the inertia must have fallen, or the iteration ends: rounding could in theory go in circles.
CHECK = 256
# Updates that fill empty clusters, in one run: after these empty clusters stay empty, for the same reason.
MOST_RELOCATIONS = 256


def lloyd(
    rows, centers, max_iter=None, tol=0.0, on_centers=None, partition=None, cutoff=None, extrapolation=None
):
    """Lloyd's iteration from given centers (Lloyd 1982, IEEE Trans. Inf. Theory 28:129-137).

    Parameters
    ----------
    rows : Rows
    centers : ndarray of shape (n_clusters, n_features), float64
    max_iter : int or None
        Most updates of the centers; None for no limit.
    tol : float
        Stop after an update that moves the centers by no more than this: the sum of the squares of their shifts, as a share
        of the mean variance of the features. 0 goes on until no label changes.
    on_centers : callable(centers, labels), optional
        Is called with the centers and labels of every completed assignment; the labels will change.
    partition : Partition, optional
        Where to start from, if it is near; it is changed. The result does not depend on it.
    cutoff : cutoffs.SwapCutoff or cutoffs.Rest, optional
        Give up where `cutoff.is_lost(partition, centers, n_iter)` after `cutoff.next_check` updates, which that call raises.
    extrapolation : extrapolation.Extrapolation, optional
        Steps beyond the means, on the way to a fixed point that is another one then, perhaps.

    Returns
    -------
    partition : Partition
        Its labels are the nearest centers.
    centers : ndarray of shape (n_clusters, n_features), float64
    n_iter : int
        Updates of the centers.
    stop_reason : {"converged", "tol", "max_iter", "hopeless"}
    """
    last, n_iter, n_relocations, fresh, near = np.inf, 0, 0, True, False
    partition = partition or rows.partition(len(centers))
    most = np.inf if max_iter is None else max_iter
    while True:
        look = n_iter
        if tol == 0 and not (extrapolation and extrapolation.stepped):
            looks = [
                watch
                for watch in (cutoff and cutoff.next_check, extrapolation and extrapolation.next_look)
                if watch
            ]
            look = max(n_iter, min(most, *looks, -(-(n_iter + 1) // CHECK) * CHECK))
        centers, done, n_changed, masses = rows.panels.iterate(centers, partition, look - n_iter, fresh)
        n_iter, settled, fresh = n_iter + done, not n_changed and (done or not fresh), False
        if masses is None and extrapolation and extrapolation.stepped:
            back = extrapolation.judge(n_iter, partition.inertia(centers))
            n_iter += 1
            if back is not None:
                centers, fresh = back, True
                continue
            centers, masses = partition.means(centers)
        elif masses is None:
            if on_centers is not None:
                on_centers(centers, partition.labels)
            if near:
                return partition, centers, n_iter, "tol"
            if settled:
                return partition, centers, n_iter, "converged"
            if n_iter and n_iter % CHECK == 0:
                inertia = rows.cost(partition.labels, centers)
                if last <= inertia:
                    return partition, centers, n_iter, "converged"
                last = inertia
            if n_iter == max_iter:
                return partition, centers, n_iter, "max_iter"
            if (
                cutoff is not None
                and n_iter >= cutoff.next_check
                and cutoff.is_lost(partition, centers, n_iter)
            ):
                return partition, centers, n_iter, "hopeless"
            before = centers
            centers, masses = partition.means(centers)
            n_iter += 1
            if extrapolation and extrapolation.next_look < n_iter < most and masses.all():
                centers = extrapolation.step(n_iter, centers, partition.inertia(centers))
        if not masses.all() and n_relocations < MOST_RELOCATIONS:
            n_relocations += 1
            centers = relocate(rows, partition.labels, centers, masses)
        near = tol > 0 and ((centers - before) ** 2).sum() <= tol * rows.variance


def relocate(rows, labels, means, masses):
    """Move each center without weight to the point whose own cluster lowers the inertia most, one after the other.

    A point is all rows that are equal, so that a weight does what as many copies of the row would do.
    With fewer distinct rows than clusters there is no such row in the end; what is left over lies on another center,
    where, ties going to the lowest index, one of the two stays empty. The labels are not changed in the end.
    """
    means, masses, before = means.copy(), masses.copy(), labels.copy()
    empty = np.flatnonzero(masses == 0)
    try:
        for n_filled, k in enumerate(empty):
            found = rows.most_apart(labels, means, masses)
            if found is None:
                means[empty[n_filled:]] = means[np.flatnonzero(masses)[0]]
                break
            row, x, old, weight, same = found
            masses[old] -= weight
            means[old] -= weight / masses[old] * (x - means[old])
            means[k], masses[k] = x, weight
            labels[same] = k
    finally:
        labels[:] = before
    return means


def round_off(rows, clustering, partition=None):
    """Round off a fixed point: centers that are the means of their labels to the last bit, if the labels stay with them.

    With the partition that has these labels it takes less time, if bounds are kept there.
    """
    partition = partition or rows.partition(len(clustering.centers), summed=False, labels=clustering.labels)
    means, _, inertia = rows.update(clustering.labels, clustering.centers, partition)
    for _ in range(3):
        clustering = clustering._replace(inertia=inertia)
        if np.array_equal(means, clustering.centers):
            break
        if rows.panels.iterate(means, partition, 0, True)[2]:
            rows.panels.iterate(clustering.centers, partition, 0, True)  # back
            break
        clustering = clustering._replace(centers=means)
        means, _, inertia = rows.update(clustering.labels, means, partition)
    return clustering._replace(inertia=inertia)
