"""scikit-learn's own checks of SphericalMixture."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from ckmeans import SphericalMixture


@parametrize_with_checks([SphericalMixture()])
def test_estimator_checks(estimator, check):
    check(estimator)
