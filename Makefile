# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test lint format bench secrets clean

$(VENV)/.runs: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.develops: $(VENV)/.runs
	$(BIN)/pip install --quiet --group dev
	touch $@

demo: $(VENV)/.runs          ## a whole simulated city, live, in the terminal
	$(BIN)/spotwatch demo

test: $(VENV)/.develops      ## every test; lists at the end what was skipped and why
	$(BIN)/pytest

lint: $(VENV)/.develops      ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.develops
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.develops     ## speed and memory, beside peers in the same run
	$(BIN)/python -m bench

secrets:                     ## what docker-compose.yml needs before its first start
	@sh deploy/first-run.sh

clean:
	rm -rf $(VENV) demo-city .mypy_cache .ruff_cache .pytest_cache .hypothesis
