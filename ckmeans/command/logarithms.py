"""Features whose logarithms are clustered: revenues, counts, whatever differs by factors rather than by sums."""

import sys

from .names import meant


def positive(table, names, remedy="or take {} out of --log"):
    """The places of columns in a table, all of whose values are positive.

    Parameters
    ----------
    table : Table
    names : list of str or None
    remedy : str
        What else to do about a value that has no logarithm; {} stands for the name of the column.

    Returns
    -------
    list of int

    Raises
    ------
    ValueError
        For a name that is none of the table, and for a value of 0 or less: the message names its line.
    """
    import numpy as np

    places = []
    for name in dict.fromkeys(names or ()):
        if name not in table.columns:
            shown = ", ".join(table.columns[:12])
            raise ValueError(
                f"there is no column {name!r} to take logarithms of{meant(name, table.columns)}: columns in use are {shown}."
            )
        f = table.columns.index(name)
        bad = np.flatnonzero(table.X[:, f] <= 0)
        if len(bad):
            where, value = table.lines[table.rows[bad[0]]], table.X[bad[0], f]
            count = f"{len(bad):,} of {len(table.X):,} rows" if len(bad) > 1 else "one row"
            raise ValueError(
                f"column {name} has {value:.12g} in {table.unit} {where}, which has no logarithm (so in {count}): correct it"
                f" {remedy.format(name)}."
            )
        places.append(f)
    return places


def logarithms(X, places):
    """A copy of X with natural logarithms in some columns; X itself where there are none.

    Examples
    --------
    >>> import numpy as np
    >>> logarithms(np.array([[1.0, 7.0], [np.e, 8.0]]), [0]).tolist()
    [[0.0, 7.0], [1.0, 8.0]]
    """
    if places:
        import numpy as np  # --help needs none

        X = np.array(X)
        X[:, places] = np.log(X[:, places])
    return X


def exponentials(X, places):
    """The inverse: what the logarithms are of."""
    if places:
        import numpy as np

        X = np.array(X)
        with np.errstate(over="ignore"):
            X[:, places] = np.minimum(np.exp(X[:, places]), sys.float_info.max)
    return X
