"""What the messages about a column tell the user to do: the options that decide are not those of every file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Remedies:
    """What to do about a column that cannot be used, by the options of the command that reads it; {} stands for its name.

    Attributes
    ----------
    asked_for, other : str
        Without a column that was asked for, or another one.
    choose : str
        Where it is not clear which columns are to be used.
    truths : str
        About one of truth values, after a semicolon.
    absent : str or None
        Where the table has no column of a name that was asked for, which is no number of a column then.
    """

    asked_for: str = "leave the column out of --columns"
    other: str = "leave the column out with --skip-columns {}"
    choose: str = "name the columns to use with --columns"
    truths: str = "; name it with --columns to take it as 1 and 0"
    absent: str | None = None


# Of the column with the weights.
WEIGHTS = "name another column with --weights"
# Of a table whose columns are chosen by options, and of `ckmeans breaks`, whose argument names the one.
OPTIONS = Remedies()
ONE_COLUMN = Remedies(*["name another column"] * 3, truths="")
# Of a file that goes with the table: all its columns are read.
BESIDE = Remedies(
    "take the column out of the file", "take the column out of the file", "give the first a name", truths=""
)
