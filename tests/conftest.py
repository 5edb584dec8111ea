"""What holds for all tests: nothing that is proved, and no example of hypothesis, has a limit on the time it takes; pictures are closed."""

import inspect
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

from ckmeans import ExactKMeans, certify

settings.register_profile("random", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("random"), derandomize=True)
settings.load_profile("same")


@pytest.fixture(autouse=True, scope="session")
def no_time_limit_unless_one_is_given():
    """The limit that proofs have by default would make their results depend on how busy the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        for function in (inspect.unwrap(certify), ExactKMeans.__init__):
            patch.setitem(function.__kwdefaults__, "time_limit", None)
        yield


@pytest.fixture(autouse=True)
def pictures_are_closed():
    """Matplotlib keeps those of pyplot, and warns of many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def noted():
    """A handler for Ctrl-C that this process can call itself, without a signal; its calls are listed."""
    calls = []

    def handler(number, frame):
        calls.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handler)
    yield calls
    signal.signal(signal.SIGINT, before)
