import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Nodes = NDArray[np.intp]
Keys = NDArray[np.uint64]

LOWEST_BIT: int
N_LIMBS: int

def accumulate(
    values: Float, weights: Float, origin: float, nodes: Float, sums: Float, first: int, stop: int
) -> None: ...
def add_up(
    values: Float,
    weights: Float,
    origin: float,
    nodes: Nodes,
    limbs: NDArray[np.int64],
    squares: NDArray[np.int64],
    segment: int,
    first: int,
    stop: int,
) -> int: ...
def lags(nodes: Float, penalty: float, t: int, first: int, lag: Float) -> None: ...
def shortest(
    nodes: Float, penalty: float, before: NDArray[np.int32], queue: NDArray[np.int32], state: Nodes, stop: int
) -> None: ...
def sort_keys(values: Float, keys: Keys, counts: Nodes, start: int, stop: int) -> None: ...
def sort_pass(
    keys: Keys,
    weights: Float,
    digit: int,
    places: Nodes,
    sorted_keys: Keys,
    sorted_weights: Float,
    start: int,
    stop: int,
) -> None: ...
def sort_values(keys: Keys, values: Float, start: int, stop: int) -> None: ...
def thin(nodes: Float, size: int, chosen: Nodes) -> int: ...
def verify(
    nodes: Float,
    before: NDArray[np.int32],
    doubt: float,
    first: int,
    stop: int,
    direction: int,
    chosen: Nodes,
    lost: Float,
) -> float: ...
