"""The faces that scikit-learn knows."""
