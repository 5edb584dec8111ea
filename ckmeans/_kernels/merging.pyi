import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Labels = NDArray[np.int32]

def merge(
    costs: Float, masses: Float, nearest: Labels, least: Float, into: Labels, n_merges: int
) -> None: ...
