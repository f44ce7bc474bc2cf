# Every target sets up .venv by itself; nothing else needs to be installed but Python 3.11 or newer.
#
#   make demo [TAPE=PATH [INSTRUMENT=ID]]   replay a market through a strategy and write a report
#   make test               all tests
#   make check              format, lint, types, import contract, tests, coverage, documentation
#   make bench              measure; benchmarks/results/latest.json
#   make deep               the full counts of properties and twins that CI only samples
#   make docs               build the documentation into site/

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := demo

BIN := .venv/bin
TAPE ?=
INSTRUMENT ?=
SEED ?= 7
PYTEST_ARGS ?=
PARALLEL ?= --numprocesses=auto --dist=loadfile
export PYTHON

.PHONY: setup demo test check format lint types contract coverage docs bench peers deep pins clean

setup:
	@scripts/setup

demo: setup
	@$(BIN)/python -m scripts.demo --seed $(SEED) $(if $(TAPE),--tape "$(TAPE)") \
		$(if $(INSTRUMENT),--instrument "$(INSTRUMENT)")

# What the tests run is recorded on the way, for `make coverage`.
test: setup
	COVERAGE_FILE=.coverage.compiled $(BIN)/pytest $(PARALLEL) --cov --cov-report= $(PYTEST_ARGS)

check: lint types contract test coverage docs
	@echo "All checks passed."

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

contract: setup
	$(BIN)/lint-imports --no-logo

# Coverage cannot see into machine code. The kernels are measured as the plain Python that they also are, on few and
# small examples and without the tests marked `compiled`; together with what `make test` recorded that must reach the
# limits. Nothing is left out.
coverage: setup
	test -f .coverage.compiled || $(MAKE) test
	NUMBA_DISABLE_JIT=1 HYPOTHESIS_PROFILE=interpreted COVERAGE_FILE=.coverage.interpreted \
		$(BIN)/pytest $(PARALLEL) --cov --cov-report= -m "not compiled"
	$(BIN)/coverage combine --keep --quiet .coverage.compiled .coverage.interpreted
	$(BIN)/coverage json --quiet -o .coverage.json
	$(BIN)/coverage report
	$(BIN)/python scripts/coverage_limits.py .coverage.json

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: setup
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

# Environments of the peers, each of its own: they clash with ours and with one another.
peers:
	benchmarks/peers/install

deep: setup
	HYPOTHESIS_PROFILE=deep $(BIN)/pytest $(PARALLEL) $(PYTEST_ARGS)

# Write requirements/dev.txt anew from pyproject.toml (needs uv on the path).
pins:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra dev \
		--custom-compile-command "make pins" --output-file requirements/dev.txt --quiet pyproject.toml

clean:
	rm -rf site htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
