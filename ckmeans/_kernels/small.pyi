import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Rows = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int32]

def room(n_samples: int, n_features: int, n_clusters: int, settings: Float, double: bool) -> int: ...
def fits(
    X: Rows,
    sample_weight: Float,
    offsets: NDArray[np.intp],
    start: int,
    stop: int,
    init: Float,
    numbers: Float,
    settings: Float,
    scratch: Float,
    ends: Float,
    labels: Labels,
    centers: Float,
    report: Float,
) -> bool: ...
def restarts(
    X: Rows,
    sample_weight: Float,
    start: int,
    stop: int,
    n_clusters: int,
    init: Float,
    numbers: Float,
    settings: Float,
    scratch: Float,
    ends: Float,
) -> int: ...
def progress_of(scratch: Float) -> tuple[float, int, int, bool]: ...
def conclude(
    X: Rows,
    sample_weight: Float,
    ordered: bool,
    n_restarts: int,
    ends: Float,
    scratch: Float,
    labels: Labels,
    centers: Float,
    report: Float,
) -> bool: ...
def extent(X: Rows) -> float: ...
def label_rows(X: Rows, centers: Float, scratch: Float, labels: Labels) -> None: ...
def clear(scratch: Float) -> None: ...
