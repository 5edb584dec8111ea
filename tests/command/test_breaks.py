"""`ckmeans breaks`: classes as a legend has them, with bounds that a person would write."""

import numpy as np
import pandas as pd
import pytest
from command_line import put, report, run

from ckmeans import natural_breaks
from ckmeans.command.breaks import coarsest

RNG = np.random.default_rng(2)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e15])
@pytest.mark.parametrize("seed", range(5))
def test_coarse_bounds_keep_every_value_in_its_class(seed, scale, here):
    values = (
        scale
        * np.random.default_rng(seed).lognormal(0, 1, 60)
        * np.random.default_rng(seed).choice([-1, 1], 60)
    )
    np.savetxt("data.csv", values)
    told = report("breaks", "data.csv", 1, "-k", 6, "--round", "--legend", "legend.csv", "--out", "out.csv")
    bounds = np.array(told["result"]["bounds"])
    best = natural_breaks(values, 6)
    assert np.searchsorted(bounds[1:-1], values).tolist() == best.labels.tolist()
    assert bounds[0] <= values.min() and bounds[-1] >= values.max()
    assert sum(len(f"{b:.15g}") for b in bounds) < 0.6 * sum(len(f"{b:.15g}") for b in best.breaks)
    legend, out = pd.read_csv("legend.csv"), pd.read_csv("out.csv")
    assert list(legend.columns) == ["class", "from", "to", "rows", "mean"]
    assert legend["to"].tolist() == bounds[1:].tolist() and legend["rows"].sum() == 60
    assert ((out["from"].to_numpy() <= values) & (values <= out["to"].to_numpy())).all()
    assert out["label"].tolist() == best.labels.tolist()


def test_no_shorter_number():
    assert coarsest(0.1, np.nextafter(0.1, 1))[0] == 0.1
    assert coarsest(2.0, 2.0) == (2.0, 0) and coarsest(-np.inf, 1.0) == (-np.inf, 0)
    assert coarsest(-3.7, 5.1)[0] == 0.0
    for _ in range(300):
        low, high = np.sort(RNG.normal(size=2) * 10.0 ** RNG.integers(-300, 300))
        bound, step = coarsest(low, high)
        assert low <= bound < high and (step == 0 or bound == float(round(bound / float(step)) * step))


def test_as_they_are(here):
    put("a,b\n1,x\n2,x\n4,x\n40,y\n38,y\n", "data.csv")
    result = run("breaks", "data.csv", "a", "-k", 2, "--legend", "legend.csv")
    assert "from" in result.stdout and "to" in result.stdout
    assert open("legend.csv").read() == (
        "class,from,to,rows,mean\n0,1.0,4.0,3,2.3333333333333335\n1,4.0,40.0,2,39.0\n"
    )
    run("breaks", "data.csv", "a", "-k", 1, "--round", "--legend", "one.csv")
    assert open("one.csv").read().startswith("class,from,to,rows,mean\n0,0.0,40.0,5,")
    put("a\n7.3\n7.3\n", "same.csv")  # there is no step
    run("breaks", "same.csv", "a", "-k", 1, "--round", "--legend", "same-legend.csv")
    assert open("same-legend.csv").read() == "class,from,to,rows,mean\n0,7.3,7.3,2,7.3\n"
