"""What can be relied on: failures that were measured on k-means programs, tried on this one and on scikit-learn's."""
