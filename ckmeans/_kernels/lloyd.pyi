import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Rows = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int32]

def accumulate(
    X: Rows,
    sample_weight: Float,
    labels: Labels,
    centers: Float,
    start: int,
    stop: int,
    shifts: Float,
    masses: Float,
    inertia: float = 0,
) -> float: ...
def distances(X: Rows, centers_t: Float, start: int, stop: int, out: Float) -> None: ...
def removal_gains(
    X: Rows,
    sample_weight: Float,
    labels: Labels,
    centers: Float,
    masses: Float,
    start: int,
    stop: int,
    gains: Float,
) -> None: ...
