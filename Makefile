# The menu. `make demo` and `make test` need Python 3.11 or later, and nothing else, on Debian or Ubuntu.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROOT := $(CURDIR)
export PYTHONPATH := $(ROOT)
# Of the tests: one more than processors, since many wait for a browser or a server; memory bounds them.
PROCESSES := $(shell n=$$(nproc); echo $$(( n < 4 ? n + 1 : 4 )))

.PHONY: demo test shots lint bench bench-insight bench-ai chaos setup setup-dev browser clean
.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.runtime ## run everything with a day of demo traffic; Ctrl-C ends it
	@$(BIN)/python -m demo

test: $(VENV)/.dev browser ## set up what the tests need and run all of them
	@$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile

shots: $(VENV)/.dev browser ## pictures of every page, in both languages and themes, on a screen and a phone: build/shots
	@$(BIN)/python -m tests.e2e.shots $(ARGS)

lint: $(VENV)/.dev ## style, types, the direction of imports, and known holes of what is installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.audit

bench: $(VENV)/.bench browser ## run the benchmarks: one JSON object a line; ARGS=ingest, import, viewers, watch, reading or browser runs a part
	@$(BIN)/python -m bench $(ARGS)

bench-insight: $(VENV)/.runtime ## how often the search finds planted incidents, and false ones; ARGS=--quick takes a minute, --help tells more
	@$(BIN)/python -m bench.insight $(ARGS)

bench-ai: $(VENV)/.runtime ## whether the AI page's evidence holds the truth and its check catches what is false; ARGS=--help tells more
	@$(BIN)/python -m bench.ai $(ARGS)

chaos: $(VENV)/.dev ## 1,000 faults while records are sent, on the native server of TEST_DATABASE_URL: counts lost and doubled
	@$(BIN)/python -m tests.chaos --faults 1000

setup: $(VENV)/.runtime ## install what the program needs, into .venv
setup-dev: $(VENV)/.dev ## install what its tests need too

browser: ## install Chromium and its driver where they are missing
	@sh deploy/install-browser.sh

$(VENV)/bin/python:
	@sh deploy/make-venv.sh "$(PYTHON)" "$(VENV)"

# --no-deps: the files list everything, hashed; pip has nothing left to resolve.
$(VENV)/.runtime: requirements/runtime.txt requirements/node.txt accessboard/embedded/package-lock.json | $(VENV)/bin/python
	@echo "installing into $(VENV) (first time only)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/runtime.txt
	@$(BIN)/python -m accessboard.embedded.node 2>/dev/null || { \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/node.txt && \
	  $(BIN)/python -m accessboard.embedded.node; }
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/$(BIN)/python" -m accessboard "$$@"\n' "$(ROOT)" "$(ROOT)" > $(BIN)/accessboard
	@chmod +x $(BIN)/accessboard
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	@touch $@

$(VENV)/.bench: requirements/bench.txt $(VENV)/.runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/bench.txt
	@touch $@

clean: ## remove what was installed and built; keeps data/
	rm -rf $(VENV) accessboard/embedded/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build
