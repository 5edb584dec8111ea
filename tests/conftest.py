"""What holds for all tests: a proof takes the time that it takes."""

import pytest

from ckmeans import ExactKMeans, certify


@pytest.fixture(autouse=True, scope="session")
def no_time_limit_unless_one_is_given():
    """The limit that proofs have by default would make their results depend on how busy the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        for function in (certify, ExactKMeans.__init__):
            patch.setitem(function.__kwdefaults__, "time_limit", None)
        yield
