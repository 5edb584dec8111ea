"""What `ckmeans fit` proves without being asked, where that takes no second: small tables, and one feature."""

import click

from ..words import format_duration

# Rows of one feature, of two or three, and of more, up to which it is tried, with this limit in seconds. Of tables in 2 to 8
# clusters, apart, overlapping and even, of 100 to 300 rows of two or three features, `certify` took at most 0.8 s of processor time
# for each of 47; of 100 and 150 rows of four or six features less than a second for 13 of 21, most of the others even; for 1,000 rows of one
# feature 0.3 s.
ONE, FEW, MORE, LIMIT = 2000, 300, 150, 1.0
# Rows of two features and of more up to which --prove is said to be likely to come to an end within this many seconds: of the
# same tables up to 200 rows of five features, and of 12 up to 1,000 rows of two, all that ended took at most 5.1 s.
LIKELY_TWO, LIKELY, SECONDS = 1000, 200, 10
# `certify` took one second of one processor for so many rows of one feature; --prove is named up to the time it has by default.
ONE_PER_SECOND, LONGEST = 5000, 60
# What is said of one feature with more rows than that.
OF_ONE_FEATURE = (
    "optimal: no clusters of one feature cost less, by dynamic programming; the checker has not seen it"
)
# What the user says of the search is done, and nothing else.
OF_THE_SEARCH = "init", "n_init", "algorithm", "polish", "time_limit"


def left_to_us(ctx):
    """Is nothing said of how the search is done?"""
    default = click.core.ParameterSource.DEFAULT
    return all(ctx.get_parameter_source(name) is default for name in OF_THE_SEARCH)


def best_of_one_feature(job, n_clusters):
    """The best clusters of one feature; None where there are more, or as many clusters as rows."""
    n_rows, n_features = job.X.shape
    if n_features != 1 or n_clusters >= n_rows:
        return None
    from .. import natural_breaks

    return natural_breaks(job.X[:, 0], n_clusters, sample_weight=job.table.weights)


def proved(job, model, show):
    """A certificate of the clusters of a fitted model, of status "optimal" or "optimal-unique", or None.

    Where better clusters are found on the way, the model is fitted again, and ends there.
    """
    n_rows, n_features = job.X.shape
    if model.status_ == "optimal" or n_rows > (ONE if n_features == 1 else FEW if n_features <= 3 else MORE):
        return None
    import numpy as np

    from .. import certify

    for _ in range(2):
        show(0, "proof")
        found = certify(
            job.X,
            model.labels_,
            n_clusters=model.n_clusters,
            sample_weight=job.table.weights,
            time_limit=LIMIT,
            **job.seeded,
        )
        better = found.better
        if better is None:
            return None if found.status == "bounded" else found
        means = better.problem.exact.centers(better.labels)
        centers = [means.get(k) or next(iter(means.values())) for k in range(model.n_clusters)]
        job.run(model.set_params(init=np.array(centers, float), n_init=1))
    return None


def hint(job, optimal):
    """What --prove would tell, and in what time, in words; None where that is not likely to be quick."""
    n_rows, n_features = job.X.shape
    what = "has the checker see that" if optimal else "tells how far this is above the best, at most"
    if n_features == 1:
        seconds = max(2.0, n_rows / ONE_PER_SECOND)
        return f"--prove {what}: likely in {format_duration(seconds)}" if seconds <= LONGEST else None
    few = n_rows <= (LIKELY_TWO if n_features == 2 else LIKELY)
    return f"--prove {what}: likely in less than {SECONDS} s" if few else None
