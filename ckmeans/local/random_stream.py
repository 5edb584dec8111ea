"""Random numbers that can be looked at before they are taken: a kernel is given many, and tells how many it has used."""

from threading import local

import numpy as np

_own = local()  # a generator of this thread: to seed one takes 1 us, to make one 100


def _seeded(seed):
    if not hasattr(_own, "rng"):
        _own.rng = np.random.RandomState()
    _own.rng.seed(seed)
    return _own.rng


def uniform_rows(seeds, n):
    """For each seed, the first n numbers in [0, 1) of RandomState(seed)."""
    numbers = np.empty((len(seeds), n))
    for row, seed in zip(numbers, seeds.tolist()):
        row[:] = _seeded(seed).random(n)
    return numbers


class RandomStream:
    """Numbers in [0, 1), in the order in which a generator gives them.

    Parameters
    ----------
    source : int, RandomState or Generator
        An int is a seed: the numbers are those of ``RandomState(source)``.
    """

    def __init__(self, source):
        self._seed = source if isinstance(source, int) else None
        self._rng = None if isinstance(source, int) else source
        self._ahead = np.empty(0)

    @property
    def rng(self):
        """The generator. It does not give the numbers that were looked at again."""
        if self._rng is None:
            self._rng, self._ahead = np.random.RandomState(self._seed), np.empty(0)
        return self._rng

    def peek(self, n):
        """The next n numbers, which stay the next ones."""
        if self._rng is None:
            return _seeded(self._seed).random(n)
        short = n - len(self._ahead)
        if short > 0:
            more = self._rng.random(short)
            self._ahead = np.append(self._ahead, more) if short < n else more
        return self._ahead[:n]

    def uniform(self, size):
        """The next numbers, taken."""
        if not len(self._ahead):
            return self.rng.random(size)
        numbers = self.peek(size)
        self._ahead = self._ahead[size:]
        return numbers

    def choice(self, *args, **kwargs):
        """The same as `choice` of the generator."""
        return self.rng.choice(*args, **kwargs)

    def mark(self):
        """Where the numbers are, for `back`."""
        if self._rng is None:
            return None
        state = self._rng.get_state() if hasattr(self._rng, "get_state") else self._rng.bit_generator.state
        return state, self._ahead

    def back(self, mark):
        """Give the numbers since a mark again."""
        if mark is None:
            self._rng, self._ahead = None, np.empty(0)
            return
        state, self._ahead = mark
        if hasattr(self._rng, "set_state"):
            self._rng.set_state(state)
        else:
            self._rng.bit_generator.state = state
