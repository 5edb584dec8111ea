"""What the pictures of the documentation have in common."""

import matplotlib as mpl
from cycler import cycler

# Okabe and Ito (2008): told apart by the colour-blind, and by their lightness in black and white.
COLORS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000"]


def reset(gallery_conf, name):
    """Called before each example."""
    mpl.rcdefaults()
    mpl.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=COLORS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "axes.titlelocation": "left",
            "axes.labelcolor": "0.25",
            "xtick.color": "0.25",
            "ytick.color": "0.25",
            "figure.figsize": (7.2, 4.0),
            "figure.constrained_layout.use": True,
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "svg.fonttype": "path",
        }
    )
