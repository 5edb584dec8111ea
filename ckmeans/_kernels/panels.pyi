import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Rows = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int32]

def instruction_sets() -> list[str]: ...
def use(name: str) -> None: ...
def panel_rows(double: bool) -> int: ...
def tile_centers() -> int: ...
def survey(X: Rows, start: int, stop: int, total: Float, low: Float, high: Float) -> None: ...
def pack(X: Rows, origin: Float, scale: float, start: int, stop: int, panels: Rows, reach: Float) -> None: ...
def pack_centers(centers: Float, origin: Float, scale: float, tiles: Rows, centers_t: Float) -> float: ...
def assign(
    X: Rows,
    sample_weight: Float,
    panels: Rows,
    reach: Float,
    origin: Float,
    scale: float,
    tiles: Rows,
    center_reach: float,
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
) -> tuple[int, int]: ...
def assign_bounded(
    X: Rows,
    sample_weight: Float,
    panels: Rows,
    scale: float,
    tiles: Rows,
    center_reach: float,
    centers: Float,
    centers_t: Float,
    drift: Float,
    fastest: int,
    runner_up: float,
    start: int,
    stop: int,
    scores: Rows,
    scratch: Float,
    labels: Labels,
    moved: NDArray[np.intp],
    left: Labels,
    units: Float,
    sums: NDArray[np.int64],
    upper: Rows,
    lower: Rows,
) -> tuple[int, int, int]: ...
def score_error(reach: float, center_reach: float, n_features: int, double_precision: bool) -> float: ...
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
def iterate(
    X: Rows,
    sample_weight: Float,
    panels: Rows,
    reach: Float,
    origin: Float,
    scale: float,
    tiles: Rows,
    centers: Float,
    centers_t: Float,
    scores: Rows,
    scratch: Float,
    labels: Labels,
    moved: NDArray[np.intp],
    left: Labels,
    units: Float,
    sums: NDArray[np.int64],
    masses: Float,
    n_steps: int,
    fresh: bool,
) -> tuple[int, int, int, int]: ...
def restless(
    X: Rows,
    sample_weight: Float,
    panels: Rows,
    reach: Float,
    origin: Float,
    scale: float,
    tiles: Rows,
    center_reach: float,
    labels: Labels,
    masses: Float,
    start: int,
    stop: int,
    scores: Rows,
    mask: NDArray[np.uint8],
) -> None: ...
