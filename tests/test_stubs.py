"""What type checkers are told: the stubs have the names, and the parameters, that the modules have."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import ckmeans
import ckmeans._kernels
import ckmeans.compat

PACKAGE = Path(ckmeans.__file__).parent
# But the module of what they share, which Cython makes.
KERNELS = sorted(
    module.name for module in pkgutil.iter_modules(ckmeans._kernels.__path__) if module.name[0] != "_"
)


def compiled_parameters(function):
    """The parameters, in order; of a function of fused types those of one of its kinds."""
    kinds = getattr(function, "__signatures__", None)
    return list(inspect.signature(next(iter(kinds.values())) if kinds else function).parameters)


def stub_functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name: [parameter.arg for parameter in node.args.args]
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


def test_there_are_kernels():
    assert {"exhaustive", "lloyd", "mixture"} <= set(KERNELS)


@pytest.mark.parametrize(
    "name",
    KERNELS,
)
def test_kernel(name):
    module = importlib.import_module(f"ckmeans._kernels.{name}")
    compiled = {
        key: compiled_parameters(value)
        for key, value in vars(module).items()
        if "cython_function" in type(value).__name__ and not key.startswith("_")
    }
    assert stub_functions(PACKAGE / "_kernels" / f"{name}.pyi") == compiled


def test_no_stub_is_left_over():
    assert {path.stem for path in (PACKAGE / "_kernels").glob("*.pyi")} <= set(KERNELS)


def test_public_names():
    """The package finds its names when they are asked for; the stub says where."""
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    homes = {
        alias.asname: node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    assert homes == ckmeans._HOMES
    declared = {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)}
    assert {*homes, *declared} == {*ckmeans.__all__, "__all__"}
    assert dir(ckmeans) == sorted(ckmeans.__all__) and dir(ckmeans.compat) == sorted(ckmeans.compat.__all__)
    for module in (ckmeans, ckmeans.compat):
        with pytest.raises(AttributeError, match=f"module '{module.__name__}' has no attribute 'nothing'"):
            assert module.nothing


def public_functions():
    """The public functions, and the methods that public classes define themselves."""
    for name in sorted(set(ckmeans.__all__) - {"__version__"}):
        value = getattr(ckmeans, name)
        if inspect.isfunction(value):
            yield name, value
        elif not name.endswith(("Solution", "Posterior")):  # whose fields are annotated
            for key, method in vars(value).items():
                if inspect.isfunction(method) and (key == "__init__" or key[0] != "_"):
                    yield f"{name}.{key}", method


@pytest.mark.parametrize(
    "function", [function for _, function in public_functions()], ids=dict(public_functions())
)
def test_what_is_public_is_annotated(function):
    signature = inspect.signature(function)
    untyped = [
        name for name, one in signature.parameters.items() if one.annotation is one.empty and name != "self"
    ]
    assert not untyped and signature.return_annotation is not signature.empty
