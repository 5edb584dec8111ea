"""Pictures; matplotlib is imported inside functions."""
