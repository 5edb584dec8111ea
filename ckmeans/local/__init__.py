"""The local search and EM: rows, starts, iterations, and what is known of a local optimum."""
