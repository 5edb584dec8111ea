"""Peak memory: what a fit takes beyond the data and the libraries, each contender in a fresh process.

    python -m benchmarks.peers.memory WORKLOAD DTYPE CONTENDER N_THREADS SHRINK

prints one line of JSON, or none for a contender that is not there or does not compute in that dtype. Libraries are loaded, and a few rows clustered, before the data are made; then the process' peak is
set back where the system can do that (Linux), so that only what the fit itself takes is seen.
"""

import json
import os
import sys

from .contenders import load
from .workloads import WORKLOADS, make, shrunk

CASES = (
    ("1e6 x 8, k=32", "float32"),
    ("1e6 x 8, k=32", "float64"),
    ("1e5 x 128, k=256", "float32"),
)
SHOWN = {  # contender: its program, the only one that is loaded
    "ckmeans": "ckmeans",
    "ckmeans lloyd": "ckmeans",
    "ckmeans hamerly": "ckmeans",
    "ckmeans yinyang": "ckmeans",
    "scikit-learn lloyd": "scikit-learn",
    "scikit-learn elkan": "scikit-learn",
    "scikit-learn-intelex": "scikit-learn-intelex",
    "FAISS": "FAISS",
    "mlpack naive": "mlpack",
}
N_ITER = 20  # iterations: bounds, where there are any, are in use by then


def _reset():
    """Set the peak back to what is there now; whether that worked."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return False
    return True


def _status(field):
    """A size from /proc/self/status, in bytes."""
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")


def _peak_and_now():
    """Peak and present size of the process in bytes; the peak twice where the system does not tell the other."""
    try:
        return _status("VmHWM"), _status("VmRSS")
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return peak, peak


def measure(workload, dtype, contender):
    """Bytes that a fit takes beyond what was there before."""
    few, start = make(workload._replace(n_samples=10 * workload.n_clusters), "blobs", dtype)
    contender.fit(few, start, 2)
    X, start = make(workload, "blobs", dtype)
    _reset()
    before = _peak_and_now()[1]
    contender.fit(X, start, N_ITER)
    return {"extra": max(0, _peak_and_now()[0] - before), "data": X.nbytes}


def main(name, dtype, contender, n_threads, shrink):
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a contender prints is not ours
    workload = shrunk(next(w for w in WORKLOADS if w.name == name), float(shrink))
    for found in load(int(n_threads), [SHOWN[contender]])[0]:
        if found.name == contender and dtype in found.dtypes:
            channel.write(json.dumps(measure(workload, dtype, found)) + "\n")
            channel.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
