"""Ctrl-C at any moment: nothing is left running or half done, and what was found is there. Signals go to children only."""

import multiprocessing
import signal
import threading
from concurrent.futures import ProcessPoolExecutor

import joblib
import numpy as np
import pytest
from children import interrupted_at_any_moment, needs_signals
from clocks import press

from ckmeans import ExactKMeans, KMeans, SphericalMixture, workers
from ckmeans._kernels import small as kernels
from ckmeans.interrupts import Held
from ckmeans.local import restarts, small
from ckmeans.local.panels import Panels
from ckmeans.local.random_stream import RandomStream
from ckmeans.local.search import local_search
from ckmeans.workers import Expired, Workers, available_cpus, split

X = np.random.default_rng(0).normal(size=(1000, 4))


def consistent(model, X):
    """Whether labels, centers and inertia belong together."""
    away = X - model.cluster_centers_[model.labels_]
    assert np.array_equal(model.predict(X), model.labels_)
    assert model.inertia_ == pytest.approx((away**2).sum(), rel=1e-9)
    return True


def threads():
    """Those that run kernels, here and elsewhere in this process."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("ckmeans")}


def test_held_back_until_the_end(noted):
    steps = []
    with pytest.raises(KeyboardInterrupt), Held() as held:
        held.begin()
        press()
        with Held() as inner:  # the outer one decides
            inner.begin()
            press()
            inner.check()
        steps.append("done")
    assert steps == ["done"] and noted == [signal.SIGINT]
    with pytest.raises(KeyboardInterrupt):
        press()


def test_not_held_before_it_begins_nor_in_other_threads(noted):
    with pytest.raises(KeyboardInterrupt), Held():
        press()
    handler, seen = signal.getsignal(signal.SIGINT), []

    def elsewhere():
        with Held() as held:
            held.begin()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [handler]


def test_who_insists_is_heard(noted, monkeypatch):
    monkeypatch.setattr("ckmeans.interrupts.INSISTS", 0.0)
    with Held() as held:
        held.begin()
        press()
        with pytest.raises(KeyboardInterrupt):
            press()


def test_nothing_is_held_where_no_handler_can_be_set(noted, monkeypatch):
    """As in an interpreter beside the main one, to which Python passes on no signal."""

    def refused(number, handler):
        raise ValueError("signal only works in main thread of the main interpreter")

    monkeypatch.setattr("ckmeans.interrupts.signal", refused)
    with pytest.raises(KeyboardInterrupt), Held() as held:
        held.begin()
        press()


# ---- threads ----


@pytest.mark.parametrize("n_threads", [1, 3])
def test_no_thread_is_in_a_kernel_after_an_interrupt(noted, n_threads):
    inside, main, pressed = [], threading.main_thread(), threading.Event()

    def kernel(n):
        inside.append(n)
        if threading.current_thread() is not main:
            pressed.wait(60)  # each helper is in a kernel then
        elif n:
            press()
            pressed.set()
        inside.remove(n)

    before = threads()
    with Workers(n_threads) as own:
        with pytest.raises(KeyboardInterrupt):
            own.run(kernel, [(n,) for n in range(1000)])
        assert len(inside) == (n_threads == 1) and not workers._running
    assert threads() == before


def test_a_handler_that_does_not_raise_stops_nothing():
    done, calls, pressed = [], [], threading.Event()

    def kernel(n):
        if threading.current_thread() is threading.main_thread():
            press()
            pressed.set()
        pressed.wait(60)
        done.append(n)

    before = signal.signal(signal.SIGINT, lambda number, frame: calls.append(number))
    try:
        with Workers(2) as own:
            own.run(kernel, [(n,) for n in range(50)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(done) == list(range(50)) and calls


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
@pytest.mark.parametrize("n_started", [0, 1])
def test_no_room_for_a_thread(error, n_started, monkeypatch):
    class Thread(threading.Thread):
        left = n_started

        def start(self):
            if not Thread.left:
                raise error
            Thread.left -= 1
            super().start()

    monkeypatch.setattr(workers, "Thread", Thread)
    done = []
    with Workers(4) as own:
        own.run(done.append, [(n,) for n in range(100)])
        own.run(done.append, [(n,) for n in range(100)])
    assert sorted(done) == sorted([*range(100), *range(100)]) and not workers._running


def test_helpers_without_an_owner_go(monkeypatch):
    monkeypatch.setattr(workers, "FORGOTTEN", 0.05)
    before = threads()
    own = Workers(2)  # no with statement
    own.run(lambda n: None, [(0,), (1,), (2,)])
    (helper,) = threads() - before
    del own
    helper.join(60)
    assert not helper.is_alive()


def _cpus(_):
    return available_cpus()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_processes_of_multiprocessing_take_one_thread_each(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    found = joblib.Parallel(n_jobs=2, backend="multiprocessing")(joblib.delayed(_cpus)(i) for i in range(4))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        assert found == [1] * 4 and list(pool.map(_cpus, range(2))) == [1, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with context.Pool(1) as pool:
        assert pool.map(_cpus, range(2)) == [min(2, available_cpus())] * 2


# ---- small data: only what a kernel wrote ----


def test_nothing_is_concluded_from_fresh_memory():
    junk = [np.full(n, 1.7e300) for n in (500, 3000, 10000, 40000) for _ in range(20)]
    del junk
    plan = small.Plan(4, 20, "k-means++", "auto", None, True)
    search = small.Search(plan, X, None, RandomStream(0), Workers(1))
    assert not search.has_clustering
    search.best = plan.workspace(X)
    assert (search.best.inertia, search.best.n_restarts, search.best.finished) == (np.inf, 0, False)
    assert not search.has_clustering
    search.ends = [np.empty(plan.n_init, small.END)]
    with pytest.raises(small.Unsupported):
        search.conclude()


@pytest.mark.parametrize(
    "options", [{}, {"n_init": 100}, {"verbose": lambda n, inertia: None}, {"n_threads": 1}]
)
@pytest.mark.parametrize("at", [1, 2, 3])
def test_interrupt_where_random_numbers_are_drawn(options, at, monkeypatch):
    calls = []

    def late(function):
        def draw(self, *args):
            found = function(self, *args)
            calls.append(None)
            if len(calls) == at:
                raise KeyboardInterrupt
            return found

        return draw

    model = KMeans(20, random_state=0, **options)
    with monkeypatch.context() as patch:
        for name in ("peek", "uniform"):
            patch.setattr(RandomStream, name, late(getattr(RandomStream, name)))
        try:
            model.fit(X)
        except KeyboardInterrupt:
            assert model.stop_reason_ == "interrupted"
    consistent(model, X)


def test_interrupt_of_a_search_that_others_have_to_conclude(monkeypatch):
    """They conclude it: Ctrl-C is not forgotten."""

    def unusual(self):
        raise small.Unsupported

    def progress(n_restarts, inertia):
        raise KeyboardInterrupt

    monkeypatch.setattr(small.Search, "conclude", unusual)
    model = KMeans(20, random_state=0, verbose=progress)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert (model.stop_reason_, model.n_restarts_) == ("interrupted", 0)
    consistent(model, X)


@pytest.mark.parametrize("seed", [3, np.random.RandomState, np.random.default_rng])
def test_many_restarts_draw_their_numbers_bit_by_bit(seed, monkeypatch):
    def fit(progress=None):
        rng = seed if isinstance(seed, int) else seed(5)
        found = local_search(X[:100], 5, n_init=60, rng=rng, n_threads=2, progress=progress)
        return found.inertia, found.n_hits, found.n_restarts, found.labels.tolist(), found.centers.tolist()

    whole = fit()
    monkeypatch.setattr(small, "BLOCK_WORK", 1)
    monkeypatch.setattr(small, "MOST_NUMBERS", 100)
    assert fit() == whole == fit(lambda n, inertia: None)
    monkeypatch.setattr(
        kernels, "restarts", lambda *_: small.UNSUPPORTED
    )  # the numbers are given again to the general way
    assert fit() == whole


def test_a_million_restarts_that_there_is_no_time_for():
    model = KMeans(20, n_init=10**9, random_state=0, max_seconds=0.0).fit(X)
    assert model.n_restarts_ < 10**6
    consistent(model, X)


# ---- large data: no pass over the rows once the search was stopped ----

CAP = (np.random.default_rng(1).normal(size=(20_000, 8)), 50)


@pytest.fixture
def no_time(monkeypatch):
    monkeypatch.setattr(restarts, "GRACE", -1.0)


def interrupted_at(n, monkeypatch, **options):
    """A fit that is interrupted after n assignments."""
    rows, k = CAP
    remember, calls = restarts.Restarts.remember, []

    def stop(self, *args):
        remember(self, *args)
        calls.append(None)
        if len(calls) == n:
            raise KeyboardInterrupt

    monkeypatch.setattr(restarts.Restarts, "remember", stop)
    model = KMeans(k, random_state=0, **options)
    with pytest.raises(KeyboardInterrupt):
        model.fit(rows)
    assert model.stop_reason_ == "interrupted"
    return model


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("options", [{"init": CAP[0][:50]}, {}, {"algorithm": "hamerly"}])
def test_labels_that_were_there_are_kept(n, options, monkeypatch, no_time):
    monkeypatch.setattr(restarts, "KEEP_SECONDS", 0.0)
    monkeypatch.setattr(restarts, "KEEP_SHARE", 1.0)
    model = interrupted_at(n, monkeypatch, **options)
    consistent(model, CAP[0])
    assert len(np.unique(model.labels_)) > 1


def test_no_assignment_at_all(no_time):
    """As many centers as there is time for: the first one at least."""
    rows, k = CAP
    model = KMeans(k, random_state=0, max_seconds=0.0).fit(rows)
    assert model.stop_reason_ == "time_limit" and model.cluster_centers_.shape == (k, 8)
    consistent(model, rows)


@pytest.mark.parametrize("algorithm", ["auto", "hybrid"])
@pytest.mark.parametrize("n", [1, 2])
def test_interrupt_while_the_result_is_put_together(algorithm, n, monkeypatch):
    rows = CAP[0][:3000]
    for owner, name in ((restarts.Restarts, "finish"), (restarts.Restarts, "solution")):
        original, calls = getattr(owner, name), []

        def late(self, *args, original=original, calls=calls):
            calls.append(None)
            if len(calls) == 1:
                raise KeyboardInterrupt
            return original(self, *args)

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, late)
            patch.setattr(small, "MOST_ROWS", 0)
            model = KMeans(10, random_state=0, n_init=n, algorithm=algorithm)
            with pytest.raises(KeyboardInterrupt):
                model.fit(rows)
        consistent(model, rows)


def test_rounding_off_that_is_cut_off_spoils_no_labels(monkeypatch):
    """round_off() tries other centers on labels of its own."""
    rows, k = CAP
    iterate = Panels.iterate

    def stop(self, centers, partition, n_steps, fresh):
        found = iterate(self, centers, partition, n_steps, fresh)
        if fresh and n_steps == 0:
            partition.labels[:] = -5
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(Panels, "iterate", stop)
    monkeypatch.setattr(restarts, "GRACE", -1.0)
    model = KMeans(k, init=rows[:k], polish=False, max_iter=30)
    try:
        model.fit(rows)
    except KeyboardInterrupt:
        pass
    monkeypatch.undo()
    consistent(model, rows)


# ---- real signals, in a child ----

CHILD = """
import json, signal, sys, threading
import numpy as np
from ckmeans import KMeans, workers
signal.signal(signal.SIGINT, signal.default_int_handler)
X = np.random.default_rng(0).normal(size={shape})
KMeans(2, random_state=0, n_threads=2).fit(X[:10])
for line in sys.stdin:
    model, said = KMeans(20, random_state=0, n_init=100000, n_threads=2), None
    try:
        print("begun", flush=True)
        model.fit(X)
    except KeyboardInterrupt:
        said = [True, model.stop_reason_ if hasattr(model, "labels_") else None]
    if hasattr(model, "labels_"):
        said += [bool(np.array_equal(model.predict(X), model.labels_))]
    helpers = [thread.name for thread in threading.enumerate() if thread.name.startswith("ckmeans")]
    print(json.dumps([*said, len(workers._running), helpers]), flush=True)
"""


@needs_signals
@pytest.mark.parametrize("shape", [(1000, 4), (20000, 8)])
def test_signals_at_random_moments(shape):
    for told in interrupted_at_any_moment(CHILD.format(shape=shape), 25):
        interrupted, reason, *same, n_running, helpers = told
        assert interrupted and n_running == 0 and helpers == []
        assert (reason, same) in ((None, []), ("interrupted", [True]))


# ---- estimators are whole ----

ESTIMATORS = {
    "KMeans": lambda: KMeans(3, random_state=0),
    "ExactKMeans": lambda: ExactKMeans(3, random_state=0, time_limit=2),
    "SphericalMixture": lambda: SphericalMixture(3, random_state=0),
}


def state(model):
    return {name: value for name, value in vars(model).items() if name.endswith("_")}


@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS)
@pytest.mark.parametrize("fitted", [True, False])
@pytest.mark.parametrize("n_features", [1, 2, 40])
def test_a_fit_that_fails_changes_nothing(make, fitted, n_features, monkeypatch):
    model = make()
    if fitted:
        model.fit(X[:40, :3])
    before, other = state(model), np.tile(X[:40], (1, 10))[:, :n_features]
    for bad in ({"n_clusters": 10**6}, {"n_clusters": "three"}):
        with pytest.raises((ValueError, TypeError)):
            type(model)(**{**model.get_params(), **bad}).fit(other)
        old = model.get_params()
        with pytest.raises((ValueError, TypeError)):
            model.set_params(**bad).fit(other)
        model.set_params(**old)
    with pytest.raises(ValueError, match="weight"):
        model.fit(other, sample_weight=-np.ones(40))
    with monkeypatch.context() as patch:
        for name in ("kmeans.local_search", "exact.prove", "mixture.fit_mixture"):
            patch.setattr(
                f"ckmeans.estimators.{name}", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
            )
        with pytest.raises(KeyboardInterrupt):
            model.fit(other)
    after = state(model)
    assert after.keys() == before.keys() and all(after[name] is before[name] for name in before)
    if fitted:
        with pytest.raises(ValueError, match="features"):
            model.predict(other)
        assert len(model.predict(X[:40, :3])) == 40


def test_rows_that_get_another_shape_during_the_fit():
    rows = X.copy()

    def reshape(n, inertia):
        rows.shape = (rows.shape[1], rows.shape[0])

    model = KMeans(5, n_init=4, random_state=0, verbose=reshape).fit(rows)
    assert np.array_equal(model.labels_, KMeans(5, n_init=4, random_state=0).fit(X).labels_)


def test_limit_in_a_helper_ends_the_call():
    with Workers(2, seconds=0.0) as own, pytest.raises(Expired):
        own.run(lambda *_: None, split(100, 1))
    assert not workers._running
