"""Natural breaks of rasters: any shape, masks, dimensions with names, missing values; and how they look in a notebook."""

import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from ckmeans import NaturalBreaks, natural_breaks

RNG = np.random.default_rng(4)
RASTER = RNG.gamma(1, 10, (4, 5, 3)).round(2)
HOLES = RNG.random(RASTER.shape) < 0.3


def plain(values, k=3, weights=None):
    return natural_breaks(np.asarray(values).ravel(), k, sample_weight=weights)


@pytest.mark.parametrize("weighted", [False, True])
def test_any_shape(weighted):
    weights = RNG.integers(1, 4, RASTER.shape) if weighted else None
    found = natural_breaks(RASTER, 3, sample_weight=weights)
    other = plain(RASTER, weights=None if weights is None else weights.ravel())
    assert found.labels.shape == RASTER.shape and found.labels.dtype == np.int32
    assert found.breaks.tolist() == other.breaks.tolist()
    assert (found.labels.ravel() == other.labels).all()
    assert (found.classify(RASTER) == found.labels).all()
    assert natural_breaks(RASTER.tolist(), 3).labels.shape == RASTER.shape


def test_one_column_is_one_feature():
    column = RASTER.reshape(-1, 1)
    for values in (
        column,
        column.tolist(),
        pd.DataFrame(column),
        np.ma.masked_array(column, HOLES.reshape(-1, 1)),
    ):
        assert natural_breaks(values, 3).labels.shape == (RASTER.size,)
    with pytest.raises(ValueError, match="for several features use ckmeans.KMeans"):
        natural_breaks(pd.DataFrame(RASTER[0]), 2)


def test_masks_stay():
    values = np.ma.masked_array(RASTER, HOLES)
    found, other = natural_breaks(values, 3), plain(RASTER[~HOLES])
    for labels in (found.labels, found.classify(values)):
        assert isinstance(labels, np.ma.MaskedArray) and (labels.mask == HOLES).all()
        assert (labels[~HOLES] == other.labels).all() and (labels.filled() == -1).sum() == HOLES.sum()
    assert found.counts.sum() == (~HOLES).sum() and found.inertia == other.inertia
    weights = np.where(HOLES, 1e9, 2.0)
    assert natural_breaks(values, 3, sample_weight=weights).inertia == pytest.approx(2 * other.inertia)
    assert type(natural_breaks(np.ma.masked_array(RASTER), 3).labels) is np.ndarray


@pytest.mark.parametrize("make", [np.asarray, pd.Series, list])
def test_missing_values_apart(make):
    values = np.where(HOLES, np.nan, RASTER).ravel()
    found, other = natural_breaks(make(values), 3, missing="separate"), plain(RASTER[~HOLES])
    assert (found.labels[~HOLES.ravel()] == other.labels).all() and (found.labels[HOLES.ravel()] == -1).all()
    assert (found.classify(make(values), missing="separate") == found.labels).all()
    assert found.counts.sum() == (~HOLES).sum()
    weights = RNG.integers(1, 5, values.size)
    found = natural_breaks(make(values), 3, sample_weight=weights, missing="separate")
    other = plain(RASTER[~HOLES], weights=weights[~HOLES.ravel()])
    assert found.breaks.tolist() == other.breaks.tolist()


def test_what_is_refused_is_called_values():
    for values, words in {
        (1.0, np.nan, 3.0, np.nan): ["values[1] is NaN (so are 2 of 4)", "missing='separate'"],
        (1.0, np.inf, 3.0): ["values[1] is infinity", "drop these or correct them"],
    }.items():
        with pytest.raises(ValueError) as caught:
            natural_breaks(list(values), 2)
        assert all(word in str(caught.value) for word in words)
    with pytest.raises(ValueError, match=r"values\[0, 1\] is NaN"):
        natural_breaks([[1.0, np.nan], [2.0, 3.0]], 2)
    with pytest.raises(ValueError, match="values are empty"):
        natural_breaks([np.nan], 1, missing="separate")
    with pytest.raises(ValueError, match="missing='drop' is unknown"):
        natural_breaks([1.0], 1, missing="drop")
    with pytest.raises(ValueError, match="infinity"):
        natural_breaks([1.0, np.inf], 1, missing="separate")


class Named:
    """As much of a DataArray as is asked for."""

    dims, coords = ("y", "x"), {}

    def __init__(self, data):
        self.data, self.shape, self.dtype = data, data.shape, data.dtype

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.data, dtype)

    def copy(self, data):
        return Named(data)


def arrays():
    values = np.where(HOLES[0], np.nan, RASTER[0])
    yield Named(values)
    try:
        import xarray
    except ImportError:
        return
    yield xarray.DataArray(values, dims=("y", "x"), coords={"y": range(5), "x": [2.0, 4.0, 6.0]})


@pytest.mark.parametrize("values", list(arrays()), ids=lambda values: type(values).__name__)
def test_dimensions_with_names(values):
    found = natural_breaks(values, 3, missing="separate")
    again = found.classify(values, missing="separate")
    for labels in (found.labels, again):
        assert type(labels) is type(values) and labels.dims == ("y", "x")
        numbers = np.asarray(labels)
        assert (numbers[HOLES[0]] == -1).all() and numbers.dtype == np.int32
        assert (numbers[~HOLES[0]] == plain(RASTER[0][~HOLES[0]]).labels).all()


def test_names_of_others_and_html():
    found = natural_breaks([4, 1, 2, 40, 38, 41, 7], range(1, 4))
    assert isinstance(found, NaturalBreaks) and found.bins.tolist() == found.breaks[1:].tolist()
    for one in (found, *found.tried.values()):
        page = ET.fromstring(f"<div>{one._repr_html_()}</div>")
        rows = [[cell.text for cell in row] for row in page.iter("tr")]
        assert len(rows) == 1 + one.n_clusters and rows[1][1] == "1" and rows[-1][2] == "41"
        assert f"{one.n_clusters} natural breaks, proved optimal" in one._repr_html_()
