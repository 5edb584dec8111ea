"""Names of columns that users give, and the names that they may have meant."""

from difflib import get_close_matches


def meant(wanted, names):
    """The nearest name, in any case of its letters, as a question in brackets; empty where none is near.

    Examples
    --------
    >>> meant("Revenu", ["id", "revenue"])
    ' (did you mean revenue?)'
    """
    lower = {name.lower(): name for name in names}
    close = get_close_matches(wanted.strip().lower(), lower, 1)
    return f" (did you mean {lower[close[0]]}?)" if close else ""
