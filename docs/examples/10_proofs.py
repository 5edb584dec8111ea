"""
How do the proofs work, and how do I check one?
===============================================

To prove that a clustering is optimal means to say something about all partitions, of
which there are too many to look at. One way to do it is by *prices*. Give each row a
price. A cluster with center c earns the price of each of its rows, less the squared
distance. If there is no place in the plane where a center could earn more than m, then
k clusters earn at most k m, and so cost at least

    sum of all prices - k m.

Any prices give a true lower bound, however they were found; the best ones often give
the optimum itself. So the hard part, to find them, need not be trusted: to check the
proof, one only has to find out how much a center can earn.
"""

import re

import numpy as np
from sklearn.datasets import make_blobs

from ckmeans import certify

X = make_blobs(320, centers=[[0, 0], [5, 1], [2, 5]], cluster_std=1.1, random_state=4)[
    0
].round(3)
certificate = certify(X, n_clusters=3, random_state=0)
print(certificate)

# %%
# The proof, as it stands in the file. Numbers are hexadecimal whole numbers: the
# checker never computes with floats.

for line in certificate.proof:
    print(line[:76], "..." if len(line) > 76 else "")

# %%
# Drawn: rows with discs (some of them) whose squared radius is the price, and what a
# center would earn at each place. The three highest places are where the optimum has
# its centers; none is higher than m, and that is the proof. What is left between the
# bound and the inertia is closed by a list: so little room has only a few clusters in
# it, and no three of them make a better partition.

head = re.match(r"proof prices shift=(\w+) m=(\w+)", certificate.proof[0])
assert head and certificate.method == "prices"
unit = 4 ** (int(head[1], 16) + certificate.problem.scale)
prices = np.array([int(word, 16) / unit for word in certificate.proof[1].split()[1:]])
most = int(head[2], 16) / unit
print(
    f"sum of prices - 3 m = {prices.sum() - 3 * most:.6f}, inertia {certificate.inertia:.6f}"
)

# %%

import matplotlib.pyplot as plt

low, high = X.min(axis=0) - 1, X.max(axis=0) + 1
places = np.stack(np.meshgrid(*np.linspace(low, high, 300).T), axis=-1)
earned = np.zeros(places.shape[:2])
for row, price in zip(X, prices):
    earned += np.maximum(0, price - ((places - row) ** 2).sum(axis=2))

figure, ax = plt.subplots(figsize=(6.4, 5.2))
shown = ax.contourf(
    *places.T, earned.T / most, levels=np.linspace(0, 1, 11), cmap="cividis"
)
ax.scatter(*X.T, s=12, color="white", edgecolor="black", linewidth=0.6)
for row, price in list(zip(X, prices))[::32]:
    ax.add_patch(
        plt.Circle(row, price**0.5, fill=False, color="white", linewidth=0.5, alpha=0.7)
    )
for k in range(3):
    ax.scatter(
        *X[certificate.labels == k].mean(axis=0),
        s=150,
        marker="X",
        color="white",
        edgecolor="black",
        zorder=3,
    )
figure.colorbar(
    shown, label="what a center earns here, in units of m", ticks=[0, 0.5, 1]
)
ax.set(aspect="equal", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
ax.set_axis_off()
plt.show()

# %%
# Check it
# --------
#
# The checker is one file of Python's standard library. It trusts nothing in the file
# but the data, whose sha256 it compares.

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory


def check(path):
    done = subprocess.run(
        [sys.executable, "-m", "ckmeans.check", str(path)],
        capture_output=True,
        text=True,
    )
    print(done.returncode, (done.stdout + done.stderr).strip())


with TemporaryDirectory() as folder:
    path = Path(folder, "blobs.ckc")
    certificate.save(path)
    check(path)

    # One price raised, and the file sealed again so that its checksum is right:
    from ckmeans.proofs.proof_lines import sealed

    lines = path.read_text().splitlines()[:-1]
    at = next(i for i, line in enumerate(lines) if line.startswith("price "))
    words = lines[at].split()
    words[1] = f"{2 * int(words[1], 16):x}"
    path.write_text(sealed([*lines[:at], " ".join(words), *lines[at + 1 :]]))
    check(path)

# %%
# There are other kinds of proof, for one feature, for few rows, for many features, and
# branches where one set of prices does not do: :doc:`/proofs` describes them and the
# file. :doc:`/questions/01_optimal` has proofs to try it with.
