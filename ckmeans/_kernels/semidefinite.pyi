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
    start: int,
    stop: int,
    violations: Float,
    partners: NDArray[np.int32],
) -> None: ...
def nonnegative(A: Float, below: Float, start: int, stop: int) -> None: ...
def add_up(
    start: Float,
    new: Float,
    projection: Float,
    near: Float,
    dual: Float,
    squares: Float,
) -> None: ...
