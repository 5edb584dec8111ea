"""The exact methods and the bounds: what finds the best clusters, or says that none cost less."""
