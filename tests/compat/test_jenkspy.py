"""jenkspy's function and class, beside jenkspy itself where it is installed."""

from fractions import Fraction

import numpy as np
import pytest

from ckmeans import compat
from ckmeans.compat import JenksNaturalBreaks, jenks_breaks

VALUES = [1.3, 7.1, 7.3, 2.3, 3.9, 4.1, 7.8, 1.2, 4.3, 7.3, 5.0, 4.3]


def cost(values, breaks):
    """The sum of squares within the classes, in fractions."""
    values = sorted(map(Fraction, values))
    groups = [
        [v for v in values if low < v <= high] for low, high in zip([-(10**400), *breaks[1:-1]], breaks[1:])
    ]
    return sum(sum((v - sum(group) / len(group)) ** 2 for v in group) for group in groups if group)


def test_the_example_of_jenkspy():
    assert jenks_breaks(VALUES, n_classes=3) == [1.2, 2.3, 5.0, 7.8]
    assert (
        jenks_breaks(np.array(VALUES), 3.0) == jenks_breaks(iter(VALUES), np.int64(3)) == [1.2, 2.3, 5.0, 7.8]
    )
    assert jenks_breaks(VALUES, 1) == [1.2, 7.8]
    assert all(type(value) is float for value in jenks_breaks([1, 2, 3], 2))


@pytest.mark.parametrize("seed", range(40))
def test_beside_jenkspy(seed):
    jenkspy = pytest.importorskip("jenkspy")
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 30, rng.integers(8, 40)) / rng.choice([1, 4, 8])
    k = int(rng.integers(1, min(8, len(np.unique(values)) + 1)))
    ours, theirs = jenks_breaks(values, k), jenkspy.jenks_breaks(values, k)
    assert cost(values, ours) <= cost(values, theirs)
    assert len(ours) == len(theirs) and ours[0] == theirs[0] and ours[-1] == theirs[-1]
    if cost(values, ours) == cost(values, theirs):
        one, other = JenksNaturalBreaks(k), jenkspy.JenksNaturalBreaks(k)
        one.fit(values)
        other.fit(values)
        if one.breaks_ == list(other.breaks_):
            probe = np.append(values, [-5.0, 100.0, 3.3])
            assert one.predict(probe).tolist() == other.predict(probe).tolist()
            assert [g.tolist() for g in one.groups_] == [g.tolist() for g in other.groups_]
            gvf = other.goodness_of_variance_fit(values)
            assert one.goodness_of_variance_fit(values) == pytest.approx(gvf, abs=1e-12)
            assert repr(one) == repr(other) and one.predict(2.0) == other.predict(2.0)
            for value in (-5.0, 100.0, values[0]):
                assert one.get_label_(value) == other.get_label_(value)


def test_time_stamps():
    """jenkspy loses the differences of values that are far from zero."""
    values = 1.7e15 + np.array([0, 1, 2, 40, 41, 90, 91, 92.0])
    assert jenks_breaks(values, 3) == (1.7e15 + np.array([0, 2, 41, 92.0])).tolist()


WRONG = {
    "a number": (5, 2, TypeError),
    "text": ("12345", 2, TypeError),
    "words": (["a", "b"], 2, TypeError),
    "beyond 64 bits": ([0, 1, 2**70], 2, TypeError),
    "beyond 64 bits, an array": (np.array([0, 1, 2**70]), 2, TypeError),
    "two dimensions": (np.eye(3), 2, ValueError),
    "NaN": ([1.0, np.nan, 2.0], 2, ValueError),
    "infinite": ([1.0, np.inf, 2.0], 2, ValueError),
    "beyond the floats": ([1, 2, 10**400], 2, TypeError),
    "half a class": ([1, 2, 3], 2.5, TypeError),
    "a class in words": ([1, 2, 3], "2", TypeError),
    "none": ([1, 2, 3], 0, ValueError),
    "more classes than values": ([1, 2, 2, 2], 3, ValueError),
    "no values": ([], 1, ValueError),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_are_of_the_same_kind(name):
    values, n_classes, kind = WRONG[name]
    with pytest.raises(kind):
        jenks_breaks(values, n_classes)
    try:
        import jenkspy
    except ImportError:
        return
    with pytest.raises(kind):
        jenkspy.jenks_breaks(values, n_classes)


def test_classes_out_of_range():
    with pytest.raises(ValueError, match="n_classes=0"):
        JenksNaturalBreaks(0)
    with pytest.raises(TypeError, match="no whole number"):
        JenksNaturalBreaks("3")


@pytest.mark.parametrize(
    "missing, error, said",
    [("mapclassify", ImportError, "pip install mapclassify"), ("other", ModuleNotFoundError, "other")],
)
def test_what_is_not_installed(monkeypatch, missing, error, said):
    def import_module(name):
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr(compat, "import_module", import_module)
    with pytest.raises(error, match=said) as caught:
        assert compat.FisherJenks
    assert type(caught.value) is error
