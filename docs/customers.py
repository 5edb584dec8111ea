"""A table of customers as a business has it, and what the command makes of it, step by step.

    python docs/customers.py FOLDER

writes the tables into the folder and runs the commands of STORY there, each as it is shown in docs/command.rst. What each has to
say is beside it: the tests run the same.
"""

import os
import shlex
import sys
from pathlib import Path

import numpy as np

N_CUSTOMERS = 160
CITIES = ["Basel", "Bern", "Genève", "Lugano"]
# Customers who order now and then, often, and by the lorry: their shares, then month by month more of the last.
SHARES = np.array([0.6, 0.3, 0.1])
SEGMENTS = "occasional", "regular", "business"

# A command, its exit code, and what it says.
STORY = [
    (
        "ckmeans fit customers.csv -k 3",
        1,
        ["column age has 'unknown' in line ", "say --missing unknown if it means that there is no value"],
    ),
    (
        "ckmeans fit customers.csv -k 3 --missing unknown",
        0,
        [
            "skipped column city (not numeric: '",
            "rows with missing values",
            "customer_id looks like an identifier: leave it out with --skip-columns customer_id",
            "revenue makes",
            "of the sum of squares of the other 4 columns: --standardize brings features to one scale",
            "explained ",
        ],
    ),
    (
        "ckmeans fit customers.csv -k 3 --skip-columns customer_id --missing unknown --impute median --log revenue --standardize"
        " --sort-by-size --id customer_id --out labels.csv --model three.json",
        0,
        [
            "missing values filled with medians of their columns: age ",
            "customers.csv: 160 rows, 4 features",
            "in standardized units of logarithms",
            "of revenue; the centers there are geometric means",
            "% of the variance",
            "local optimum; hit by ",
            "--prove tells how far this is above the best",
        ],
    ),
    (
        "ckmeans predict three.json next-month.csv --id customer_id --out next-labels.csv",
        0,
        [
            "missing values filled with medians of the fit: age ",
            "160 rows labelled; cluster 2 has ",
            "% in the fit",
            "farther from the center than any row of its cluster in the fit",
        ],
    ),
    (
        "ckmeans compare labels.csv segments.csv --label segment",
        0,
        ["columns: of segments.csv", "business", "moved of 160; adjusted Rand index 0."],
    ),
    (
        "ckmeans certify customers.csv segments.csv --label segment --skip-columns customer_id --missing unknown --impute median"
        " --log revenue --standardize --time-limit 2",
        0,
        ["0 business, 1 occasional, 2 regular", "above the best possible", "there are clusters of inertia "],
    ),
    (
        "ckmeans fit customers.csv -k 3 --skip-columns customer_id --missing unknown --impute median --log revenue --standardize"
        " --prove --proof customers.ckc --json customers.json",
        0,
        ["lower bound ", "proved, by "],
    ),
    (
        "ckmeans check customers.ckc customers.csv",
        0,
        [
            "customers.csv is read as it was by the run that wrote customers.json, of this very file",
            "proved ",
            "its rows are those of customers.csv, sha256 ",
        ],
    ),
    (
        "ckmeans study customers.csv --skip-columns customer_id --missing unknown --impute median --log revenue --standardize"
        " --range 2:4 --time-limit 20 --model study.json",
        0,
        ["how many ", "stability ", "restarts ", "cluster 0 ", "revenue ", "sd", "verdict "],
    ),
]


def write(folder, seed=0):
    """customers.csv, the same a month later as next-month.csv, and segments.csv as the sales department has them."""
    rng = np.random.default_rng(seed)
    segment = rng.choice(3, N_CUSTOMERS, p=SHARES)
    told = np.where(rng.random(N_CUSTOMERS) < 0.1, rng.choice(3, N_CUSTOMERS), segment)
    numbers = 10001 + np.arange(N_CUSTOMERS)
    lines = [f"{number},{SEGMENTS[s]}" for number, s in zip(numbers, told)]
    (folder / "segments.csv").write_text("\n".join(["customer_id,segment", *lines]) + "\n", encoding="utf-8")
    for name, grown in (("customers.csv", 0.0), ("next-month.csv", 0.15)):
        segment = np.where(rng.random(N_CUSTOMERS) < grown, 2, segment)
        lines = [customer(rng, number, s) for number, s in zip(numbers, segment)]
        head = "customer_id,city,newsletter,revenue,orders,recency_days,age"
        (folder / name).write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")


def customer(rng, number, segment):
    """A line of the table."""
    revenue = np.exp(rng.normal([5, 7, 9.5][segment], 0.5))
    orders = rng.poisson([3, 14, 45][segment])
    recency = int(rng.integers(0, [365, 90, 30][segment]))
    age = "unknown" if rng.random() < 0.1 else f"{rng.normal(45, 12):.0f}"
    newsletter = "yes" if rng.random() < [0.3, 0.6, 0.8][segment] else "no"
    return f"{number},{rng.choice(CITIES)},{newsletter},{revenue:.2f},{orders},{recency},{age}"


def tell(line):
    """Run a command in this process: its exit code, and what it says."""
    from click.testing import CliRunner

    from ckmeans.command.cli import cli

    done = CliRunner().invoke(cli, shlex.split(line)[1:])
    return done.exit_code, done.output


def main(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder)
    os.chdir(folder)
    for line, code, words in STORY:
        ended, said = tell(line)
        print(f"$ {line}\n{said}")
        absent = [word for word in words if word not in said]
        if ended != code or absent:
            raise SystemExit(f"ended with {ended}, not {code}; not said: {absent}")


if __name__ == "__main__":
    main(sys.argv[1])
