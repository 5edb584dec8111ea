"""Model files: a fitted estimator as plain JSON, to be applied to other rows, next month or elsewhere; no pickle.

The keys of the file, `null` standing for what there is not:

ckmeans_model  1
ckmeans        version of the package that wrote it
estimator      name of the class
parameters     those of the constructor; functions and generators of random numbers are left out
fitted         {attribute: value}: all but what there is for each row of the fit, and proofs
columns        names of the features, in the order of the centers
scaling        mean and scale of each feature, and whether they were named in the fit: rows are (X - mean) / scale before they are compared with the centers
rows           of the fit: sizes of the clusters, their weights where rows had weights, and farthest: the greatest distance of a
               row to its center in each cluster, in the units of the centers; of SphericalKMeans 1 - cosine
about          what the writer adds: the verdict, the data it is of; of the command `log`: columns whose logarithms the model takes, and
               `medians`: what missing values were filled with. `ckmeans predict` does both, `load_model` neither

Arrays are {"dtype": "<f8", "shape": [3, 2], "values": [...]} with the shortest decimals that give the same float again.
"""

import json
import math
import os

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from ..arithmetic import usual
from ..files import write_whole
from ..local.spherical import cosines, unit_rows
from .bisecting import BisectingKMeans, check_tree
from .distances import distances
from .exact import ExactKMeans
from .kmeans import KMeans
from .minibatch import MiniBatchKMeans
from .mixture import SphericalMixture
from .spherical import SphericalKMeans

FORMAT = 1
ESTIMATORS = {
    kind.__name__: kind
    for kind in (KMeans, MiniBatchKMeans, ExactKMeans, BisectingKMeans, SphericalKMeans, SphericalMixture)
}
# Attributes that are not written: one value for each row, or as much.
BY_ROW = "labels_", "certificate_"
DTYPES = "<f4", "<f8", "<i4", "<i8"
# Rows whose distances are in memory at a time.
BLOCK = 2**14


@usual
def save_model(
    model: BaseEstimator,
    path: str | os.PathLike[str],
    X: ArrayLike | None = None,
    *,
    columns: list[str] | None = None,
    about: dict | None = None,
) -> None:
    """Write a fitted estimator as JSON, whole or not at all; `load_model` reads it, and so does `ckmeans predict`.

    Parameters
    ----------
    model : KMeans, MiniBatchKMeans, ExactKMeans, BisectingKMeans, SphericalKMeans, SphericalMixture or Pipeline
        Fitted. A pipeline is of a StandardScaler and one of the others. The summary that `partial_fit` goes on from is not written:
        `Summary.save` keeps one.
    path : str or Path
    X : array-like or sparse array of shape (n_samples, n_features), optional
        The rows of the fit, as they were given to `model`: with them the file tells how far rows were from their center,
        so that rows which are farther are noticed later.
    columns : list of str, optional
        Names of the features; the default is `feature_names_in_`, if there is one.
    about : dict, optional
        What else the file is to tell, as JSON.

    Raises
    ------
    TypeError
        For another estimator.
    NotFittedError
        For one that is not fitted.
    ValueError
        For columns that are not as many as features.
    OSError

    Examples
    --------
    >>> import tempfile, ckmeans
    >>> kmeans = ckmeans.KMeans(2, random_state=0).fit([[0.0], [1.0], [5.0]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ckmeans.save_model(kmeans, folder + "/two.json")
    ...     ckmeans.load_model(folder + "/two.json").predict([[4.0]])
    array([1], dtype=int32)
    """
    scaler, estimator = parts(model)
    check_is_fitted(estimator)
    known = vars(estimator)
    names = known.get("feature_names_in_", getattr(scaler, "feature_names_in_", None))
    columns = list(map(str, names)) if columns is None and names is not None else columns
    if columns is not None and len(columns) != estimator.n_features_in_:
        raise ValueError(
            f"columns has {len(columns)} names, the model {estimator.n_features_in_} features: give one for each."
        )
    document = {
        "ckmeans_model": FORMAT,
        "ckmeans": _version(),
        "estimator": type(estimator).__name__,
        "parameters": _plain_parameters(estimator),
        "fitted": {name: _to_json(known[name]) for name in _fitted(type(estimator)) if name in known},
        "columns": columns,
        "scaling": None
        if scaler is None
        else {
            "mean": _to_json(scaler.mean_),
            "scale": _to_json(scaler.scale_),
            "named": hasattr(scaler, "feature_names_in_"),
        },
        "rows": _rows(model, estimator, X),
        "about": about or {},
    }
    text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    write_whole(path, text.encode("utf-8", "backslashreplace"))


@usual
def load_model(path: str | os.PathLike[str]) -> BaseEstimator:
    """The fitted estimator that `save_model` wrote.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    KMeans, MiniBatchKMeans, ExactKMeans, BisectingKMeans, SphericalKMeans, SphericalMixture or Pipeline
        As it was saved, without what there was for each row of the fit. Its `about_` (that of the pipeline's last step) is a
        dict of what the file tells besides: "columns", "rows" and "about".

    Raises
    ------
    ValueError
        For a file that is none, or one of a later version; the message tells what is wrong.
    OSError

    Examples
    --------
    >>> import ckmeans
    >>> ckmeans.load_model("five.json").predict(next_month)  # doctest: +SKIP
    """
    with open(path, "rb") as file:
        content = file.read()
    try:
        document = json.loads(content)
        version = document["ckmeans_model"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError(
            f"{path} is no model file: `ckmeans fit --model` and save_model write them."
        ) from None
    if version != FORMAT:
        raise ValueError(
            f"{path} is a model file of format {version!r}, which this version does not know: it reads {FORMAT}."
        )
    try:
        return _restored(document)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, MemoryError) as error:
        raise ValueError(f"{path} is damaged or was changed: {error}. Write it again.") from None


def _version():
    from importlib.metadata import version

    return version("certified-kmeans")


def parts(model):
    """The scaler of a pipeline, or None, and the estimator."""
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    scaler = steps[0] if len(steps) == 2 and type(steps[0]) is StandardScaler else None
    if type(steps[-1]).__name__ not in ESTIMATORS or len(steps) > 1 and scaler is None:
        shown = [type(step).__name__ for step in steps]
        raise TypeError(
            f"a model file is of {', '.join(ESTIMATORS)}, or of a pipeline of StandardScaler and one of them, not of"
            f" {' and '.join(shown)}: save that one by pickle or skops."
        )
    if scaler is not None:
        check_is_fitted(scaler)
        if not (scaler.with_mean and scaler.with_std):
            raise TypeError(
                "a StandardScaler with with_mean=False or with_std=False is not saved: use pickle."
            )
    return scaler, steps[-1]


def _fitted(kind):
    """The attributes of a fit that are written, which the class annotates."""
    names = [name for base in kind.__mro__ for name in vars(base).get("__annotations__", {})]
    return [name for name in names if "_" in (name[0], name[-1]) and name not in BY_ROW]


def _plain_parameters(estimator):
    """The parameters that JSON can hold."""
    plain = {}
    for name, value in estimator.get_params(deep=False).items():
        value = value.item() if isinstance(value, np.generic) else value
        if isinstance(value, (list, tuple)) and name == "init":
            value = np.asarray(value, np.float64)
        if value is None or isinstance(value, (bool, int, float, str, np.ndarray)):
            plain[name] = _to_json(value)
    return plain


def _to_json(value):
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype == object or value.dtype.kind == "U":
        return {"names": list(map(str, value))}
    kind = value.dtype.newbyteorder("<")
    return {"dtype": kind.str, "shape": list(value.shape), "values": value.ravel().tolist()}


def _from_json(value):
    if not isinstance(value, dict):
        return value
    if "float" in value:
        return float(value["float"])
    if "names" in value:
        return np.array(value["names"], dtype=object)
    if value["dtype"] not in DTYPES:
        raise ValueError(f"there are no arrays of {value['dtype']!r}")
    found = np.array(value["values"], value["dtype"]).astype(value["dtype"][1:]).reshape(value["shape"])
    if not np.isfinite(found).all():
        raise ValueError("an array is not finite")
    return found


def _restored(document):
    kind = ESTIMATORS[document["estimator"]]
    estimator = kind(**{name: _from_json(value) for name, value in document["parameters"].items()})
    known = _fitted(kind)
    for name, value in document["fitted"].items():
        if name not in known:
            raise ValueError(f"{name} is no attribute of {kind.__name__}")
        setattr(estimator, name, _from_json(value))
    d, centers = estimator.n_features_in_, centers_of(estimator)
    if not isinstance(centers, np.ndarray) or centers.shape != (len(centers), d) or not len(centers):
        raise ValueError(f"its centers are not of {d} features")
    if kind is BisectingKMeans:
        check_tree(estimator._split_centers, estimator._below, len(centers), d)
    if document["columns"] is not None and len(document["columns"]) != d:
        raise ValueError(f"it has {len(document['columns'])} names for {d} features")
    rows = document["rows"] or {}
    if any(len(value) != len(centers) for value in rows.values()):
        raise ValueError(f"it does not tell of {len(centers)} clusters")
    estimator.about_ = {
        "columns": document["columns"],
        "rows": {name: np.array(value, np.float64) for name, value in rows.items()},
        "about": dict(document["about"]),
    }
    if document["scaling"] is None:
        return estimator
    scaler = StandardScaler()
    scaler.mean_, scaler.scale_ = (_from_json(document["scaling"][name]) for name in ("mean", "scale"))
    if not scaler.mean_.shape == scaler.scale_.shape == (d,) or not (scaler.scale_ > 0).all():
        raise ValueError(f"its scaling is not of {d} features")
    scaler.var_, scaler.n_features_in_ = scaler.scale_**2, d
    scaler.n_samples_seen_ = 0  # which it is not told
    if document["scaling"]["named"]:
        scaler.feature_names_in_ = np.array(document["columns"], dtype=object)
    return make_pipeline(scaler, estimator)


def centers_of(estimator):
    """The centers of a fitted estimator, in the units that it was fitted in."""
    return estimator.means_ if isinstance(estimator, SphericalMixture) else estimator.cluster_centers_


def _rows(model, estimator, X):
    """What the file tells of the rows of the fit; nothing after `partial_fit`, whose labels are of the last batch."""
    labels, n_clusters = vars(estimator).get("labels_"), len(centers_of(estimator))
    if labels is None or hasattr(estimator, "n_steps_"):
        return None
    rows = {"sizes": np.bincount(labels[labels >= 0], minlength=n_clusters).tolist()}
    if X is not None:
        farthest = np.zeros(n_clusters)
        np.maximum.at(farthest, labels[labels >= 0], own_distances(model, X, labels)[labels >= 0, 0])
        rows["farthest"] = farthest.tolist()
    return rows


def own_distances(model, X, labels):
    """Distances of rows to their own and to the nearest other center; of `SphericalKMeans` 1 - cosine.

    Parameters
    ----------
    model : estimator or Pipeline
    X : array-like or sparse array of shape (n_samples, n_features)
        As the model takes them.
    labels : ndarray of shape (n_samples,), int
        -1 stands for no cluster.

    Returns
    -------
    ndarray of shape (n_samples, 2), float64
        In the units of the centers; NaN where there is no such center.
    """
    scaler, estimator = parts(model)
    centers = np.ascontiguousarray(centers_of(estimator), np.float64)
    found, X = np.full((len(labels), 2), np.nan), X.tocsr() if issparse(X) else X
    for start in range(0, len(labels), BLOCK):
        own = labels[start : start + BLOCK]
        block = X[start : start + BLOCK]
        block = block if scaler is None else scaler.transform(block)
        block = block if issparse(block) else np.ascontiguousarray(block, np.float64)
        if isinstance(estimator, SphericalKMeans):
            away = 1 - cosines(unit_rows(block), centers)
        else:
            away = distances(block, centers)
        here = np.arange(len(own))
        given = own >= 0
        found[start : start + BLOCK][given, 0] = away[here, own][given]
        away[here[given], own[given]] = np.inf
        if len(centers) > 1:
            found[start : start + BLOCK, 1] = away.min(axis=1)
    return found
