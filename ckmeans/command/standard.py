"""Features of unit variance, for numbers of any size."""

import numpy as np
from sklearn.pipeline import make_pipeline
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

    def before(self, estimator):
        """A pipeline of the same scaling, for numbers in the units of the data, and an estimator.

        Raises
        ------
        ValueError
            Where the scale of a feature is beyond the floats in these units.
        """
        scaler = StandardScaler()
        scaler.mean_, scaler.scale_, scaler.var_ = (
            np.ldexp(value, power * self.exponents)
            for value, power in ((self.scaler.mean_, 1), (self.scaler.scale_, 1), (self.scaler.var_, 2))
        )
        scaler.n_features_in_, scaler.n_samples_seen_ = (
            self.scaler.n_features_in_,
            self.scaler.n_samples_seen_,
        )
        if not (
            np.isfinite(scaler.mean_).all() and (scaler.scale_ > 0).all() and np.isfinite(scaler.scale_).all()
        ):
            raise ValueError("the scale of a feature is beyond the floats: give it in other units.")
        return make_pipeline(scaler, estimator)

    def inverse_transform(self, X):
        """Rows of standardized units in the units of the data."""
        return self._scaled(self.scaler.inverse_transform(X), self.exponents)
