import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Rows = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int32]
Integers = NDArray[np.int64]
Words = NDArray[np.uint64]

def shape() -> tuple[int, int, int, int]: ...
def keys(
    X: Rows,
    origin: Float,
    scale: float,
    starts: NDArray[np.float32],
    rates: NDArray[np.float32],
    steps: NDArray[np.float32],
    bits: int,
    start: int,
    stop: int,
    words: Words,
    isa: int,
) -> None: ...
def count(words: Words, digit: int, start: int, stop: int, counts: Integers) -> None: ...
def spread(
    words: Words, digit: int, start: int, stop: int, places: Integers, out: Words, order: Labels
) -> None: ...
def fill(
    X: Rows,
    sample_weight: Float,
    order: Labels,
    origin: Float,
    scale: float,
    units: Float,
    start: int,
    stop: int,
    leaves: Rows,
    bases: Rows,
    middles: Float,
    norms: Float,
    boxes: Rows,
    sums: Integers,
    isa: int,
) -> None: ...
def join(
    n_below: int,
    first_below: int,
    first: int,
    start: int,
    stop: int,
    boxes: Rows,
    sums: Integers,
) -> None: ...
def take_labels(
    labels: Labels, order: Labels, start: int, stop: int, own: Labels, node_labels: Labels
) -> None: ...
def assign(
    X: Rows,
    sample_weight: Float,
    order: Labels,
    levels: Integers,
    leaves: Rows,
    bases: Rows,
    scale: float,
    middles: Float,
    norms: Float,
    boxes: Rows,
    sums: Integers,
    max_norm: float,
    centers: Float,
    packed: Rows,
    shifted: Float,
    max_center_norm: float,
    start: int,
    stop: int,
    labels: Labels,
    own: Labels,
    node_labels: Labels,
    distances: Float,
    moved: NDArray[np.intp],
    old_labels: Labels,
    units: Float,
    cluster_sums: Integers,
    lists: Labels,
    survives: NDArray[np.uint16],
    scores: Rows,
    candidates: Float,
    new_labels: Labels,
    isa: int,
) -> tuple[int, int, int, int, int]: ...
