import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Single = NDArray[np.float32]
Short = NDArray[np.int16]
Entries = NDArray[np.float32] | NDArray[np.float64]
Indices = NDArray[np.int32] | NDArray[np.int64]
Labels = NDArray[np.int32]
Starts = NDArray[np.int64]

def instruction_sets() -> list[str]: ...
def use(name: str) -> None: ...
def count_owners(
    centers: Float, start: int, stop: int, counts: Labels, largest: Float, sq_norms: Float
) -> None: ...
def invert(
    centers: Float,
    scale: float,
    steps: Single,
    start: int,
    stop: int,
    place: Labels,
    starts: Starts,
    ends: Starts,
    full: Short,
    owners: Labels,
    values: Single,
) -> None: ...

class InvertedCenters:
    def __init__(
        self,
        centers: Float,
        sq_norms: Float,
        scale: float,
        half_norms: Single,
        steps: Single,
        place: Labels,
        starts: Starts,
        full: Short,
        owners: Labels,
        values: Single,
    ) -> None: ...

def label(
    data: Entries,
    indices: Indices,
    indptr: Starts,
    c: InvertedCenters,
    start: int,
    stop: int,
    labels: Labels,
    changed: NDArray[np.uint8],
    drift: Float,
    separation: Single,
    scores: Single,
    list: Labels,
    wide_scores: Float,
) -> tuple[int, int, int]: ...
