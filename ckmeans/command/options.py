"""The options that several commands have."""

import click

from .terminal import File, Range, Seconds, names

# Kinds of values.
WHOLE = {"type": click.IntRange(min=1), "metavar": "N"}
SECONDS = {"type": Seconds(), "metavar": "SECONDS"}
# How a local search may begin.
STARTS = "k-means++", "plain k-means++", "k-means||", "random"


def together(*options):
    def decorate(function):
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


source = click.argument("data", metavar="DATA", type=File())
clusters = click.option("-k", "--n-clusters", **WHOLE, required=True, help="Number of clusters.")
text = together(
    click.option(
        "--delimiter", metavar="CHAR", help="Character, or tab, whitespace, none, ...  [default: detected]"
    ),
    click.option(
        "--header/--no-header", default=None, help="Whether line 1 holds names.  [default: detected]"
    ),
    click.option("--decimal", metavar="point|comma", help="The mark before decimals.  [default: detected]"),
    click.option(
        "--thousands", metavar="CHAR", help="Mark between groups of digits: space, comma, point, ..."
    ),
    click.option(
        "--comment", metavar="CHAR|none", help="What lines of comment begin with.  [default: # or %]"
    ),
    click.option("--encoding", metavar="NAME", help="Encoding of a text.  [default: UTF-8, else cp1252]"),
    click.option(
        "--missing",
        metavar="A,B",
        callback=names,
        help="What means that there is no value, beside NA, -, nan, ...: unknown,-999.",
    ),
)
numbers = click.option(
    "--range",
    "n_clusters",
    type=Range(),
    metavar="FIRST:LAST",
    show_default="2:10, or to the number of rows",
    help="Numbers of clusters to try, both ends included; or 2,3,5.",
)
layout = together(
    click.option("--weights", metavar="COLUMN", help="Column with the weights of the rows."),
    text,
)
table = together(
    click.option(
        "--columns", metavar="A,B", callback=names, help="Columns to use, by name or number from 1."
    ),
    click.option("--skip-columns", metavar="A,B", callback=names, help="Columns to leave out."),
    layout,
    click.option(
        "--impute",
        type=click.Choice(["median"]),
        help="Fill missing values with the median of their column; else their rows are left out.",
    ),
    click.option(
        "--log",
        metavar="A,B",
        callback=names,
        help="Columns whose natural logarithms are clustered, such as revenues; centers are shown as they were.",
    ),
    click.option(
        "--standardize", is_flag=True, help="Scale features to unit variance; centers are shown unscaled."
    ),
)
data = together(source, clusters, table)
label = click.option(
    "--label", metavar="COLUMN", help="Column with the labels.  [default: label, cluster, or the only one]"
)
out = together(
    click.option(
        "--out",
        metavar="FILE",
        type=File(),
        help="Write labels, a line for each row: as CSV, or as Parquet; - for standard output.",
    ),
    click.option("--id", "id_column", metavar="COLUMN", help="Column that --out has beside the labels."),
    click.option("--append", is_flag=True, help="With --out: all columns of DATA, and the label as cluster."),
)
force = click.option("--force", is_flag=True, help="Replace files that are there already.")
quiet = together(
    click.option("-q", "--quiet", is_flag=True, help="No notes and no progress on standard error."),
    click.pass_context,
)
shown = together(
    click.option(
        "--json",
        "json_path",
        metavar="FILE",
        type=File(),
        help="Write a report; - prints it instead of the table.",
    ),
    force,
    quiet,
)
threads = click.option(
    "--threads", **WHOLE, help="Number of threads; never changes the result.  [default: all]"
)
files = together(out, shown)
output = together(threads, files)
seed = click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    default=0,
    help="Seed: the same one, the same result.",
)
time_limit = click.option("--time-limit", **SECONDS, help="Time limit; the best so far is kept.")
sort_by_size = click.option(
    "--sort-by-size", is_flag=True, help="Number the clusters by their rows, most of them first."
)
metric = click.option(
    "--metric",
    type=click.Choice(["euclidean", "cosine"]),
    default="euclidean",
    help="cosine: clusters by the angle between rows; their lengths do not count.",
)
proof = click.option(
    "--proof", metavar="FILE", type=File(), help="Write the proof, for python -m ckmeans.check FILE."
)
picture = click.option(
    "--plot", metavar="FILE", type=File(), help="Draw it: a file that ends in .png, .svg or .pdf."
)
clusters_picture = click.option(
    "--plot",
    metavar="FILE",
    type=File(),
    help="Draw the clusters, in .png, .svg or .pdf; FILE-profiles.png has their means, FILE-boxes.png box plots.",
)
checkpoint = click.option(
    "--checkpoint",
    metavar="FILE",
    type=File(),
    help="Keep what is known in FILE, and go on from there if it is there already.",
)
centers_file = click.option(
    "--centers",
    "centers_path",
    metavar="FILE",
    type=File(),
    help="Write the centers as CSV, in units of the data; --init FILE begins with them.",
)
distances = click.option(
    "--distances", is_flag=True, help="With --out: the distances to the own and the next center."
)
model_file = click.option(
    "--model",
    "model_path",
    metavar="FILE",
    type=File(),
    help="Write what `ckmeans predict FILE NEXT` needs for other rows, as JSON.",
)
page = click.option(
    "--report",
    "page",
    metavar="FILE",
    type=File(),
    help="Write a page for the browser: verdict, tables and pictures in one file.",
)
