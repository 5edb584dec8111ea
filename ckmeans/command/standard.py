"""Features of unit variance, for numbers of any size."""

import numpy as np
from sklearn.preprocessing import StandardScaler

from ..scaling import unit


class Standardizer:
    """scikit-learn's StandardScaler, in powers of two in which no square overflows or vanishes.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    weights : ndarray of shape (n_samples,) or None
    """

    def __init__(self, X, weights=None):
        low, high = X.min(axis=0).astype(np.float64), X.max(axis=0).astype(np.float64)
        features = [slice(f, f + 1) for f in range(X.shape[1])]
        self.exponents = np.array([unit(low[f], high[f]) for f in features])
        if weights is not None:  # by their sum scikit-learn decides whether a feature is constant
            weights = np.ldexp(weights, -np.frexp(weights.max())[1])
        self.scaler = StandardScaler().fit(self._scaled(X, -self.exponents), sample_weight=weights)

    @staticmethod
    def _scaled(X, exponents):
        return np.ldexp(X, exponents) if exponents.any() else X

    def transform(self, X):
        """Rows of the units of the data in standardized units."""
        return self.scaler.transform(self._scaled(X, -self.exponents))

    def inverse_transform(self, X):
        """Rows of standardized units in the units of the data."""
        return self._scaled(self.scaler.inverse_transform(X), self.exponents)
