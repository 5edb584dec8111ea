import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Labels = NDArray[np.int32]
Rows = NDArray[np.float32] | NDArray[np.float64]

def score_error(
    max_norm: float, max_center_norm: float, n_features: int, double_precision: bool
) -> float: ...
def gains(
    X: Rows,
    lengths: Float,
    sample_weight: Float,
    closest: Float,
    passed: NDArray[np.uint64],
    panel_rows: int,
    instructions: int,
    opposites: Float,
    units: Float,
    sums: Float,
) -> None: ...
def take(
    X: Rows,
    lengths: Float,
    sample_weight: Float,
    center: Float,
    passed: NDArray[np.uint64],
    panel_rows: int,
    origin: Float,
    scale: float,
    margin: float,
    units: Float,
    closest: Float,
    thresholds: Rows,
) -> tuple[float, int, int]: ...
def room() -> int: ...
def approach(
    X: Rows, sample_weight: Float, centers: Float, labels: Labels, first: int, closest: Float, owners: Labels
) -> float: ...
