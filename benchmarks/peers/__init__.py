"""k-means programs side by side: the same data, the same start, results checked before times are compared."""
