"""Missing values: the texts that the user says mean one, and the medians that they are filled with where that is wanted."""

import numpy as np
from scipy.sparse import issparse

from ..words import listed


class Gaps:
    """What the user says of missing values.

    Parameters
    ----------
    texts : list of str or None
        What means one, beside the usual words; of those that are numbers, any number that is equal.
    fill : "median", dict or None
        A number for each column by name, or the medians of the values that are there; None leaves the gaps.
    """

    def __init__(self, texts=None, fill=None):
        self.fill, self.numbers = fill, []
        for text in texts or ():
            try:
                self.numbers.append(float(text))
            except ValueError:
                pass

    def mark(self, X):
        """The numbers that mean a gap as NaN: a copy where X is not ours. Entries of sparse rows that are not there mean 0."""
        if issparse(X):
            if 0.0 in self.numbers:
                raise ValueError(
                    "--missing 0 would make nearly all of these sparse rows gaps: leave 0 out of it."
                )
            X.data = self.mark(X.data[:, None])[:, 0]
            return X
        for number in self.numbers:
            for f in range(X.shape[1]):
                here = np.flatnonzero(X[:, f] == number)
                if len(here):
                    if isinstance(X, np.memmap) or not X.flags.writeable:
                        X = np.array(X)
                    X[here, f] = np.nan
        return X

    def filled(self, X, names, short, notes):
        """Gaps filled, but for those of rows with too few fields; how many is noted.

        Parameters
        ----------
        X : ndarray or CSR array of shape (n_samples, n_features)
        names : list of str
        short : list of int
            Rows whose gaps cannot be told.
        notes : list of str

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
        medians : dict of str to float
            By name, of all columns.
        """
        if self.fill is None:
            return X, {}
        if issparse(X):
            raise ValueError(
                "--impute takes dense rows, and these are sparse: leave it out, or save them with np.save."
            )
        usable, medians, told = np.ones(len(X), bool), {}, []
        usable[list(short)] = False
        for f, name in enumerate(names):
            gaps = np.isnan(X[:, f]) & usable
            medians[name] = value = median(X[:, f]) if self.fill == "median" else self.fill[name]
            if gaps.any() and value == value:
                X = np.array(X) if isinstance(X, np.memmap) or not X.flags.writeable else X
                X[gaps, f] = value
                told.append(f"{name} {gaps.sum():,} (with {value:.6g})")
        if told:
            whose = "their columns" if self.fill == "median" else "the fit"
            notes.append(f"missing values filled with medians of {whose}: {listed(told, 6)}")
        return X, medians


def median(values):
    """The middle one of the numbers that are no NaN, or the mean of the two; NaN where there is none.

    Examples
    --------
    >>> median(np.array([4.0, np.nan, 1.0, 9.0, 1e308]))
    6.5
    """
    given = values[~np.isnan(values)]
    if not len(given):
        return float("nan")
    high = len(given) // 2
    low = high - (len(given) % 2 == 0)
    least, most = np.partition(given, [low, high])[[low, high]].tolist()
    return least if least == most else least / 2 + most / 2
