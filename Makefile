# Needs make, git and Python 3.11 or newer; everything else goes into .venv.
# Another interpreter: make test PYTHON=/usr/bin/python3.13 VENV=.venv-3.13

VENV = .venv
PYTHON =
JOBS = auto
BIN = $(VENV)/bin
WITH_BIN = PATH="$$(cd '$(BIN)' && pwd):$$PATH"

# What is installed in the virtual environment, and from which pyproject.toml: one stamp for each dependency group.
PROJECT = $(VENV)/.installed
TEST = $(VENV)/.installed-test
LINT = $(VENV)/.installed-lint
DOCS = $(VENV)/.installed-docs

.PHONY: help demo test test-all torture fuzz lint types docs reference bench wheel clean
.NOTPARALLEL:

help:
	@echo 'make demo    a throw-away repository: run, change, explain, revert'
	@echo 'make test    the quick tests: each mechanism, some minutes'
	@echo 'make test-all  the whole suite, with what is slow by nature'
	@echo 'make torture kill commands at random moments: nothing lost, nothing left'
	@echo 'make fuzz    100,000 damaged inputs for each stored or received format'
	@echo 'make lint    ruff: rules and format'
	@echo 'make types   mypy, strict'
	@echo 'make docs    the site, in site/'
	@echo 'make reference  command pages, Python API, change-detection matrix, states of a stage'
	@echo 'make bench   the same work beside other tools, as ratios; a first look: make bench ARGS=--small'
	@echo 'make wheel   the wheel, in dist/'
	@echo 'make clean   remove what these targets made'

demo: $(PROJECT)
	$(WITH_BIN) sh demo/demo.sh

SUITE = $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# Without the tests marked `slow`; they run where pytest is started by hand, so that a test that is named is never left out.
# Commands are forked from one process that has imported everything; FORK= starts each, as `make test-all` does.
FORK = 1
test: $(TEST)
	PIVOT_TEST_FORK=$(FORK) $(SUITE) -m 'not slow' $(ARGS)
test-all: $(TEST)
	$(SUITE) $(ARGS)

# Kills commands at random moments and checks what is left; more or other trials: make torture ARGS="1000 7"
torture: $(TEST)
	$(BIN)/python -m tests.torture $(ARGS)
fuzz: $(TEST)
	$(BIN)/python -m tests.fuzz.run all $(ARGS)

lint: $(LINT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(TEST) $(LINT)
	$(BIN)/python -m mypy

docs: $(DOCS)
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --quiet docs site

# The pages that the code writes about itself; a test says when they are out of date.
reference: $(PROJECT)
	$(BIN)/python scripts/reference.py
	$(BIN)/python scripts/api.py
	$(BIN)/python scripts/matrix.py
	$(BIN)/python scripts/states.py

bench: $(PROJECT)
	$(BIN)/python -m benchmarks.compare $(ARGS)

wheel: $(PROJECT)
	rm -rf dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find pivot tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(PROJECT): pyproject.toml scripts/venv.sh
	PYTHON='$(PYTHON)' sh scripts/venv.sh $(VENV)
	touch $@

$(VENV)/.installed-%: pyproject.toml scripts/venv.sh
	PYTHON='$(PYTHON)' sh scripts/venv.sh $(VENV) $*
	touch $@
