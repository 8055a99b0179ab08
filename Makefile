# Two commands do everything: `make demo` and `make test`. Both need Python 3.11+ with venv, no more.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WHEEL_VENV := build/wheel-venv
SYNC := $(BIN)/uv sync --quiet --frozen --all-extras --all-groups --python $(BIN)/python
# threads: two are enough for a laptop and for CI
JOBS ?= 2

.PHONY: demo test check lint types contracts suite wheel-suite bench test-bluez format clean

demo: $(READY)
	$(BIN)/ksos demo

test: check suite wheel-suite

check: lint types contracts

# the environment: uv from a hashed pin, then everything else from the committed lock with hashes
$(READY): pyproject.toml uv.lock requirements-uv.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	$(SYNC) --no-install-project
	$(SYNC)
	touch $@

lint: $(READY)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/codespell

types: $(READY)
	$(BIN)/mypy
	$(BIN)/mypy tests

contracts: $(READY)
	$(BIN)/lint-imports
	$(BIN)/deptry .

suite: $(READY)
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -q -n $(JOBS) --ignore tests/bluez -m "not hardware and not slow"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include "firmware_protocol/*" --fail-under 100
	$(BIN)/coverage report --include "src/ksos_link/*" --fail-under 90

# once more as a user has it: the built wheel in an environment of its own; what is pure was tested
wheel-suite: $(READY)
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir build/wheel
	$(BIN)/check-wheel-contents build/wheel/*.whl
	UV_PROJECT_ENVIRONMENT=$(WHEEL_VENV) $(SYNC) --no-install-project
	$(BIN)/uv pip install --quiet --no-deps --reinstall --python $(WHEEL_VENV)/bin/python build/wheel/*.whl
	KSOS_TEST_WHEEL=1 $(WHEEL_VENV)/bin/pytest -q -n $(JOBS) -m "not hardware" tests/ksos_link

bench: $(READY)
	$(BIN)/python bench/run_all.py

test-bluez: $(READY)
	PYTHON=$(BIN)/python tests/bluez/run.sh

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
