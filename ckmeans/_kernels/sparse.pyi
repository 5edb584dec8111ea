import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Entries = NDArray[np.float32] | NDArray[np.float64]
Indices = NDArray[np.int32] | NDArray[np.int64]
Labels = NDArray[np.int32]
Starts = NDArray[np.int64]

def column_extremes(
    data: Entries, indices: Indices, start: int, stop: int, low: Float, high: Float, counts: Starts
) -> None: ...
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
