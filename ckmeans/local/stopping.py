"""When a search ends: the numbers that restarts.py goes by, and the kernels for small data."""

SAME = 1e-9  # relative difference up to which two inertias count as the same minimum
# n_init="auto" ends once so many restarts have reached the best value ...
ENOUGH_HITS = 3
# ... or so many, as long as they have cost no more coordinate differences than this ...
EASY_HITS, EASY_WORK = 8, 5e6
MOST_RESTARTS = 20  # ... or after so many restarts ...
# ... or this many coordinate differences, or WORK_RATIO times those of the first Lloyd run if that is more.
MOST_WORK = 5e8
WORK_RATIO = 4
MOST_ORDERS = (
    8  # times that the centers of the result are put in order, each move of a row lowering the inertia
)
SWAP_REACH = 0.02  # a swap still further than this share above its restart after a few iterations is given up
POLISH_REACH = 0.001  # one that ends further than this above it is not worth polishing
PATIENCE = 8  # swaps in a row without success, if there are not more clusters, that end a restart
