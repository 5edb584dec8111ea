"""The gap between the best clustering and the lower bound, as it closes."""

from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Self

import numpy as np

from ..words import at_most_above, method_words
from .common import COLORS, INK, PALE, Display, axes_for, legend_below
from .units import exponent_of, in_units, unit_words


@dataclass(eq=False)
class GapRecorder:
    """Keeps what `certify` tells on the way: give it as `progress`.

    Parameters
    ----------
    then : callable(method, inertia, lower_bound) or None
        Is told the same.

    Attributes
    ----------
    seconds, methods, inertia, lower_bound : list
        Of each call the time since the recorder was made, the method, and what was known.

    Examples
    --------
    >>> from ckmeans import GapRecorder, certify
    >>> recorder = GapRecorder()
    >>> certificate = certify([[0.0], [1.0], [5.0], [7.0]], n_clusters=2, progress=recorder)
    >>> recorder.inertia[-1], recorder.lower_bound[-1]
    (2.5, 2.5)
    """

    then: Any = None
    seconds: list[float] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    inertia: list[float] = field(default_factory=list)
    lower_bound: list[float] = field(default_factory=list)
    _start: float = field(default_factory=monotonic, repr=False)

    def __call__(self, method: str, inertia: float, lower_bound: float) -> None:
        self.seconds.append(monotonic() - self._start)
        self.methods.append(method)
        self.inertia.append(float(inertia))
        self.lower_bound.append(float(lower_bound))
        if self.then is not None:
            self.then(method, inertia, lower_bound)


@dataclass(eq=False)
class GapDisplay(Display):
    """The best clustering and the lower bound as they come together, and which way to a proof did it.

    Use `from_recorder`.

    Parameters
    ----------
    recorder : GapRecorder
    certificate : Certificate or None
        What `certify` returned: the end of the lines, and what the checker made of the last method.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from ckmeans import GapDisplay, GapRecorder, certify
    >>> recorder = GapRecorder()
    >>> certificate = certify(load_iris().data, n_clusters=3, random_state=0, progress=recorder)
    >>> GapDisplay.from_recorder(recorder, certificate).ax_.get_title().split(" after")[0]
    'gap closed'
    """

    recorder: GapRecorder
    certificate: Any = None

    @classmethod
    def from_recorder(cls, recorder: GapRecorder, certificate: Any = None, *, ax: Any = None) -> Self:
        """Draw what a recorder was told, on the axes given or on new ones.

        Raises
        ------
        ValueError
            If nothing was recorded, or the inertia is beyond the floats.
        """
        return cls(recorder, certificate).plot(ax=ax)

    def _draw(self, ax):
        seconds, inertia, lower = self._lines()
        unit = exponent_of(inertia)
        inertia, lower = in_units(inertia, unit), in_units(lower, unit)
        ax, end = axes_for(ax), self._end
        last = seconds[-1] * 1.03
        t = np.append(seconds, last)
        upper_line, lower_line = np.append(inertia, inertia[-1]), np.append(lower, lower[-1])
        look = {"facecolor": "#EEEEEE", "linewidth": 0, "zorder": 1}
        ax.fill_between(t, lower_line, upper_line, step="post", **look)
        look = {"where": "post", "linewidth": 2, "zorder": 3}
        ax.step(t, upper_line, color=COLORS[0], label="best clustering", **look)
        accepted = end is not None and (self._closed() or end.checked)
        said = "lower bound, proved" if accepted else "lower bound, not yet checked"
        ax.step(t, lower_line, color=COLORS[3], linestyle="--", label=said, **look)
        if seconds[-1] > 30 * seconds[0]:
            self._count_decades(ax, np.log10(seconds[-1] / seconds[0]))
        self._frame(ax, seconds, last, inertia, lower)
        self._methods(ax, seconds)
        ax.set(xlabel="seconds", ylabel="inertia" + unit_words(unit))
        title = self._title(inertia[-1], lower[-1]).replace(": ", ":\n")
        ax.set_title(f"{title} after {seconds[-1]:.2g} s", fontsize=11, pad=18)
        legend_below(ax, ax.get_legend_handles_labels()[0])
        return ax

    def _lines(self):
        """Seconds, inertia and lower bound, of each call and at the end; the bound is never above the inertia.

        Raises
        ------
        ValueError
            Where there is no line to draw.
        """
        told = self.recorder
        if not told.seconds:
            raise ValueError("the recorder was told nothing: give it to certify as progress=.")
        end = self._end
        inertia = np.minimum.accumulate([*told.inertia, end.inertia if end else np.inf])
        if inertia[-1] == np.inf:
            raise ValueError(
                "The inertia is beyond the floats, no line leads to it: divide X by a power of ten."
            )
        lower = np.maximum.accumulate([*told.lower_bound, end.lower_bound if end else 0.0])
        lower = np.minimum(lower, inertia)
        if end is not None:
            lower = np.minimum(lower, end.lower_bound)
        if self._closed():
            lower[-1] = inertia[-1]
        finish = max(told.seconds[-1], sum(end.seconds.values()) if end else 0.0)
        return np.maximum([*told.seconds, finish], 1e-3), inertia, lower

    @property
    def _end(self):
        """The certificate of the best clustering that is known, or None."""
        return self.certificate and (self.certificate.better or self.certificate)

    def _closed(self):
        end = self._end
        return end is not None and end.status.startswith("optimal")

    def _title(self, inertia, lower):
        """How far the best known clustering is, at most, above the best possible one."""
        end = self._end
        if self._closed():
            return "gap closed"
        return at_most_above(
            *((inertia, lower) if end is None else (end.exact_inertia, end.exact_lower_bound))
        )

    @staticmethod
    def _count_decades(ax, decades):
        """Time by its logarithm."""
        from matplotlib.ticker import LogLocator, NullFormatter

        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 3 else (1,), numticks=20))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())

    def _frame(self, ax, seconds, end, inertia, lower):
        """The axes, from the inertia where the bound is of interest: a bound of 0 at first would hide all that follows."""
        last = max(inertia[-1] - lower[-1], 0.02 * inertia[-1], 1e-300)
        known = lower[lower > 0.5 * inertia[-1]]
        bottom = known.min() if len(known) else lower.min()
        top = np.sort(inertia)[: max(1, len(inertia))]
        top = top[top <= 2 * inertia[-1]].max()
        span = max(top - bottom, last)
        ax.set_ylim(bottom - 0.25 * span, top + 0.2 * span)
        ax.set_xlim(seconds[0] * (0.9 if ax.get_xscale() == "log" else 0.0), end)

    def _methods(self, ax, seconds):
        """Where each method first speaks, by name above the picture; of names too close together the later ones."""
        starts = [
            i
            for i, method in enumerate(self.recorder.methods)
            if method != "trivial" and (i == 0 or method != self.recorder.methods[i - 1])
        ]
        place = np.log if ax.get_xscale() == "log" else np.array
        left, right = map(float, place(ax.get_xlim()))
        free = np.inf
        for i in reversed(starts):
            x, name = seconds[i], method_words(self.recorder.methods[i]).removeprefix("a ")
            at = (float(place(x)) - left) / (right - left)
            if 0 <= at <= 1:
                ax.axvline(x, color=PALE, linewidth=0.8, linestyle=":", zorder=0)
            width = 0.013 * (len(name) + 1)
            if at + width <= free:
                look = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "bottom"}
                side = "left" if at + width < 1 else "right"
                ax.annotate(name, (x, 1), xytext=(0, 3), fontsize=8.5, color=INK, ha=side, **look)
                free = at if at + width < 1 else at - width
