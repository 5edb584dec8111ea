from numpy import float64, int8, int32
from numpy.typing import NDArray

CHUNK: int

def best_scores(
    sums: NDArray[float64],
    weights: NDArray[float64],
    starts: NDArray[int32],
    total: NDArray[float64],
    low_sums: NDArray[float64],
    low_weights: NDArray[float64],
    reduced: bool,
    coefs: NDArray[float64],
    columns: NDArray[float64],
    top: NDArray[float64],
) -> None: ...
def instruction_sets() -> list[str]: ...
def use(name: str) -> None: ...
def sum_scores(
    sums: NDArray[float64],
    weights: NDArray[float64],
    starts: NDArray[int32],
    total: NDArray[float64],
    low_sums: NDArray[float64],
    low_weights: NDArray[float64],
    reduced: bool,
    shift: float,
    scale: float,
    head: NDArray[int8],
    labels: NDArray[int8],
    low_labels: NDArray[int8],
    n_stem: int,
    stems: NDArray[int32],
    tails: NDArray[int32],
    coefs: NDArray[float64],
    columns: NDArray[float64],
    values: NDArray[float64],
    cells: NDArray[float64],
    sheets: NDArray[float64],
    by_prefix: NDArray[float64],
    by_entry: NDArray[float64],
    pairs: NDArray[float64],
) -> float: ...
def exponentials(x: NDArray[float64], out: NDArray[float64]) -> None: ...
