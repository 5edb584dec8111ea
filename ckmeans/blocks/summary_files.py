"""Summaries in files: plain .npz, nothing in it is run; what cannot be of any rows is refused.

Arrays: version, numbers (max_cells, random_state, fixed, n_rows, n_features, n_reductions, scale, weight_scale), reach; seeds, weights, sums,
squares, lower, upper (none of which is there while the first rows are held); rows, row_weights (empty without weights).
Whole numbers are bytes, little-endian with a sign, all of an array of the same length.
"""

import io
import os
import zipfile
from pathlib import Path

import numpy as np

from ..files import write_whole
from .cell_sums import CellSums

VERSION = 1
NUMBERS = (
    "max_cells",
    "random_state",
    "fixed",
    "n_rows",
    "n_features",
    "n_reductions",
    "scale",
    "weight_scale",
)
HELD = ("version", "numbers", "reach", "rows", "row_weights")
CELLS = ("seeds", "weights", "sums", "squares", "lower", "upper")
# Units of float64 are 2**-1074 at least.
MOST_SCALE = 1074


def write(path, summary):
    """Write a summary, whole or not at all."""
    state = summary._state
    if state is None:
        raise ValueError("The summary has no rows: give it some before it is saved.")
    sums = CellSums(0, state.n_features) if state.sums is None else state.sums
    rows, weights = state.held_rows()
    own = {**vars(summary), **vars(state), "scale": sums.scale, "weight_scale": sums.weight_scale}
    arrays = {
        "version": np.array(VERSION),
        "numbers": np.array([int(own[name]) for name in NUMBERS], np.int64),
        "reach": np.array(state.reach),
        "rows": rows,
        "row_weights": np.empty(0) if weights is None else weights,
    }
    if state.sums is not None:
        arrays |= {"seeds": state.seeds, "lower": sums.lower, "upper": sums.upper}
        arrays |= {name: _bytes(getattr(sums, name)) for name in ("weights", "sums", "squares")}
    content = io.BytesIO()
    np.savez(content, **arrays)
    write_whole(path, content.getvalue())


def read(path, kind):
    """The summary that is in a file.

    Raises
    ------
    OSError
    ValueError
        For anything else than a file that `write` has written.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            arrays = _arrays(file, os.fstat(file.fileno()).st_size)
        return _summary(arrays, kind)
    except OSError:
        raise
    except Exception as error:  # an archive can be wrong in many ways, each with an error of its own
        raise ValueError(
            f"{path} is no summary, or was altered ({error}): get it again from who wrote it."
        ) from None


def _refuse_if(condition, what):
    if condition:
        raise ValueError(what)


def _arrays(file, size):
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        packed = any(info.compress_type != zipfile.ZIP_STORED for info in infos)
        names = [info.filename.removesuffix(".npy") for info in infos]
        _refuse_if(packed or sum(info.file_size for info in infos) > size, "it is compressed")
        _refuse_if(
            sorted(names) not in (sorted(HELD), sorted(HELD + CELLS)), "its arrays are not those of a summary"
        )
    file.seek(0)
    with np.load(file, allow_pickle=False) as found:
        return {name: found[name] for name in names}


def _summary(arrays, kind):
    version, numbers, reach = (arrays[name] for name in HELD[:3])
    _refuse_if(version.shape or version.dtype.kind not in "iu" or int(version) != VERSION, "another version")
    _refuse_if(numbers.shape != (len(NUMBERS),) or numbers.dtype != np.int64, "no numbers")
    _refuse_if(reach.shape or reach.dtype != np.float64 or not reach >= 0, "no reach")
    own = dict(zip(NUMBERS, numbers.tolist()))
    d = own["n_features"]
    _refuse_if(min(own.values()) < 0 or d < 1 or own["fixed"] > 1, "a number is out of range")
    _refuse_if(max(own["scale"], own["weight_scale"]) > MOST_SCALE, "a scale is out of range")
    rows, weights = arrays["rows"], arrays["row_weights"]
    _refuse_if(not _is_table(rows, d), "no rows")
    fits = weights.dtype == np.float64 and weights.shape in ((0,), (len(rows),))
    _refuse_if(not fits or not (np.isfinite(weights) & (weights > 0)).all(), "no weights")
    _refuse_if(len(rows) > own["n_rows"] or own["fixed"] and "seeds" not in arrays, "not so many rows")
    summary = kind(own["max_cells"], random_state=own["random_state"])
    summary.fixed = bool(own["fixed"])
    state = summary._new_state(d)
    state.n_rows, state.n_reductions, state.reach = own["n_rows"], own["n_reductions"], float(reach)
    if len(rows):
        _refuse_if("seeds" in arrays or not summary._holds(len(rows)), "rows beside cells")
        state.held, state.n_held = [(rows, weights if len(weights) else None)], len(rows)
    if "seeds" in arrays:
        state.seeds, state.sums = arrays["seeds"], _sums(arrays, own)
        most = len(state.seeds) if summary.fixed else summary.max_cells
        _refuse_if(not 0 < len(state.seeds) <= most, "too many cells")
    summary._adopt(state)
    return summary


def _is_table(values, n_features):
    return (
        values.dtype == np.float64
        and values.ndim == 2
        and values.shape[1] == n_features
        and values.flags.c_contiguous
        and bool(np.isfinite(values).all())
    )


def _sums(arrays, own):
    """The sums of cells, each of which some rows could have."""
    seeds, d = arrays["seeds"], own["n_features"]
    _refuse_if(not _is_table(seeds, d), "no seeds")
    n = len(seeds)
    sums = CellSums(n, d)
    sums.scale, sums.weight_scale = own["scale"], own["weight_scale"]
    sums._weights, sums._squares = (_integers(arrays[name], (n,)) for name in ("weights", "squares"))
    sums._sums = _integers(arrays["sums"], (n, d))
    lower, upper = arrays["lower"], arrays["upper"]
    filled = sums.weights > 0
    _refuse_if((sums.weights < 0).any(), "a weight is negative")
    empty = np.full((n - filled.sum(), d), np.inf)
    for box, ends in ((lower, empty), (upper, -empty)):
        fine = box.dtype == np.float64 and box.shape == (n, d)
        fine = fine and np.isfinite(box[filled]).all() and np.array_equal(box[~filled], ends)
        _refuse_if(not fine, "no boxes")
    _refuse_if(sums.squares[~filled].any() or sums.sums[~filled].any(), "sums of no rows")
    sums.lower, sums.upper = lower, upper
    _refuse_if(not sums.is_possible(), "sums that no rows in these boxes have")
    return sums


def _bytes(values):
    """Whole numbers as bytes, of shape (*shape, length)."""
    flat = values.ravel().tolist()
    length = max((abs(value).bit_length() for value in flat), default=0) // 8 + 1
    content = b"".join(value.to_bytes(length, "little", signed=True) for value in flat)
    return np.frombuffer(content, np.uint8).reshape(*values.shape, length)


def _integers(content, shape):
    _refuse_if(
        content.dtype != np.uint8 or content.shape[:-1] != shape or content.ndim != len(shape) + 1, "no sums"
    )
    length, content = content.shape[-1], content.tobytes()
    _refuse_if(not length, "no sums")
    values = np.empty(int(np.prod(shape)), object)
    values[:] = [
        int.from_bytes(content[at : at + length], "little", signed=True)
        for at in range(0, len(content), length)
    ]
    return values.reshape(shape)
