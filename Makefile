# Maille: what one does with a clone. Needs Python 3.11 or newer; everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
DATA ?= var/data
HOST ?= 127.0.0.1
PORT ?= 8000
FUZZ_MEMORY ?= 200
PGBOUNCER ?= $(shell command -v pgbouncer)

.PHONY: run test quick lint format bench failover pgbouncer conformance mutants contract fuzz guided existence rolling kills lock clean help

help:            ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 18

run: .venv/ready ## create the demo network if it is not there, then serve it (SMTP_URL=smtp://… sends its mail)
	@$(BIN)/maille demo suivi --data $(DATA)
	@$(BIN)/maille serve --data $(DATA) --host $(HOST) --port $(PORT)

test quick: export PYTHONDONTWRITEBYTECODE = # empty, whatever the shell says: compiling anew takes longer than most tests

test: .venv/ready-dev ## run every test; those that need a browser only where Chromium is installed
	$(BIN)/pytest -n auto --dist worksteal

quick: export MAILLE_EXAMPLES ?= 0.1
quick: .venv/ready-dev ## run the quick tests: on SQLite, no browser, no second process, no sweep over every address, few random examples
	$(BIN)/pytest -n auto --dist worksteal -m "not browser and not slow and not postgres"

lint: .venv/ready-dev ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pip check --disable-pip-version-check

format: .venv/ready-dev ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/ready-dev ## measure the hot paths beside their raw limits
	$(BIN)/python -m benchmarks

failover: .venv/ready-dev ## kill the primary of two PostgreSQL servers 20 times under load, and look for what was acknowledged
	$(BIN)/python -m tests.failover

pgbouncer: .venv/ready-dev ## run what is tested behind a pooler behind the real one (PGBOUNCER=… says where it is)
	MAILLE_PGBOUNCER=$(PGBOUNCER) $(BIN)/pytest -n0 tests/models/test_pooled.py tests/admin/test_many_processes.py

conformance: .venv/ready-dev ## score the cases of CEL and SCXML that others wrote (CONFORMANCE_DIR=… says where they are)
	@$(BIN)/python -m tests.conformance

mutants: .venv/ready-dev ## break every pack in every way the checker knows, and count what it finds at the right line
	$(BIN)/python -m tests.definitions.mutants --jobs 2

contract: .venv/ready-dev ## send 20,000 made-up requests to the API as each level, and compare with its description
	$(BIN)/python -m tests.admin.api.contract 20000

fuzz: .venv/ready-dev ## throw 1,000,000 expressions and 100,000 YAML files at the parsers
	$(BIN)/python -m tests.fuzz --expressions 1000000
	$(BIN)/python -m tests.fuzz --files 100000

guided: .venv/ready-fuzz ## let atheris look for ways through the parsers that no case has taken yet (Linux, Python 3.11 to 3.13)
	$(BIN)/python -m tests.guided expressions -runs=1000000 -max_len=400 -timeout=5 -rss_limit_mb=$(FUZZ_MEMORY)
	$(BIN)/python -m tests.guided files -runs=100000 -max_len=4000 -timeout=5 -rss_limit_mb=$(FUZZ_MEMORY)

existence: .venv/ready-dev ## measure whether time tells a foreign record from an absent one
	$(BIN)/python -m benchmarks.existence

rolling: .venv/ready-dev ## replace the processes of a server under load, on both databases, and count what failed
	$(BIN)/python -m tests.admin.rolling 10

kills: .venv/ready-dev ## die at every point between two writes and under load, on both databases (hours; goes on where it was stopped)
	TMPDIR=$${TMPDIR:-/dev/shm} $(BIN)/python -m tests.workflows.kills

lock: .venv/ready-dev ## resolve the dependencies of pyproject.toml anew (needs uv on the PATH)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:           ## remove what can be made again, the demo network with it
	rm -rf .venv .cache var build *.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Maille needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 run" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv

.venv/ready: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing Maille's pinned dependencies (once)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/ready-dev: requirements-dev.lock .venv/ready
	@echo "Installing what the tests need (once)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

.venv/ready-fuzz: requirements-fuzz.lock .venv/ready-dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-fuzz.lock
	@touch $@
