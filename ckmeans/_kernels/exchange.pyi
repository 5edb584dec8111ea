import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Rows = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int32]

def instruction_sets() -> list[str]: ...
def use(name: str) -> None: ...
def abreast() -> int: ...
def scan(
    X: Rows,
    sample_weight: Float,
    rows: NDArray[np.intp],
    labels: Labels,
    centers_t: Float,
    masses: Float,
    start: int,
    stop: int,
    scratch: Float,
    movable: NDArray[np.uint8],
) -> None: ...
def exchange(
    X: Rows,
    sample_weight: Float,
    rows: NDArray[np.intp],
    scratch: Float,
    labels: Labels,
    centers_t: Float,
    masses: Float,
) -> int: ...
