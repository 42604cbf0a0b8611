# Every task of the project. `make` alone prints them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MEMBERS := shared/kit shared/cli services/profile-svc services/stakeholder-svc services/metrics-svc services/scoring-svc services/plan-svc

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
setup: $(READY) ## make the virtual environment

.PHONY: lock
lock: $(READY) ## write requirements.lock anew: newest versions, hashes, no index address
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --no-emit-package bellwether-kit --extra local --extra testing --group dev \
	  shared/kit/pyproject.toml shared/cli/pyproject.toml services/*/pyproject.toml -o requirements.lock
