# SPDX-License-Identifier: GPL-3.0-or-later
#
# `make help` lists what there is. Everything that is made goes to .venv, .build and .lab, which git ignores.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
COPY := .build/ansible_collections/atmail/migration
RESULTS := .build/results
PART = tests/tools/part.sh $(RESULTS)
# Whole files, in their order: the servers of a file are started once. Three processes keep two cores busy, as tests wait a lot.
BY_FILE := -n 3 --dist loadfile --no-loadscope-reorder
PYTEST_ARGS ?=
SOAK_ROUNDS ?= 10
HUGE_ARGS ?=
USERS_MINUTES ?= 30
USERS_SEED ?= 20261123
INTERRUPT_ARGS ?=

.PHONY: help setup soak fuzz users huge dav interrupt lock docs demo lab-up lab-down test lint unit integration faults bench collection clean \
	lint-ruff lint-format lint-mypy lint-yaml lint-ansible lint-sanity lint-build

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort | column -t -s "$$(printf '\t')"

setup: ## make .venv: ansible-core, the libraries and the collection itself (does nothing when up to date)
	@tests/tools/venv.sh

lock: setup ## choose the newest versions that requirements*.txt allow, and pin them in requirements.lock
	@tests/tools/lock.sh

demo: setup ## start an on-premises site and a cloud on loopback, migrate two customers, prove it (repeat it: changed=0)
	@$(BIN)/python -m tests.demo

lab-up: setup ## install and start the lab's servers
	@$(BIN)/python -m tests.lab install
	@$(BIN)/python -m tests.lab up --scale demo

lab-down: setup ## stop the lab's servers and remove their data
	@$(BIN)/python -m tests.lab down

# Reading the code keeps one core busy, so the unit tests have the other one meanwhile.
test: setup ## lint, unit, integration and fault tests, all of them even when one fails
	@rm -rf $(RESULTS)
	@code=0; $(MAKE) --no-print-directory -k -j2 --output-sync=target lint unit || code=$$?; \
	  $(MAKE) --no-print-directory -k integration faults || code=$$?; \
	  $(BIN)/python -m tests.tools.summary $(RESULTS) || code=1; exit $$code

lint: lint-ruff lint-format lint-mypy lint-yaml lint-ansible lint-sanity lint-build ## every check that reads the code

unit: setup ## unit tests
	@$(PART) unit $(BIN)/pytest -n 2 --junit-xml=$(RESULTS)/unit.xml tests/unit $(PYTEST_ARGS)

integration: setup ## integration tests, against real servers that they start
	@$(BIN)/python -m tests.lab install
	@$(PART) integration $(BIN)/pytest $(BY_FILE) -m "not soak" --junit-xml=$(RESULTS)/integration.xml tests/integration $(PYTEST_ARGS)

faults: setup ## kills, cuts, hostile servers, full disks, each followed by a rerun
	@$(BIN)/python -m tests.lab install
	@$(PART) faults $(BIN)/pytest $(BY_FILE) --junit-xml=$(RESULTS)/faults.xml tests/faults $(PYTEST_ARGS)

interrupt: setup ## stop the engine at every single step of every scenario and resume it (INTERRUPT_ARGS="--every 5 flags")
	@$(BIN)/python -m tests.lab install
	@$(BIN)/python -m tests.faults.interruptions $(INTERRUPT_ARGS)

users: setup ## random users on both sides, with runs and kills in between, for half an hour (USERS_MINUTES=…, USERS_SEED=…)
	@$(BIN)/python -m tests.lab install
	@$(BIN)/python -m tests.users $(USERS_MINUTES) $(USERS_SEED)

soak: setup ## what looks for races, ten times over (SOAK_ROUNDS=…)
	@$(BIN)/python -m tests.lab install
	@for round in $$(seq $(SOAK_ROUNDS)); do $(BIN)/pytest -q -m soak tests/integration $(PYTEST_ARGS); done

huge: setup ## a folder of 1,000,000 messages and a message of 1.5 GB, and the memory that they take (HUGE_ARGS=…)
	@$(BIN)/python -m tests.lab install
	@$(BIN)/python -m tests.huge $(HUGE_ARGS)

dav: setup ## two accounts with 3,000 events and 4,000 contacts each, from a CalDAV server and from Atmail 7's rows (DAV_OBJECTS=1000)
	@$(BIN)/python -m tests.lab install
	@DAV_OBJECTS=$${DAV_OBJECTS:-1000} $(BIN)/pytest -q --durations=0 tests/integration/test_dav_sync.py -k two_accounts $(PYTEST_ARGS)

FUZZ_ANSWERS ?= 100000
fuzz: setup ## servers whose answers are garbled, until 100,000 answers have been (FUZZ_ANSWERS=…, FUZZ_SEED=…)
	@FUZZ_ANSWERS=$(FUZZ_ANSWERS) $(BIN)/pytest -q tests/faults/test_fuzzed_servers.py $(PYTEST_ARGS)

bench: setup ## measure the engine beside peers in throw-away labs (mail, calendars), its memory against message size, a large customer's settings
	@$(BIN)/python -m tests.benchmark --install
	@$(BIN)/python -m tests.benchmark settings
	@$(BIN)/python -m tests.benchmark dav --runs 3

lint-ruff: setup
	@$(PART) ruff $(BIN)/ruff check .

lint-format: setup
	@$(PART) ruff-format $(BIN)/ruff format --check .

# The code is checked under the name it has in Ansible: ansible_collections.atmail.migration.
lint-mypy: setup
	@mkdir -p .build/path/ansible_collections/atmail
	@ln -sfn ../../../.. .build/path/ansible_collections/atmail/migration
	@$(PART) mypy $(BIN)/mypy -p ansible_collections.atmail.migration.plugins -p tests

lint-yaml: setup
	@$(PART) yamllint $(BIN)/yamllint --strict .

lint-ansible: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" NO_COLOR=1 $(PART) ansible-lint ansible-lint --offline

# ansible-test resolves links and wants the collection at its own place: it works on a copy of the tracked files.
collection: setup
	@tests/tools/copy_collection.sh $(COPY)

lint-sanity: collection
	@$(PART) ansible-test tests/tools/sanity.sh $(COPY)

lint-build: collection
	@$(PART) galaxy-build $(BIN)/ansible-galaxy collection build --force --output-path .build $(COPY)

docs: setup ## write docs/errors.md from the error tree
	@$(BIN)/python -m tests.tools.errors_doc

clean: ## remove what was made, but not the lab (make lab-down) and not .venv
	rm -rf .build .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/output .ansible
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
