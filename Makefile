# Every task of the project. `make` alone prints them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MEMBERS := shared/kit shared/cli services/profile-svc services/stakeholder-svc services/metrics-svc services/scoring-svc services/plan-svc

SOURCES := $(MEMBERS:%=%/src) bench

.PHONY: help
help: ## print the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 22

$(READY): requirements.lock $(MEMBERS:%=%/pyproject.toml)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Bellwether needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(MEMBERS:%=-e %)
	@touch $@

.PHONY: setup
setup: $(READY) ## make the virtual environment from requirements.lock

.PHONY: demo
demo: $(READY) ## set up all and replay a year of real orders (KEEP=1 leaves the stack running)
	$(BIN)/bellwether demo $(if $(KEEP),--keep)

.PHONY: up
up: $(READY) ## start the local stack on the usual ports and return when it is ready
	$(BIN)/bellwether up --detach

.PHONY: down
down: $(READY) ## stop the local stack; data stays
	$(BIN)/bellwether down

.PHONY: test
test: $(READY) ## set up all and pass every test, on a real PostgreSQL and a real Kafka
	$(BIN)/pytest -q -n 2 --no-loadscope-reorder  # journeys in one of two, all else where there is room

.PHONY: faults
faults: $(READY) ## kill, freeze and cut off a running stack under load, and judge what is left (ARGS="--seed 7 --faults 40")
	PYTHONPATH=tests:tests/journeys:services/scoring-svc/tests $(BIN)/python -m faults $(ARGS)

.PHONY: faults-teeth
faults-teeth: $(READY) ## break each promise on purpose in a fault run, and see that the judge sees it (ARGS="--only latest")
	PYTHONPATH=tests:tests/journeys:services/scoring-svc/tests $(BIN)/python -m faults.teeth $(ARGS)

.PHONY: check
check: $(READY) ## ruff, mypy, import rules and contracts; seconds
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/bellwether contracts check

.PHONY: format
format: $(READY) ## let ruff write the code as it wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: contracts
contracts: $(READY) ## write schemas and the AsyncAPI document anew from the services' models
	$(BIN)/bellwether contracts generate

.PHONY: contracts-check
contracts-check: $(READY) ## say what a change of contracts would break, and for whom
	$(BIN)/bellwether contracts check

.PHONY: evidence-table
evidence-table: $(READY) ## write docs/evidence.md anew from the catalogue and the rules
	$(BIN)/python docs/evidence_table.py write

.PHONY: scoring-table
scoring-table: $(READY) ## write docs/scoring.md anew from the scorecard and the alert rules
	$(BIN)/python docs/scoring_table.py write

.PHONY: dashboard
dashboard: $(READY) ## write the Grafana dashboard of deploy/observability anew
	$(BIN)/python deploy/observability/dashboard.py

.PHONY: bench
bench: $(READY) ## measure the paths that must be fast, each beside its floor (ARGS=--quick for a smoke test)
	$(BIN)/bellwether bench suite $(ARGS)

.PHONY: lock
lock: $(READY) ## write requirements.lock anew: newest versions, hashes, no index address
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --no-emit-package bellwether-kit --extra local --extra testing --extra backtest --group dev \
	  shared/kit/pyproject.toml shared/cli/pyproject.toml services/*/pyproject.toml -o requirements.lock
