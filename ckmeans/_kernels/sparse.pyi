import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Single = NDArray[np.float32]
Entries = NDArray[np.float32] | NDArray[np.float64]
Indices = NDArray[np.int32] | NDArray[np.int64]
Labels = NDArray[np.int32]
Starts = NDArray[np.int64]

def instruction_sets() -> list[str]: ...
def use(name: str) -> None: ...
def column_extremes(
    data: Entries, indices: Indices, start: int, stop: int, low: Float, high: Float, counts: Starts
) -> None: ...
def count_owners(centers: Float, start: int, stop: int, counts: Labels, sq_norms: Float) -> None: ...
def invert(
    centers: Float,
    scale: float,
    start: int,
    stop: int,
    place: Labels,
    starts: Starts,
    ends: Starts,
    full: Single,
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
        place: Labels,
        starts: Starts,
        full: Single,
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
def means(
    data: Entries,
    indices: Indices,
    indptr: Starts,
    sample_weight: Float,
    units: Float,
    order: NDArray[np.intp],
    starts: NDArray[np.intp],
    some: NDArray[np.intp],
    start: int,
    stop: int,
    centers: Float,
    masses: Float,
    position: Labels,
    features: Labels,
    sums: NDArray[np.int64],
    own_units: Float,
    mean: Float,
) -> None: ...
def shift(
    data: Entries,
    indices: Indices,
    indptr: Starts,
    sample_weight: Float,
    units: Float,
    moved: NDArray[np.intp],
    clusters: NDArray[np.intp],
    signs: Starts,
    start: int,
    stop: int,
    sums: Starts,
) -> None: ...
def own_distances(
    data: Entries,
    indices: Indices,
    indptr: Starts,
    labels: Labels,
    centers: Float,
    sq_norms: Float,
    starts: Starts,
    listed: Labels,
    start: int,
    stop: int,
    out: Float,
) -> None: ...
def distances(
    data: Entries,
    indices: Indices,
    indptr: Starts,
    centers: Float,
    place: Labels,
    few: Float,
    sq_norms: Float,
    starts: Starts,
    listed: Labels,
    first: int,
    start: int,
    stop: int,
    out: Float,
) -> None: ...
