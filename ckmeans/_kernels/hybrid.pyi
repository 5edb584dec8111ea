import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Rows = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int32]

def room(n_samples: int, n_features: int, n_clusters: int, settings: Float, double: bool) -> int: ...
def prepare(
    X: Rows, sample_weight: Float, n_clusters: int, settings: Float, double: bool, scratch: Float
) -> bool: ...
def improve(
    X: Rows,
    sample_weight: Float,
    start: int,
    stop: int,
    fresh: bool,
    numbers: Float,
    ceiling: float,
    scratch: Float,
    centers: Float,
    labels: Labels,
    report: Float,
) -> int: ...
