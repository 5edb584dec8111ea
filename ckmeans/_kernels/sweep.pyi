import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

def slopes(columns: Float, pivot: int, found: Float) -> None: ...
def turn(
    columns: Float,
    moments: Float,
    order: NDArray[np.intp],
    pivot: int,
    total: float,
    least: float,
    sides: NDArray[np.int8],
    values: Float,
) -> None: ...
