import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

def product(vectors: Float, total: Float, start: int, stop: int) -> None: ...
def reduce(
    A: Float, pending: Float, factors: Float, diagonal: Float, off: Float, start: int, stop: int
) -> None: ...
def reflect(A: Float, factors: Float, vectors: Float, start: int, stop: int) -> None: ...
