"""EM for spherical Gaussians, one block of rows at a time: posteriors, and the sums the M-step is made of.

Of component k a kernel knows its mean, half_precision[k] = 1 / (2 variance) and bias[k]. Up to a constant that the
caller adds, the log joint density of a row and component k is

    bias[k] - half_precision[k] * sq_distance(row, mean k).

Means come transposed, (n_features, n_clusters), so that the compiler runs over components in the inner loop.
`scratch` is memory for two values per component, one such array for each block that is under way.
"""

from cython cimport floating
from libc.math cimport exp, log

cdef double VANISHING = -746.0  # exp of anything less is 0 in double, subnormal numbers included


cdef inline void sq_distances(
    const floating *x,                     # IN  (n_features,)
    const double[:, ::1] means,            # IN  (n_features, n_clusters)
    double *sq_distance,                   # OUT (n_clusters,)
) noexcept nogil:
    """By differences: |x|^2 - 2 x.c + |c|^2 would cancel far from the origin. Four features at a time."""
    cdef Py_ssize_t n_features = means.shape[0], n_clusters = means.shape[1], f = 0, k
    cdef const double *row
    cdef double a, b, c, d
    for k in range(n_clusters):
        sq_distance[k] = 0.0
    while f + 4 <= n_features:
        row = &means[f, 0]
        for k in range(n_clusters):
            a = x[f] - row[k]
            b = x[f + 1] - row[n_clusters + k]
            c = x[f + 2] - row[2 * n_clusters + k]
            d = x[f + 3] - row[3 * n_clusters + k]
            sq_distance[k] += (a * a + b * b) + (c * c + d * d)
        f += 4
    while f < n_features:
        row = &means[f, 0]
        for k in range(n_clusters):
            a = x[f] - row[k]
            sq_distance[k] += a * a
        f += 1


cdef inline double posterior(
    const floating *x,                     # IN  (n_features,)
    const double[:, ::1] means,            # IN  (n_features, n_clusters)
    const double[::1] half_precision,      # IN  (n_clusters,)
    const double[::1] bias,                # IN  (n_clusters,)
    double *sq_distance,                   # OUT (n_clusters,)
    double *responsibility,                # OUT (n_clusters,), sums to one
    Py_ssize_t *label,                     # OUT the most likely component
) noexcept nogil:
    """Log density of a row, by log-sum-exp. Ties go to the nearer mean, then to the lowest index."""
    cdef Py_ssize_t n_clusters = means.shape[1], best = 0, k
    cdef double top, total = 0.0
    sq_distances(x, means, sq_distance)
    for k in range(n_clusters):
        responsibility[k] = bias[k] - half_precision[k] * sq_distance[k]
    for k in range(1, n_clusters):
        if responsibility[k] > responsibility[best] or (
            responsibility[k] == responsibility[best] and sq_distance[k] < sq_distance[best]
        ):
            best = k
    label[0] = best
    top = responsibility[best]
    for k in range(n_clusters):
        responsibility[k] -= top
        responsibility[k] = 0.0 if responsibility[k] < VANISHING else exp(responsibility[k])
        total += responsibility[k]
    for k in range(n_clusters):
        responsibility[k] /= total
    return top + log(total)


def classify(
    const floating[:, ::1] X,              # IN  (n_samples, n_features)
    const double[:, ::1] means,            # IN  (n_features, n_clusters)
    const double[::1] half_precision,      # IN  (n_clusters,)
    const double[::1] bias,                # IN  (n_clusters,)
    double[:, ::1] scratch,                # TMP (2, n_clusters)
    int[::1] labels,                       # OUT (n_samples,)
    double[::1] log_density,               # OUT (n_samples,), up to the caller's constant
    Py_ssize_t start,
    Py_ssize_t stop,
):
    """Most likely component and log density of the rows start to stop."""
    cdef Py_ssize_t i, label
    with nogil:
        for i in range(start, stop):
            log_density[i] = posterior(
                &X[i, 0], means, half_precision, bias, &scratch[0, 0], &scratch[1, 0], &label
            )
            labels[i] = <int>label


def share(
    const floating[:, ::1] X,              # IN  (n_samples, n_features)
    const double[:, ::1] means,            # IN  (n_features, n_clusters)
    const double[::1] half_precision,      # IN  (n_clusters,)
    const double[::1] bias,                # IN  (n_clusters,)
    double[:, ::1] scratch,                # TMP (2, n_clusters)
    double[:, ::1] responsibilities,       # OUT (n_samples, n_clusters)
    double[::1] log_density,               # OUT (n_samples,), up to the caller's constant
    Py_ssize_t start,
    Py_ssize_t stop,
):
    """Responsibilities of all components for the rows start to stop, and the log density of the rows."""
    cdef Py_ssize_t i, label
    with nogil:
        for i in range(start, stop):
            log_density[i] = posterior(
                &X[i, 0], means, half_precision, bias, &scratch[0, 0], &responsibilities[i, 0], &label
            )


def accumulate(
    const floating[:, ::1] X,              # IN  (n_samples, n_features)
    const double[::1] sample_weight,       # IN  (n_samples,)
    const double[:, ::1] means,            # IN  (n_features, n_clusters)
    const double[:, ::1] origins,          # IN  (n_clusters, n_features), the same means
    const double[::1] half_precision,      # IN  (n_clusters,)
    const double[::1] bias,                # IN  (n_clusters,)
    bint hard,                             # IN  give each row wholly to its most likely component
    double[:, ::1] scratch,                # TMP (2, n_clusters)
    double[:, ::1] sums,                   # ADD (n_clusters, n_features + 2)
    double[::1] log_likelihood,            # ADD (1,), up to the caller's constant
    Py_ssize_t start,
    Py_ssize_t stop,
):
    """E-step and the sums of the M-step for the rows start to stop, without storing a responsibility.

    To row k of `sums` goes, summed over the rows x with weight w and responsibility r: w r (x - mean k), then w r,
    then w r |x - mean k|^2. Relative to the old mean no offset of the data costs a digit. `hard` is the
    classification step of Celeux and Govaert (1992).
    """
    cdef Py_ssize_t n_features = means.shape[0], n_clusters = means.shape[1], i, f, k, label
    cdef double *sq_distance = &scratch[0, 0]
    cdef double *responsibility = &scratch[1, 0]
    cdef const double *origin
    cdef double *total
    cdef double weight
    with nogil:
        for i in range(start, stop):
            if sample_weight[i] == 0.0:
                continue
            log_likelihood[0] += sample_weight[i] * posterior(
                &X[i, 0], means, half_precision, bias, sq_distance, responsibility, &label
            )
            for k in range(n_clusters):
                weight = sample_weight[i] * ((1.0 if k == label else 0.0) if hard else responsibility[k])
                if weight == 0.0:
                    continue
                total = &sums[k, 0]
                origin = &origins[k, 0]
                for f in range(n_features):
                    total[f] += weight * (X[i, f] - origin[f])
                total[n_features] += weight
                total[n_features + 1] += weight * sq_distance[k]


def scatter(
    const floating[:, ::1] X,              # IN  (n_samples, n_features)
    const double[::1] sample_weight,       # IN  (n_samples,)
    const double[:, ::1] means,            # IN  (n_features, n_clusters), these give the responsibilities
    const double[:, ::1] new_means,        # IN  (n_features, n_clusters), about these the scatter is taken
    const double[::1] half_precision,      # IN  (n_clusters,)
    const double[::1] bias,                # IN  (n_clusters,)
    double[:, ::1] scratch,                # TMP (2, n_clusters)
    double[::1] sums,                      # ADD (n_clusters,)
    Py_ssize_t start,
    Py_ssize_t stop,
):
    """Sum of w r |x - new mean k|^2 over the rows start to stop: for means that moved far, see `mixture.py`."""
    cdef Py_ssize_t n_clusters = means.shape[1], i, k, label
    cdef double *sq_distance = &scratch[0, 0]
    cdef double *responsibility = &scratch[1, 0]
    with nogil:
        for i in range(start, stop):
            if sample_weight[i] == 0.0:
                continue
            posterior(&X[i, 0], means, half_precision, bias, sq_distance, responsibility, &label)
            sq_distances(&X[i, 0], new_means, sq_distance)
            for k in range(n_clusters):
                sums[k] += sample_weight[i] * responsibility[k] * sq_distance[k]
