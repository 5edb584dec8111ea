import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Rows = NDArray[np.float32] | NDArray[np.float64]

def potentials(
    X: Rows, sample_weight: Float, closest: Float, candidates: Float, start: int, stop: int, sums: Float
) -> None: ...
def take(X: Rows, center: Float, start: int, stop: int, closest: Float) -> None: ...
