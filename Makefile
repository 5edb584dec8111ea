# make demo         proves the best clusters of the shipped Iris data, in a virtual environment of its own (.venv)
# make test         runs the tests, in the same environment
# make test-wheel   sdist -> wheel in an empty folder -> new environment -> tests in another folder
# make test-oldest  the tests on the oldest dependencies that pyproject.toml allows
# make wheel-check  the wheel as it would be published: repaired, and held against the stable ABI
# make trust        what can be relied on, tried beside scikit-learn: an hour, or make trust QUICK=--quick
# make sanitize     the tests of the kernels under AddressSanitizer and UndefinedBehaviorSanitizer (Linux, GCC)
# make coverage     branches of Python and lines of .pyx that the tests reach: both totals, a report each; builds anew
# make reproducible two builds in different folders, which are to give the same bytes
# make lint         style of the Python, safety of the workflows
# make docs         builds the documentation in docs/_build, its examples and proofs included
# make clean        removes everything that was made here
#
# Another interpreter: make test PYTHON=python3.13 (after make clean, if .venv is there already).

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# setuptools has a warning on every editable installation, and nothing that could be done about it.
PIP = PYTHONWARNINGS="ignore:Editable installation" $(BIN)/python -m pip --disable-pip-version-check --quiet
ON_ALL = --numprocesses auto --maxprocesses 8 --dist worksteal # the tests, on all processors
WHAT_IS_BUILT = pyproject.toml setup.py $(wildcard src/* src/simd/*)

.PHONY: demo test trust sanitize coverage coverage-python coverage-compiled reproducible test-wheel test-oldest wheel-check lint docs clean

# A proof, and the checker's word for it. 30 of the flowers: 2^29 ways to make two clusters, and all of them are looked at.
demo: $(VENV)/.demo
	$(BIN)/ckmeans fit iris -k 3 --prove --proof $(VENV)/iris.ckc --force
	$(BIN)/python -m ckmeans.check $(VENV)/iris.ckc
	$(BIN)/ckmeans soft iris -k 3 --variance tied
	$(BIN)/ckmeans exhaustive iris -k 2 --sample 30

test: $(VENV)/.test
	$(BIN)/python -m pytest $(ON_ALL)

trust: $(VENV)/.test
	$(BIN)/python -m benchmarks.trust $(QUICK)

# Built into a folder of its own, from which the tests import. What a sanitizer finds ends the tests.
SANITIZERS = -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SANITIZED = tests/local tests/exact tests/estimators
sanitize: $(VENV)/.test
	CKMEANS_FLAGS="$(SANITIZERS)" $(BIN)/python setup.py -q build --build-base build/sanitize --build-lib build/sanitize/lib
	LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libubsan.so)" PYTHONMALLOC=malloc \
	ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
	PYTHONPATH=build/sanitize/lib $(BIN)/python -P -m pytest -p no:cacheprovider $(SANITIZED)

# Branches of Python with the kernels as they are; then lines of .pyx and of headers by gcov, without optimization, with the tests
# of kernels. pyproject.toml says what is counted: child processes are. The checker with holes is none of the package: left out.
COVERED = tests
COVERED_COMPILED = $(SANITIZED) tests/diagnostics tests/test_arithmetic.py
BUILT = $(abspath build/coverage)
COUNTED = -q -p no:cacheprovider $(ON_ALL) -k "not test_a_hole_is_noticed"
coverage: coverage-python coverage-compiled

coverage-python: export COVERAGE_FILE = $(BUILT)/.coverage
coverage-python: $(VENV)/.test
	$(PIP) install "coverage>=7.17"
	mkdir -p $(BUILT) && rm -f $(BUILT)/.coverage*
	-$(BIN)/python -m coverage run -m pytest $(COUNTED) $(COVERED)
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report

coverage-compiled: $(VENV)/.test
	CKMEANS_FLAGS="-O0 --coverage" $(BIN)/python setup.py -q build --build-base build/coverage --build-lib build/coverage/lib
	find $(BUILT) -name '*.gcda' -delete
	-PYTHONPATH=$(BUILT)/lib PYTHONSAFEPATH=1 $(BIN)/python -m pytest $(COUNTED) $(COVERED_COMPILED)
	$(BIN)/python benchmarks/compiled_coverage.py build/coverage

reproducible: $(VENV)/.dev
	@set -eux; room=$$(mktemp -d); trap 'rm -rf "$$room"' EXIT; \
	$(BIN)/python -m build --sdist --quiet --outdir "$$room"; \
	for folder in "$$room/a" "$$room/another/of/another/length"; do \
		mkdir -p "$$folder"; tar -xzf "$$room"/*.tar.gz --strip-components 1 -C "$$folder"; \
		$(BIN)/python -m build --wheel --quiet --outdir "$$folder/dist" "$$folder"; \
	done; \
	cmp "$$room"/a/dist/*.whl "$$room"/another/of/another/length/dist/*.whl

test-wheel: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build --sdist --quiet
	@set -eux; room=$$(mktemp -d); trap 'rm -rf "$$room"' EXIT; \
	$(PYTHON) -m venv "$$room/venv"; \
	tar -xzf dist/*.tar.gz -C "$$room"; mv dist/*.tar.gz "$$room"; cd "$$room"; \
	mv certified_kmeans-*/tests certified_kmeans-*/pyproject.toml .; rm -r certified_kmeans-*/; \
	venv/bin/pip install --quiet --upgrade "pip>=25.1"; \
	venv/bin/pip wheel --quiet --no-deps *.tar.gz; \
	venv/bin/pip install --quiet "$$(echo *.whl)[all]" --group test; \
	venv/bin/python -m pytest $(ON_ALL)

test-oldest: UV = $(BIN)/uv pip install --quiet --python "$$room/venv/bin/python"
test-oldest: $(VENV)/.dev
	@set -eux; room=$$(mktemp -d); trap 'rm -rf "$$room"' EXIT; \
	$(PYTHON) -m venv "$$room/venv"; \
	$(UV) --resolution lowest-direct -r pyproject.toml --extra cli --extra plots --group test; \
	$(UV) --no-deps .; \
	cp -r tests pyproject.toml "$$room"; cd "$$room"; \
	venv/bin/python -m pytest $(ON_ALL)

wheel-check: $(VENV)/.dev
	rm -rf dist wheelhouse
	$(BIN)/python -m build --quiet
	$(BIN)/twine check --strict dist/*
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/auditwheel repair --wheel-dir wheelhouse dist/*-abi3-*.whl
	$(BIN)/abi3audit --strict wheelhouse/*.whl

lint: $(VENV)/.lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/zizmor --offline --quiet --persona=pedantic .github

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build
	$(BIN)/python docs/check_links.py docs/_build
	$(BIN)/python docs/check_pages.py docs/_build

clean:
	rm -rf docs/_build docs/made docs/questions docs/reference/generated docs/sg_execution_times.rst
	rm -rf $(VENV) build dist wheelhouse *.egg-info ckmeans/_kernels/*.so ckmeans/_kernels/*.pyd \
		.pytest_cache .ruff_cache .hypothesis
	find ckmeans tests -name __pycache__ -exec rm -rf {} +

# The environment. Each file in it marks one thing as installed; an edit of a .py needs nothing, an edit of what
# is built installs again.

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is no Python 3.11 or later: name one, as in make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV), once; this takes a minute."
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade "pip>=25.1"
	@touch $@

# What is imported is compiled to bytecode then: all of it would take as long as the download.
$(VENV)/.demo: $(VENV)/.venv $(WHAT_IS_BUILT)
	$(PIP) install --no-compile --editable ".[cli]"
	@touch $@

$(VENV)/.test: $(VENV)/.venv $(WHAT_IS_BUILT)
	$(PIP) install --editable ".[all]" --group test
	@$(PIP) install --group models || echo "Without skops and ONNX: the few tests that need them will be left out."
	@touch $@ $(VENV)/.demo

$(VENV)/.docs: $(VENV)/.venv $(WHAT_IS_BUILT)
	$(PIP) install --editable ".[docs]"
	@touch $@ $(VENV)/.demo

$(VENV)/.lint: $(VENV)/.venv pyproject.toml
	$(PIP) install --group lint
	@touch $@

$(VENV)/.dev: $(VENV)/.venv pyproject.toml
	$(PIP) install --group dev
	@touch $@
