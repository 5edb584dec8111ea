import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Rows = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int32]

def instruction_sets() -> list[str]: ...
def use(name: str) -> None: ...

class PackedCenters:
    def __init__(
        self, centers: Float, origin: Float, scale: float, tiles: Rows, centers_t: Float
    ) -> None: ...

class Scratch:
    scores: Rows
    distances: Float
    moved: NDArray[np.intp]
    old_labels: Labels
    units: Float
    sums: NDArray[np.int64]
    def __init__(
        self,
        scores: Rows,
        distances: Float,
        moved: NDArray[np.intp],
        old_labels: Labels,
        units: Float,
        sums: NDArray[np.int64],
    ) -> None: ...

class CenterGroups:
    def __init__(
        self,
        origin: Rows,
        groups: Rows,
        rows_of_centers: Rows,
        place: Labels,
        center_at: Labels,
        drift: Float,
        own_drift: Float,
        group_drift: Float,
        group_drift_rounded_up: Rows,
    ) -> None: ...

class GroupScratch:
    def __init__(self, batch: Rows, lists: Labels, needed: NDArray[np.uint8]) -> None: ...

class Team:
    n_iter: int
    n_changed: int
    n_recomputed: int
    n_exact: int
    n_empty: int
    def __init__(
        self,
        parts: NDArray[np.int64],
        total: NDArray[np.int64],
        masses: Float,
        board: NDArray[np.int64],
        n_steps: int,
        enough: int,
        fresh: bool,
    ) -> None: ...

def in_use() -> int: ...
def panel_rows(double: bool) -> int: ...
def tile_centers() -> int: ...
def block_features() -> int: ...
def group_shape() -> tuple[int, int]: ...
def board() -> int: ...
def column_extremes(X: Rows, start: int, stop: int, total: Float, low: Float, high: Float) -> None: ...
def pack(
    X: Rows, origin: Float, scale: float, start: int, stop: int, panels: Rows, max_norms: NDArray[np.float32]
) -> None: ...
def assign(
    X: Rows,
    sample_weight: Float,
    panels: Rows,
    max_norms: NDArray[np.float32],
    centers: PackedCenters,
    labels: Labels,
    scratch: Scratch,
) -> tuple[int, int, int]: ...
def assign_hamerly(
    X: Rows,
    sample_weight: Float,
    centers: PackedCenters,
    drift: Float,
    start: int,
    stop: int,
    labels: Labels,
    separation: Rows,
    scratch: Scratch,
) -> tuple[int, int, int, int]: ...
def assign_yinyang(
    X: Rows,
    sample_weight: Float,
    centers: PackedCenters,
    groups: CenterGroups,
    start: int,
    stop: int,
    labels: Labels,
    separation: Rows,
    upper_bounds: Rows,
    group_lower_bounds: Rows,
    scratch: Scratch,
    group_scratch: GroupScratch,
) -> tuple[int, int, int, int, int]: ...
def screen(
    X: Rows,
    panels: Rows,
    centers: PackedCenters,
    scores: Rows,
    thresholds: Rows,
    passed: NDArray[np.uint64],
) -> None: ...
def means(sums: NDArray[np.int64], units: Float, centers: Float, masses: Float) -> int: ...
def iterate(
    X: Rows,
    sample_weight: Float,
    panels: Rows,
    max_norms: NDArray[np.float32],
    centers: PackedCenters,
    labels: Labels,
    scratch: Scratch,
    team: Team,
    leads: bool,
) -> None: ...
def exchange_candidates(
    X: Rows,
    sample_weight: Float,
    panels: Rows,
    max_norms: NDArray[np.float32],
    centers: PackedCenters,
    labels: Labels,
    masses: Float,
    scores: Rows,
    mask: NDArray[np.uint8],
) -> None: ...
