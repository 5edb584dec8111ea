import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Cuts = NDArray[np.int32]

def project(
    A: Float,
    inverse: Float,
    cuts: Cuts,
    multipliers: Float,
    start: int,
    stop: int,
) -> None: ...
def combine(
    inverse: Float,
    cuts: Cuts,
    multipliers: Float,
    total: Float,
) -> None: ...
def separate(
    Z: Float,
    least: float,
    width: float,
    counts: NDArray[np.int64],
    cuts: Cuts,
    by: Float,
    found: int,
    start: int,
    stop: int,
) -> int: ...
