"""The `ckmeans` command: a file for each of its commands is beside this one.

Standard output is the result, standard error are notes and progress. See `ckmeans --help` for the exit codes.
"""

import click

from .breaks import breaks
from .certify import certify
from .check import check
from .choose import choose
from .compare import compare
from .exhaustive import exhaustive
from .fit import fit
from .landscape import landscape
from .predict import predict
from .soft import soft
from .study import study
from .terminal import Command

# How every command prints its help.
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}


@click.group(cls=Command, context_settings=HELP)
@click.version_option(package_name="certified-kmeans", prog_name="ckmeans")
def cli():
    """k-means that proves how good its answer is.

    \b
      ckmeans fit iris -k 3                    three clusters of the packaged Iris data
      ckmeans fit data.csv -k 5 --standardize --out labels.csv --json report.json
      ckmeans fit data.csv -k 5 --model five.json          and next month:
      ckmeans predict five.json next.csv --out next-labels.csv
      ckmeans fit tfidf.npz -k 20 --metric cosine          sparse rows, by the angle between them
      ckmeans soft data.csv -k 3 --variance tied           with probabilities instead of labels
      ckmeans exhaustive iris --sample 25 -k 2             every partition: proved optimal
      ckmeans breaks data.csv population -k 5              classes of one column: proved optimal
      ckmeans landscape iris -k 3 --plot minima.png        where plain k-means gets stuck, and how often
      ckmeans fit iris -k 3 --prove --proof iris.ckc       the best clusters, with a proof that others can check
      ckmeans certify data.csv labels.csv                  how far given labels are above the best
      ckmeans check iris.ckc iris                          the proof, and that it is about these rows
      ckmeans compare labels.csv other-labels.csv          what they have in common, and which rows moved
      ckmeans study data.csv --standardize --report study.html   all the evidence in one page
      ckmeans choose iris --range 2:10                     what eight criteria say about the number of clusters

    DATA is a CSV file (delimiter, header and decimal commas are detected where the text tells them, and
    asked for where it does not), a Parquet, .npy or .npz file (one array, or sparse rows as
    scipy.sparse.save_npz writes them), - for standard input, or iris. Columns that are not numeric are
    skipped, rows with missing values are left out; both are named.

    \b
    The result goes to standard output, notes and progress to standard error.
    Ctrl-C ends the search: the best so far is shown and written.

    \b
    Exit codes:  0    done, also when a limit ended the search (the verdict says so)
                 1    bad input or failure, told in one line
                 2    wrong usage of the command
                 130  interrupted; what there was has been shown and written
    """


for command in (fit, predict, soft, exhaustive, breaks, landscape, certify, check, compare, choose, study):
    cli.add_command(command)
