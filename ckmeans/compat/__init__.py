"""Other packages' ways to ask for natural breaks, answered exactly: those of jenkspy, and classifiers for maps of mapclassify."""

from importlib import import_module

_HOMES = {
    "JenksNaturalBreaks": "jenks",
    "jenks_breaks": "jenks",
    "FisherJenks": "maps",
    "exact_schemes": "maps",
}

__all__ = list(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "mapclassify":
            raise
        raise ImportError(f"{name} is a classifier of mapclassify: pip install mapclassify") from None


def __dir__():
    return sorted(__all__)
