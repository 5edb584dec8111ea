"""Values of any shape, some of which may be missing, as one row of numbers; and labels in the shape that the values had."""

import numpy as np

from ..validation import check_values, check_weights


class Shaped:
    """Values as they were given.

    Parameters
    ----------
    values : array-like
        Of any shape: masked arrays leave out what is masked, and what has dimensions with names (xarray's DataArray) keeps them.
    missing : {"error", "separate"}
        Whether NaN is refused, or gets the label -1.
    infinite : bool
        Whether infinite values are taken.
    column : bool
        Whether one column, of shape (n, 1), is taken for a row of n values.

    Attributes
    ----------
    flat : ndarray of shape (n_values,), float64
        Those that are there.
    here : ndarray of the shape of the values, bool
        Which these are.

    Raises
    ------
    ValueError, TypeError
        For what is no real number, and for missing or infinite values where they are not taken; the message tells where.
    """

    def __init__(self, values, missing, infinite=False, column=False):
        if missing not in ("error", "separate"):
            raise ValueError(f'missing={missing!r} is unknown: give "error" or "separate".')
        self.given = values
        self.mask = (
            np.ma.getmaskarray(values)
            if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values)
            else None
        )
        numbers = check_values(values if self.mask is None else np.ma.getdata(values), "values", 1)
        if column and numbers.ndim == 2 and numbers.shape[1] == 1:
            self.mask, self.given = None if self.mask is None else self.mask[:, 0], numbers
            numbers = numbers[:, 0]
        self.here = np.ones(numbers.shape, bool) if self.mask is None else ~self.mask
        with np.errstate(over="ignore", invalid="ignore"):
            finite = bool(np.isfinite(numbers.sum()))  # NaN and infinity stay in any sum
        if not finite:
            self._without(numbers, missing, infinite)
        self.flat = numbers.ravel() if self.here.all() else numbers[self.here]

    def _without(self, numbers, missing, infinite):
        """Refuse or leave out what is no finite number."""
        absent = np.isnan(numbers) & self.here
        if missing == "error" and absent.any():
            refuse(
                absent,
                "NaN",
                "drop these, fill them in, or say missing='separate', by which they get the label -1",
            )
        self.here &= ~absent
        beyond = np.isinf(numbers) & self.here
        if not infinite and beyond.any():
            refuse(beyond, "infinity", "drop these or correct them")

    def weights(self, sample_weight):
        """Those of the values that are there, or None; they have the shape of the values, or are as many in a row."""
        if self.here.ndim != 1 and np.shape(sample_weight) == self.here.shape:
            sample_weight = check_values(sample_weight, "sample_weight").ravel()
        weights = check_weights(sample_weight, self.here.size)
        return weights if weights is None else check_weights(weights[self.here.ravel()], len(self.flat))

    def labels(self, own):
        """Labels in the shape of the values, with -1 where one is missing; masked where these are.

        Parameters
        ----------
        own : ndarray of shape (n_values,), int32
        """
        if len(own) == self.here.size:
            found = own.reshape(self.here.shape)
        else:
            found = np.full(self.here.shape, -1, np.int32)
            found[self.here] = own
        if self.mask is not None:
            return np.ma.masked_array(found, self.mask, fill_value=-1)
        if hasattr(self.given, "dims") and hasattr(self.given, "coords"):
            return self.given.copy(data=found)
        return found


def refuse(bad, what, remedy):
    """Raise the error for values that are not taken."""
    where = ", ".join(map(str, np.argwhere(bad)[0].tolist()))
    name = f"values[{where}]" if bad.ndim else "the value"
    more = f" (so are {bad.sum():,} of {bad.size:,})" if bad.ndim else ""
    raise ValueError(f"{name} is {what}{more}: {remedy}.")
