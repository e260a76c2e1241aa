# `make` alone lists what there is. bench, test and lint make their environment themselves, on a fresh clone too.
#
#   make bench ARGS="--only 'sd15-precision/*'"    words for the command, quoted as in a shell
#   make test ARGS="-k gate" WORKERS=4             tests in four processes instead of two
#   make setup PYTHON=python3.12                   the Python to use
#
# Without PYTHON it is the active environment's, or else the first of the usual names that is 3.11 to 3.13.
# What becomes of it, and of a torch that it has already, is told in tools/setup.py.

ARGS    ?=
WORKERS ?= 2

active := $(or $(VIRTUAL_ENV),$(CONDA_PREFIX))
usual  := python3 python3.13 python3.12 python3.11
given  := $(or $(PYTHON),$(and $(active),$(active)/bin/python))
fits   := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# Opens a recipe: does the set-up where it is missing or old, and leaves the environment's Python in $$python.
ready = \
	for found in $(if $(given),"$(given)",$(usual)) ''; do "$$found" -c '$(fits)' 2>/dev/null && break; done; \
	if [ -z "$$found" ]; then \
		echo "no Python 3.11 to 3.13 in: $(or $(given),$(usual)); name one: make $@ PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi; \
	python=$$("$$found" tools/setup.py $(if $(PYTHON),--chosen)) || exit

.PHONY: help setup bench test lint overhead cost validate-gate clean

help:  ## List the targets (this is the default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup:  ## Make the environment, or bring it up to date; the others do so by themselves
	@$(ready); echo "ready: $$python"

bench:  ## Measure every scenario; ARGS="--only 'sd15-precision/*'" for some, ARGS=--help for the rest
	@$(ready); "$$python" -m bench run $(ARGS)

test:  ## Run the tests, those that need a GPU where there is one; ARGS="-k gate" for some
	@$(ready); "$$python" tools/browser.py; "$$python" -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint:  ## Check the code, its format and its types
	@$(ready); "$$python" -m ruff check . && "$$python" -m ruff format --check . && "$$python" -m mypy

overhead:  ## Hold the harness's timed region against a bare loop, as a ratio with its interval
	@$(ready); "$$python" tools/overhead.py $(ARGS)

cost:  ## Hold the wall time of two tiny tables against their calls
	@$(ready); "$$python" tools/cost.py

validate-gate:  ## Show how often the gate's verdicts are right, simulated and real; ARGS="--real 0" for seconds
	@$(ready); "$$python" tools/validate_gate.py $(ARGS)

clean:  ## Remove .venv, caches and build leftovers; results/ stays
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .benchmarks .coverage htmlcov
	find . -path ./results -prune -o -path ./.git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
