import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Rows = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int32]
Bytes = NDArray[np.uint8]  # of records

class Workspace:
    inertia: float
    best_restart: int
    n_restarts: int
    finished: bool
    n_distances: int
    n_recomputed: int
    def __init__(self, memory: Float) -> None: ...
    def clear(self) -> None: ...

def statuses() -> dict[str, int]: ...
def records(
    settings: NDArray[np.void], ends: NDArray[np.void], reports: NDArray[np.void]
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]: ...
def room(n_samples: int, n_features: int, n_clusters: int, settings: Bytes, double: bool) -> int: ...
def fits(
    X: Rows,
    sample_weight: Float,
    offsets: NDArray[np.intp],
    start: int,
    stop: int,
    init: Float,
    numbers: Float,
    settings: Bytes,
    workspace: Workspace,
    ends: Bytes,
    labels: Labels,
    centers: Float,
    reports: Bytes,
) -> bool: ...
def restarts(
    X: Rows,
    sample_weight: Float,
    start: int,
    stop: int,
    n_clusters: int,
    init: Float,
    numbers: Float,
    settings: Bytes,
    workspace: Workspace,
    ends: Bytes,
) -> int: ...
def conclude(
    X: Rows,
    sample_weight: Float,
    ordered: bool,
    n_restarts: int,
    ends: Bytes,
    workspace: Workspace,
    labels: Labels,
    centers: Float,
    report: Bytes,
) -> bool: ...
def extent(X: Rows) -> float: ...
def label_rows(X: Rows, centers: Float, scratch: Float, labels: Labels) -> None: ...
