"""The way to ONNX: skl2onnx is told how to convert the estimators, where it is installed."""

from .exact import ExactKMeans
from .kmeans import KMeans


def register_onnx_converters() -> None:
    """Tell skl2onnx how to convert `KMeans` and `ExactKMeans`, in pipelines too: ``skl2onnx.to_onnx`` takes them from then on.

    The graph is that of scikit-learn's KMeans: labels, and distances from expanded squares, in the precision of its input. A
    row that is nearly as far from two centers may get the other label there, and distances lose the digits of a large offset:
    subtract the mean first.

    Raises
    ------
    ImportError
        Without skl2onnx.

    References
    ----------
    ONNX, https://onnx.ai; sklearn-onnx, https://onnx.ai/sklearn-onnx.

    Examples
    --------
    >>> from ckmeans import register_onnx_converters
    >>> register_onnx_converters()  # doctest: +SKIP
    >>> graph = skl2onnx.to_onnx(model, X[:1])  # doctest: +SKIP
    """
    from skl2onnx import update_registered_converter
    from skl2onnx.operator_converters.k_means import convert_sklearn_kmeans
    from skl2onnx.shape_calculators.k_means import calculate_sklearn_kmeans_output_shapes

    for estimator in (KMeans, ExactKMeans):
        update_registered_converter(
            estimator,
            f"Ckmeans{estimator.__name__}",
            calculate_sklearn_kmeans_output_shapes,
            convert_sklearn_kmeans,
            options={"gemm": [True, False]},
        )
