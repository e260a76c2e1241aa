# Run `make` to list the targets. Each target that needs the environment creates or updates it first.
#
#   make bench ARGS="--only 'sd15-precision/*'"    extra arguments, quoted as in a shell
#   make test ARGS="-k gate" WORKERS=4             run tests in four processes instead of two
#   make setup PYTHON=python3.12                   choose the Python to use
#
# The default Python is that of the active environment, or else the first usual name that is 3.11 to 3.13.
# tools/setup.py explains what happens to that environment and to a torch that it already has.

ARGS    ?=
WORKERS ?= 2

active := $(or $(VIRTUAL_ENV),$(CONDA_PREFIX))
usual  := python3 python3.13 python3.12 python3.11
given  := $(or $(PYTHON),$(and $(active),$(active)/bin/python))
fits   := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# Begins a recipe: sets up the environment if it is missing or outdated and stores its Python in $$python.
ready = \
	for found in $(if $(given),"$(given)",$(usual)) ''; do "$$found" -c '$(fits)' 2>/dev/null && break; done; \
	if [ -z "$$found" ]; then \
		echo "no Python 3.11 to 3.13 in: $(or $(given),$(usual)); name one: make $@ PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi; \
	python=$$("$$found" tools/setup.py $(if $(PYTHON),--chosen)) || exit

.PHONY: help setup bench test lint docs gpu overhead cost scale validate-gate validate-intervals validate-trend clean

help:  ## List the targets (the default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup:  ## Create the environment or bring it up to date; the other targets do this themselves
	@$(ready); echo "ready: $$python"

bench:  ## Measure every scenario; ARGS="--only 'sd15-precision/*'" selects some, ARGS=--help lists the options
	@$(ready); "$$python" -m bench run $(ARGS)

test:  ## Run the tests; ARGS="-k gate" selects some, ARGS="-m 'not slow'" skips the slow ones
	@$(ready); "$$python" -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint:  ## Check the code, its formatting and its types
	@$(ready); "$$python" -m ruff check . && "$$python" -m ruff format --check . && "$$python" -m mypy

docs:  ## Regenerate the reference pages in docs/; ARGS=--screenshot also retakes the picture in the README
	@$(ready); "$$python" tools/docs.py $(ARGS)

gpu:  ## Run once everything that only a GPU can show, and pack it; ARGS="--budget 2h" limits the tables
	@$(ready); "$$python" tools/qualify.py $(ARGS)

overhead:  ## Compare the harness's timed region with a bare loop around the same call
	@$(ready); "$$python" tools/overhead.py $(ARGS)

cost:  ## Compare the wall time of two tiny tables with the time spent in their calls
	@$(ready); "$$python" tools/cost.py

scale:  ## Time bookkeeping, tables, comparison and report on made-up runs of up to 2,000 cases
	@$(ready); "$$python" tools/scale.py $(ARGS)

validate-gate:  ## Measure how often the gate's verdicts are right; ARGS="--real 0" only simulates, in minutes
	@$(ready); "$$python" tools/validate_gate.py $(ARGS)

validate-intervals:  ## Measure how often the interval of one process holds the true median; simulated, two minutes
	@$(ready); "$$python" tools/validate_intervals.py $(ARGS)

validate-trend:  ## Measure how often trend finds a change where there is one, and where nights only resemble each other
	@$(ready); "$$python" tools/validate_trend.py $(ARGS)

clean:  ## Remove .venv, caches and build leftovers; results/ stays
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .benchmarks .coverage* htmlcov
	find . -path ./results -prune -o -path ./.git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
