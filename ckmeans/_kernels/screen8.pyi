import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Single = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Rows = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int32]

def instruction_sets() -> list[str]: ...
def use(name: str) -> None: ...

class ScreenedRows:
    def __init__(
        self, bytes: Bytes, scales: Single, norms: Single, squares: Single, ratios: Single
    ) -> None: ...

class ScreenedCenters:
    def __init__(
        self,
        centers: Float,
        origin: Float,
        scale: float,
        shown: Float,
        shown_origin: Float,
        shown_scale: float,
        single: Single,
        row_single: Single,
        bytes: NDArray[np.int8],
        numbers: Single,
        value: Float,
        fine: NDArray[np.int8],
        pairs: Float,
        least_open: int,
    ) -> None: ...

class ScreenScratch:
    def __init__(
        self,
        passing: ScreenedRows,
        picked: ScreenedRows,
        waiting: ScreenedRows,
        value: Single,
        value_bytes: Bytes,
        products: Labels,
        reach: Single,
        near: Labels,
        distances: Float,
        units: Float,
        unit_weights: Float,
        unit_labels: Labels,
    ) -> None: ...

def dots_kinds() -> list[str]: ...
def dots_in_use() -> str: ...
def use_dots(name: str) -> None: ...
def shape() -> tuple[int, int, int, int]: ...
def pair_numbers() -> int: ...
def quantise(
    X: Rows,
    lengths: Float,
    origin: Float,
    scale: float,
    start: int,
    stop: int,
    rows: ScreenedRows,
    scratch: ScreenScratch,
) -> None: ...
def assign(
    X: Rows,
    lengths: Float,
    sample_weight: Float,
    rows: ScreenedRows | None,
    centers: ScreenedCenters,
    start: int,
    stop: int,
    labels: Labels,
    separation: Single,
    drift: Float,
    moved: NDArray[np.intp],
    old_labels: Labels,
    units: Float,
    sums: NDArray[np.int64],
    scratch: ScreenScratch,
) -> tuple[int, int, int, int, int]: ...
def nearer(
    rows: ScreenedRows,
    centers: ScreenedCenters,
    thresholds: Single,
    start: int,
    stop: int,
    passed: NDArray[np.uint64],
    scratch: ScreenScratch,
) -> None: ...
def least_bounds(
    X: Rows, centers: ScreenedCenters, scratch: ScreenScratch, low: Float, high: Float
) -> None: ...
def pair_bounds(
    X: Rows,
    centers: ScreenedCenters,
    scratch: ScreenScratch,
    fine: bool,
    scores: Float,
    errors: Float,
    pair_errors: Float,
) -> None: ...
