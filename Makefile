# Everything a developer or an operator types. `make help` lists it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip -qq --disable-pip-version-check
RUN_OPTIONS ?=

.PHONY: help setup run soak soak-cluster chaos faults test fuzz lint types bench generated web lock audit sbom clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

NATIVE := $(addprefix src/visavis/media/native/,packet_path.c packet_path.h build.py)

$(VENV)/installed: requirements/run.txt requirements/build.txt pyproject.toml hatch_build.py $(NATIVE)
	@echo "Setting up $(VENV) (once, under a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Visavis needs Python 3.11 or newer.")'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(VENV)/installed ## make .venv with visavis in it

run: setup ## start the whole product; RUN_OPTIONS="--port 9000 …" for `visavis serve`
	@exec $(BIN)/visavis serve $(RUN_OPTIONS)

$(VENV)/test-installed: $(VENV)/installed requirements/test.txt
	@echo "Setting up the test tools ..."
	@$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

test: $(VENV)/test-installed ## set up and run every test
	@sh tests/system-packages
	@$(BIN)/python -m tests

fuzz: $(VENV)/test-installed ## a million broken inputs to each parser; INPUTS=1000 SEED=2 for others
	@$(BIN)/python -m tests.fuzz

lint: $(VENV)/test-installed ## style and import contracts, pages included
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports
	@$(BIN)/python -m tests.npm run lint

types: $(VENV)/test-installed ## static types
	@$(BIN)/mypy

$(VENV)/bench-installed: $(VENV)/test-installed requirements/bench.txt
	@$(PIP) install --require-hashes -r requirements/bench.txt
	@touch $@

soak: $(VENV)/test-installed ## floods, and recordings of calls over bad networks, as tables; SOAK_OPTIONS="--only Firefox --seed 2"
	@$(BIN)/python -m tests.faults.flood $(FLOOD_OPTIONS)
	@$(BIN)/python -m tests.soak $(SOAK_OPTIONS)

soak-cluster: $(VENV)/test-installed ## calls in a whole cluster while its parts die, as a table; CLUSTER_OPTIONS="--minutes 60 --seed 2"
	@$(BIN)/python -m tests.cluster $(CLUSTER_OPTIONS)

chaos: $(VENV)/test-installed ## 200 recorded calls while everything dies; CHAOS_OPTIONS="--seed 2"
	@$(BIN)/python -m tests.faults.chaos $(CHAOS_OPTIONS)

faults: $(VENV)/test-installed ## every fault of the machine five times under running calls; FAULT_OPTIONS="--seed 2"
	@$(BIN)/python -m tests.faults.operations --rounds 5 $(FAULT_OPTIONS)

bench: $(VENV)/bench-installed ## measure ourselves against our peers
	@sh tests/system-packages
	@sh benchmarks/system-packages
	@$(BIN)/python benchmarks

generated: $(VENV)/installed ## make the pages' types of the protocol: web/src/generated
	@for name in signaling rest errors; do \
	  $(BIN)/python -m visavis.protocol.typescript $$name.ts > web/src/generated/$$name.ts || exit; done

web: $(VENV)/test-installed generated ## build the pages into src/visavis/web/static
	@cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build

$(VENV)/audit-installed: $(VENV)/test-installed requirements/audit.txt
	@$(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/pip -qq --disable-pip-version-check install --require-hashes -r requirements/audit.txt
	@touch $@

audit: $(VENV)/audit-installed ## look every dependency up in the public lists of advisories
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python requirements/advisories.py $(CURDIR)/$(VENV)/audit/bin/pip-audit npm

sbom: $(VENV)/test-installed ## write build/sbom.json (CycloneDX): every package that is pinned
	@mkdir -p build
	@$(BIN)/python requirements/sbom.py > build/sbom.json

lock: ## pin the requirements again
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv"; exit 1; }
	@for kind in run build test bench audit; do \
	  input=requirements/$$kind.in; [ $$kind = run ] && input=pyproject.toml; \
	  constraint=; case $$kind in test|bench) constraint="-c requirements/run.txt";; esac; \
	  case $$kind in test) constraint="$$constraint --no-strip-extras";; esac; `# old pip finds no pin without its extra` \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-annotate --no-emit-index-url --no-emit-find-links $$constraint $$input -o requirements/$$kind.txt; done

clean: ## remove what the targets made; never data/
	@rm -rf $(VENV) .node build dist .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
