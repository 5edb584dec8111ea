import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

def search(
    rows: Float,
    weights: Float,
    base: Float,
    k: int,
    first: int,
    floor: int,
    limit: float,
    wanted: float,
    budget: int,
    labels: NDArray[np.int32],
    state: NDArray[np.intp],
    clusters: Float,
    saved: Float,
    explained: Float,
    n_open: NDArray[np.int32],
) -> int: ...
