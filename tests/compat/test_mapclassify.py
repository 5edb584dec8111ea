"""The classifier for mapclassify and geopandas, beside their own."""

import warnings

import numpy as np
import pytest

mapclassify = pytest.importorskip("mapclassify")

from ckmeans import natural_breaks  # noqa: E402
from ckmeans.compat import FisherJenks, exact_schemes  # noqa: E402

RNG = np.random.default_rng(0)
VALUES = np.round(np.exp(RNG.normal(3, 1, 200)), 2)


def theirs(values, k):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mapclassify.FisherJenks(values, k)


@pytest.mark.parametrize("k", [2, 3, 5, 7])
def test_the_same_classes(k):
    ours, other = FisherJenks(VALUES, k), theirs(VALUES, k)
    assert ours.bins.tolist() == other.bins.tolist() and ours.yb.tolist() == other.yb.tolist()
    assert ours.counts.tolist() == other.counts.tolist() and ours.adcm == other.adcm
    assert (str(ours), ours.get_tss(), ours.gadf) == (str(other), other.get_tss(), other.gadf)
    assert ours.find_bin([-1.0, 20.0, 1e9]).tolist() == other.find_bin([-1.0, 20.0, 1e9]).tolist()
    assert ours.get_legend_classes() == other.get_legend_classes()


def test_time_stamps_and_weights():
    values = 1.7e9 + np.array([0, 1, 2, 40, 41, 90, 91, 92.0])
    assert FisherJenks(values, 3).bins.tolist() == (1.7e9 + np.array([2, 41, 92.0])).tolist()
    weights = RNG.integers(1, 9, len(VALUES))
    weighted = FisherJenks(VALUES, 4, sample_weight=weights)
    assert weighted.bins.tolist() == FisherJenks(np.repeat(VALUES, weights), 4).bins.tolist()
    assert weighted.exact.status == "optimal"
    with pytest.raises(ValueError, match="has weights"):
        weighted.update([1.0])


def test_more_values():
    first = FisherJenks(VALUES, 3)
    assert (
        first.update(VALUES * 2).bins.tolist() == FisherJenks(np.append(VALUES * 2, VALUES), 3).bins.tolist()
    )
    assert first.bins.tolist() == natural_breaks(VALUES, 3).breaks[1:].tolist()
    assert first.update(inplace=True, k=4) is None and first.k == 4 == len(first.bins)
    assert FisherJenks.make(k=3)(VALUES).tolist() == natural_breaks(VALUES, 3).labels.tolist()


def test_what_cannot_be_classified():
    with pytest.raises(ValueError, match="2 different values"):
        FisherJenks([1.0, 2.0, 2.0], 3)
    with pytest.raises(ValueError, match="NaN"):
        FisherJenks([1.0, np.nan, 2.0], 2)


def test_schemes():
    other = mapclassify.classify(VALUES, "quantiles", 4)
    with exact_schemes():
        for scheme in ("FisherJenks", "fisher_jenks", "NaturalBreaks"):
            found = mapclassify.classify(VALUES, scheme, 4)
            assert type(found) is FisherJenks
            assert found.bins.tolist() == natural_breaks(VALUES, 4).breaks[1:].tolist()
        assert mapclassify.classify(VALUES, "quantiles", 4).bins.tolist() == other.bins.tolist()
    assert type(mapclassify.classify(VALUES, "NaturalBreaks", 4)) is mapclassify.NaturalBreaks


@pytest.fixture
def districts():
    geopandas = pytest.importorskip("geopandas")
    pytest.importorskip("matplotlib").use("Agg")
    from shapely.geometry import box

    squares = [box(i % 20, i // 20, i % 20 + 1, i // 20 + 1) for i in range(len(VALUES))]
    return geopandas.GeoDataFrame({"rent": VALUES}, geometry=squares)


def upper_bounds(axes):
    return [float(text.get_text().split(",")[1]) for text in axes.get_legend().get_texts()]


def test_a_map(districts):
    with exact_schemes():
        axes = districts.plot("rent", scheme="FisherJenks", k=4, legend=True)
    assert upper_bounds(axes) == np.round(natural_breaks(VALUES, 4).breaks[1:], 2).tolist()


def test_the_map_of_a_classifier(districts):
    classes = FisherJenks(VALUES, 4, sample_weight=np.arange(1, len(VALUES) + 1))
    assert classes.bins.tolist() != FisherJenks(VALUES, 4).bins.tolist()
    _, axes = classes.plot(districts, legend=True)
    assert upper_bounds(axes) == np.round(classes.bins, 2).tolist()
    assert [len(drawn.get_paths()) for drawn in axes.collections] == classes.counts.tolist()
    assert mapclassify.classify(VALUES, "quantiles", 4).k == 4
    assert type(mapclassify.classify(VALUES[:9], "FisherJenks", 2)) is mapclassify.FisherJenks
