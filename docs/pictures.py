"""The pictures of the landing page and of other pages, drawn when the documentation is built.

    python docs/pictures.py FOLDER

trap.svg        where Lloyd's iteration is stuck, beside what is proved to be the best
trap.gif        the same, in motion
social.png      the same with the name, for those who link here
blocks.svg      rows of three files, and the clusters of all of them
speed.svg       how many times as fast as the best peer, for each workload of docs/benchmarks.md
"""

import re
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
INK, PALE = "#22282e", "#66707a"


def everything(folder):
    """Draw all of them."""
    import matplotlib.pyplot

    matplotlib.use("Agg")
    look = {"svg.fonttype": "path", "svg.hashsalt": "ckmeans", "figure.facecolor": "white"}
    with matplotlib.rc_context(look):
        trap(folder / "trap.svg", folder / "files" / "social.png", folder / "files" / "trap.gif")
        blocks(folder / "blocks.svg")
        if (HERE / "benchmarks.md").exists():
            speed(folder / "speed.svg")
    matplotlib.pyplot.close("all")  # else they would be taken for pictures of the first example


def trapped():
    """Rows, the path of Lloyd's iteration from a bad start, and the proof of what is best."""
    from ckmeans import certify, lloyd_path

    rng = np.random.default_rng(0)
    X = np.vstack([0.55 * rng.standard_normal((40, 2)) + center for center in ([0, 0], [6, 0], [6, 3.2])])
    path = lloyd_path(X, 3, init=[[-0.4, 0.3], [0.4, -0.3], [4.5, 1.5]])
    return X, path, certify(X, n_clusters=3, random_state=0)


def trap(picture, preview, motion):
    """Trapped beside proved."""
    from ckmeans import PathDisplay

    X, path, proof = trapped()
    display = PathDisplay.from_path(path, X, best=proof)
    figure = display.figure_
    figure.set_size_inches(10, 4.3)
    for ax in display.axes_:
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="")
    figure.savefig(picture, metadata={"Date": None})
    figure.set_size_inches(12, 6.3)  # what previews are cut to
    figure.suptitle(
        "ckmeans: k-means that proves how good its answer is", fontsize=22, color=INK, fontweight="bold"
    )
    for ax in display.axes_:
        ax.title.set_fontsize(16)
    figure.savefig(preview, dpi=100)
    moving = PathDisplay.from_path(path, X, best=proof)
    moving.figure_.set_size_inches(10, 4.6)
    moving.animate().save(motion, writer="pillow", dpi=80)


def blocks(picture):
    """Three files, none of which has rows of all clusters."""
    import matplotlib.pyplot as plt

    from ckmeans import KMeans

    rng = np.random.default_rng(0)
    places = np.array([[-8, -3], [-4, 4], [0, -6], [1, 1], [4, 7], [7, -4], [9, 3]])
    files = {"monday": [0, 1, 2, 3], "tuesday": [2, 3, 4, 5], "wednesday": [4, 5, 6, 0]}
    rows = [places[rng.choice(own, 1500)] + rng.normal(size=(1500, 2)) for own in files.values()]
    kmeans = KMeans(len(places), random_state=0).fit(lambda: rows)
    figure, axes = plt.subplots(1, 3, sharex=True, sharey=True, figsize=(9, 3.2), layout="constrained")
    for ax, name, own, labels in zip(axes, files, rows, np.split(kmeans.labels_, 3)):
        ax.scatter(*own.T, s=2, c=labels, cmap="Dark2", vmin=0, vmax=7, rasterized=True)
        ax.plot(*kmeans.cluster_centers_.T, "+", color=INK, markersize=11)
        ax.set_title(f"{name}.npy", fontsize=10, color=INK)
        ax.set(xticks=[], yticks=[])
    figure.savefig(picture, dpi=150, metadata={"Date": None})


def ratios():
    """Of each workload of the recorded benchmarks its name, and how many times as fast as the best peer a fit is."""
    text = (HERE / "benchmarks.md").read_text(encoding="utf-8").partition("ckmeans and the best peer")[2]
    for line in text.partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("| \n").split("|")]
        if len(cells) > 9 and (found := re.fullmatch(r"\*\*([\d.]+)\*\*", cells[9])):
            yield f"{cells[0]}, {cells[1]}, {cells[2]}", float(found[1])


def speed(picture):
    """A line for each workload, the most favorable first."""
    import matplotlib.pyplot as plt

    names, values = zip(*sorted(ratios(), key=lambda pair: pair[1]))
    figure, ax = plt.subplots(figsize=(9, 0.24 * len(names) + 1.1), layout="constrained")
    at = np.arange(len(names))
    ax.barh(at, values, color="#0072B2", height=0.66)
    for y, value in zip(at, values):
        ax.annotate(
            f"{value:.1f}",
            (value, y),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK,
        )
    ax.axvline(1, color=INK, linewidth=1)
    ax.annotate(
        "as fast", (1, len(names) - 0.4), xytext=(3, 3), textcoords="offset points", fontsize=8, color=PALE
    )
    ax.set_yticks(at, names, fontsize=8)
    ax.set(xlim=(0, 1.08 * max(values)), ylim=(-0.7, len(names) + 0.3))
    ax.set_xlabel("times as fast as the fastest other library, to the same end", fontsize=9, color=INK)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    everything(Path(sys.argv[1]))
