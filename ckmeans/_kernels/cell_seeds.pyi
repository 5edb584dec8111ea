import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Places = NDArray[np.intp]
Numbers = NDArray[np.int32]

def build(
    points: Float, order: Places, starts: Places, features: Numbers, cuts: Float, copies: Float
) -> None: ...
def hang(
    points: Float, start: int, features: Numbers, cuts: Float, first: Numbers, after: Numbers
) -> None: ...
def find(
    X: Float,
    points: Float,
    order: Places,
    starts: Places,
    features: Numbers,
    cuts: Float,
    copies: Float,
    first: Numbers,
    after: Numbers,
    labels: Places,
    start: int,
    stop: int,
) -> None: ...
