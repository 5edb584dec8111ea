"""The examples in the docstrings run, and show what they say."""

import doctest
import importlib
import inspect
from importlib.util import find_spec
from pathlib import Path

import pytest

import ckmeans

PACKAGE = Path(ckmeans.__file__).parent
NEEDS = {"maps": "mapclassify", "dask_blocks": "dask", "ray_blocks": "ray"}
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if path.stem[0] != "_" and (path.stem not in NEEDS or find_spec(NEEDS[path.stem]))
)


class Finder(doctest.DocTestFinder):
    """Knows functions that are wrapped."""

    def _from_module(self, module, object):
        return super()._from_module(module, inspect.unwrap(object))


def examples(name):
    module = importlib.import_module(f"ckmeans.{name}")
    return [test for test in Finder().find(module) if test.examples]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, monkeypatch):
    if name.startswith("plots"):
        pytest.importorskip("matplotlib")
        monkeypatch.setenv("MPLBACKEND", "Agg")
    for test in examples(name):
        assert doctest.DocTestRunner().run(test).failed == 0, test.name


PUBLIC = sorted(set(ckmeans.__all__) - {"__version__"})


def test_public_names_have_examples():
    shown = {test.name.split(".")[-1] for name in MODULES for test in examples(name)}
    assert set(PUBLIC) <= shown


@pytest.mark.parametrize(
    "name", [name for name in PUBLIC if hasattr(getattr(ckmeans, name), "fit") or name[0].islower()]
)
def test_what_computes_says_what_it_raises_and_whose_idea_it_is(name):
    thing = getattr(ckmeans, name)
    said = thing.__doc__ + (thing.fit.__doc__ if hasattr(thing, "fit") else "")
    if name not in (
        "show_config",
        "estimated_seconds",
        "save_model",
        "load_model",
        "register_onnx_converters",
    ):
        assert "References\n" in said
    if name != "show_config":
        assert "Raises\n" in said


def test_readme(tmp_path, monkeypatch):
    """The part of the README that is a session."""
    readme = Path(__file__).resolve().parents[1] / "README.md"
    if not readme.exists():
        pytest.skip("tested without its README")
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(readme), module_relative=False)
    assert found.failed == 0 < found.attempted
    assert (tmp_path / "iris.ckc").exists()
