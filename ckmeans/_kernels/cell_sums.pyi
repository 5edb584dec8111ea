import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

def extent(values: Float, found: NDArray[np.int32]) -> None: ...
def add(
    X: Float,
    sample_weight: Float,
    labels: NDArray[np.intp],
    totals: NDArray[np.int64],
    lower: Float,
    upper: Float,
    base: int,
    weight_base: int,
    n_weight_digits: int,
    n_sum_digits: int,
) -> None: ...
