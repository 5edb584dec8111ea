import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Rows = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int32]

def instruction_sets() -> list[str]: ...
def use(name: str) -> None: ...
def in_use() -> int: ...
def panel_rows(double: bool) -> int: ...
def tile_centers() -> int: ...
def column_extremes(X: Rows, start: int, stop: int, total: Float, low: Float, high: Float) -> None: ...
def pack(
    X: Rows, origin: Float, scale: float, start: int, stop: int, panels: Rows, max_norms: Float
) -> None: ...
def pack_centers(centers: Float, origin: Float, scale: float, tiles: Rows, centers_t: Float) -> float: ...
def assign(
    X: Rows,
    sample_weight: Float,
    panels: Rows,
    max_norms: Float,
    origin: Float,
    scale: float,
    tiles: Rows,
    max_center_norm: float,
    centers: Float,
    centers_t: Float,
    start: int,
    stop: int,
    scores: Rows,
    scratch: Float,
    labels: Labels,
    moved: NDArray[np.intp],
    left: Labels,
    units: Float,
    sums: NDArray[np.int64],
) -> tuple[int, int, int]: ...
def assign_hamerly(
    X: Rows,
    sample_weight: Float,
    panels: Rows,
    tiles: Rows,
    max_center_norm: float,
    centers: Float,
    centers_t: Float,
    drift: Float,
    start: int,
    stop: int,
    scores: Rows,
    scratch: Float,
    labels: Labels,
    moved: NDArray[np.intp],
    left: Labels,
    units: Float,
    sums: NDArray[np.int64],
    separation: Rows,
) -> tuple[int, int, int, int]: ...
def group_shape() -> tuple[int, int]: ...
def assign_yinyang(
    X: Rows,
    sample_weight: Float,
    origin: Float,
    shift: Rows,
    scale: float,
    groups: Rows,
    rows_of_centers: Rows,
    place: Labels,
    center_at: Labels,
    max_center_norm: float,
    centers: Float,
    centers_t: Float,
    drift: Float,
    own_drift: Float,
    group_drift: Float,
    group_drift_rounded_up: Rows,
    start: int,
    stop: int,
    batch: Rows,
    lists: Labels,
    scratch: Float,
    labels: Labels,
    moved: NDArray[np.intp],
    left: Labels,
    units: Float,
    sums: NDArray[np.int64],
    separation: Rows,
    upper_bounds: Rows,
    group_lower_bounds: Rows,
    needed: NDArray[np.uint8],
) -> tuple[int, int, int, int, int]: ...
def screen(
    X: Rows,
    panels: Rows,
    origin: Float,
    scale: float,
    tiles: Rows,
    scores: Rows,
    thresholds: Rows,
    passed: NDArray[np.uint64],
) -> None: ...
def means(sums: NDArray[np.int64], units: Float, centers: Float, masses: Float) -> int: ...
def board() -> int: ...
def iterate(
    X: Rows,
    sample_weight: Float,
    panels: Rows,
    max_norms: Float,
    origin: Float,
    scale: float,
    tiles: Rows,
    centers: Float,
    centers_t: Float,
    scores: Rows,
    scratch: Float,
    moved: NDArray[np.intp],
    left: Labels,
    sums: NDArray[np.int64],
    labels: Labels,
    units: Float,
    parts: NDArray[np.int64],
    total: NDArray[np.int64],
    masses: Float,
    found: NDArray[np.int64],
    n_steps: int,
    enough: int,
    fresh: bool,
    board: NDArray[np.int64],
    leads: bool,
) -> None: ...
def exchange_candidates(
    X: Rows,
    sample_weight: Float,
    panels: Rows,
    max_norms: Float,
    origin: Float,
    scale: float,
    tiles: Rows,
    max_center_norm: float,
    labels: Labels,
    masses: Float,
    start: int,
    stop: int,
    scores: Rows,
    mask: NDArray[np.uint8],
) -> None: ...
