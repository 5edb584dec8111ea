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

def room(n_samples: int, n_features: int, n_clusters: int, settings: Bytes, double: bool) -> int: ...
def prepare(
    X: Rows, sample_weight: Float, n_clusters: int, settings: Bytes, double: bool, workspace: Workspace
) -> bool: ...
def improve(
    X: Rows,
    sample_weight: Float,
    start: int,
    stop: int,
    fresh: bool,
    numbers: Float,
    ceiling: float,
    workspace: Workspace,
    centers: Float,
    labels: Labels,
    ends: Bytes,
) -> int: ...
