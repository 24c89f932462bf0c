# Two commands matter: `make build` and `make test`. Both work on a fresh machine with Python 3.11+, git, make.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --quiet --no-annotate \
	--generate-hashes --no-emit-index-url --no-strip-extras --custom-compile-command "make lock"
SIZES ?= 400 1600

.PHONY: build test bench ui lint lock clean

build: .venv/.runtime  ## Both datasets from data/rollouts into data/out
	@$(BIN)/seta-dag build

test: lint  ## Lint, types, layers and tests
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: .venv/.dev  ## Whole builds of SIZES trials against a plain loop and the floor; writes bench/RESULTS.md
	@$(BIN)/python bench/full.py $(SIZES) $(OPTIONS)

ui: .venv/.runtime  ## Dagster's UI; it prints its address
	@$(BIN)/seta-dag ui

lint: .venv/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

lock: .venv/.dev  ## Writes both lock files anew from the ranges in pyproject.toml
	@$(PIP) install uv
	@echo hatchling | $(LOCK) - --output-file requirements.lock
	@$(LOCK) --extra dev --output-file requirements-dev.lock

clean:  ## Everything that was built or installed
	@rm -rf .venv data/out data/.dagster .pytest_cache .mypy_cache .ruff_cache .hypothesis .tmp_dagster_home_*

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/python
	@echo "installing the pinned requirements into .venv"
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# These hold the runtime's requirements too, so that nothing is installed twice.
.venv/.dev: requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo "installing what the tests need into .venv"
	@$(PIP) install --no-compile --require-hashes --requirement requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch .venv/.runtime $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "seta_dag needs Python 3.11 or newer")'
	@$(PYTHON) -m venv .venv
