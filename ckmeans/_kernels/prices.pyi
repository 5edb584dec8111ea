import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Flags = NDArray[np.uint8]
Whole = NDArray[np.int32]

def local_maxima(
    X: Float, weights: Float, prices: Float, starts: Float, values: Float, members: Flags
) -> None: ...
def search(
    X: Float,
    weights: Float,
    prices: Float,
    tops: Float,
    slacks: Float,
    has_cannot_link: Flags,
    cannot_link: Whole,
    rounding: float,
    kappa: float,
    tiny: float,
    norm: float,
    mean_error: float,
    best_only: bool,
    tolerance: float,
    budget: int,
    boxes: Float,
    lists: NDArray[np.intp],
    pool: Whole,
    found: Float,
    branched_rows: Whole,
    bounds: Float,
    state: NDArray[np.intp],
    marks: Flags,
    work: Float,
) -> int: ...
