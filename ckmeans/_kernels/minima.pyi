import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Labels = NDArray[np.int32]

def lloyd_runs(
    X: Float,
    sample_weight: Float,
    init: Float,
    numbers: Float,
    settings: NDArray[np.uint8],
    wide: bool,
    memory: Float,
    labels: Labels,
    centers: Float,
    ends: Float,
) -> int: ...
def fixed_points(
    X: Float,
    weights: Float,
    margin: float,
    ordered: bool,
    fixed: int,
    fresh: bool,
    most: int,
    labels: Labels,
    sums: Float,
    lines: Float,
    found: Labels,
    ties: NDArray[np.uint8],
) -> tuple[int, bool]: ...
def measure(
    X: Float,
    sample_weight: Float,
    labels: Labels,
    scratch: Float,
    masses: Float,
    centers: Float,
    ends: Float,
) -> None: ...
