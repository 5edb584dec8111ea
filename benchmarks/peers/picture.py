"""Draws the growth of time with n, d and k."""

from statistics import median

from .contenders import DEFAULT

AXES = {"n": "rows n", "d": "features d", "k": "clusters k"}
# Hues that color-blind readers tell apart (Okabe and Ito 2008); the markers differ too.
STYLES = {
    DEFAULT: ("#000000", "o"),
    "scikit-learn lloyd": ("#D55E00", "s"),
    "scikit-learn elkan": ("#E69F00", "D"),
    "scikit-learn-intelex": ("#0072B2", "^"),
    "FAISS": ("#009E73", "v"),
    "mlpack naive": ("#CC79A7", "P"),
}


def draw(records, path):
    """Write an SVG with a panel for each axis, the others held at the base."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context(
        {"svg.hashsalt": "ckmeans", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False}
    ):
        figure, panels = pyplot.subplots(1, 3, figsize=(11, 4.2), sharey=True, layout="constrained")
        for panel, (axis, title) in zip(panels, AXES.items()):
            here = [record for record in records if record["axis"] == axis]
            if not here:  # not measured yet
                continue
            for name, (color, marker) in STYLES.items():
                points = [(r[axis], median(r["seconds"][name])) for r in here if r["seconds"].get(name)]
                if points:
                    first = name == DEFAULT
                    panel.loglog(
                        *zip(*points),
                        marker=marker,
                        color=color,
                        label=name,
                        linewidth=2.4 if first else 1.3,
                        markersize=5,
                        zorder=3 if first else 2,
                    )
            held = ", ".join(f"{other} = {here[0][other]:,}" for other in AXES if other != axis)
            panel.set(xlabel=title, title=held)
            panel.title.set(fontsize=9, color="#444444")
            panel.grid(True, which="major", color="#dddddd", linewidth=0.6)
            panel.set_axisbelow(True)
        panels[0].set_ylabel("seconds of ten iterations")
        handles = {
            label: handle for panel in panels for handle, label in zip(*panel.get_legend_handles_labels())
        }
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=6, frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")
