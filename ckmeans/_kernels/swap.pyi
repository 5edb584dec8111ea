import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Rows = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int32]

def two_nearest(
    X: Rows,
    centers_t: Float,
    labels: Labels,
    start: int,
    stop: int,
    scratch: Float,
    first: Float,
    second: Float,
) -> None: ...
def losses(
    X: Rows,
    sample_weight: Float,
    labels: Labels,
    first: Float,
    second: Float,
    candidate: Float,
    start: int,
    stop: int,
    sums: Float,
) -> None: ...
