from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_Rows: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
_Doubles: TypeAlias = NDArray[np.float64]

def classify(
    X: _Rows,
    means: _Doubles,
    half_precision: _Doubles,
    bias: _Doubles,
    scratch: _Doubles,
    labels: NDArray[np.int32],
    log_density: _Doubles,
    start: int,
    stop: int,
) -> None: ...
def share(
    X: _Rows,
    means: _Doubles,
    half_precision: _Doubles,
    bias: _Doubles,
    scratch: _Doubles,
    responsibilities: _Doubles,
    log_density: _Doubles,
    start: int,
    stop: int,
) -> None: ...
def accumulate(
    X: _Rows,
    sample_weight: _Doubles,
    means: _Doubles,
    origins: _Doubles,
    half_precision: _Doubles,
    bias: _Doubles,
    hard: bool,
    scratch: _Doubles,
    sums: _Doubles,
    log_likelihood: _Doubles,
    start: int,
    stop: int,
) -> None: ...
def scatter(
    X: _Rows,
    sample_weight: _Doubles,
    means: _Doubles,
    new_means: _Doubles,
    half_precision: _Doubles,
    bias: _Doubles,
    scratch: _Doubles,
    sums: _Doubles,
    start: int,
    stop: int,
) -> None: ...
