# Everything a developer or CI does, as one word each. `make` alone lists them.
VENV ?= .venv
DATA ?= .kairos
CONF ?= conf/embedded.yaml
SPEED ?= 60x
TESTS ?= tests
export KAIROS_DATA := $(abspath $(DATA))

BIN := $(abspath $(VENV))/bin
KAIROS := $(BIN)/kairos
# Thread mode finds Python through the environment, so every command runs as in an activated environment.
export VIRTUAL_ENV := $(abspath $(VENV))
export PATH := $(BIN):$(PATH)
SETUP := VENV=$(VENV) KAIROS_DATA=$(KAIROS_DATA) tools/setup
FAST := not flink and not stack and not cluster and not slow

.DEFAULT_GOAL := help
.PHONY: help setup setup-run setup-check setup-stack lock run test check format up down status replay package cluster-up cluster-down submit stop bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  VENV=dir and DATA=dir move the environment (.venv) and everything written (.kairos) elsewhere."

setup: ## all that run, test and the stack need: environment, jars, Debian packages
	@$(SETUP) run dev jars system

setup-run:
	@$(SETUP) run

setup-check:
	@$(SETUP) run dev

setup-stack:
	@$(SETUP) run jars system

lock: setup-check ## write what is installed to tools/constraints.txt, after a change in setup.py
	@{ sed -n '/^#/p' tools/constraints.txt; $(BIN)/pip freeze --exclude-editable; } > $(DATA)/constraints.txt
	@mv $(DATA)/constraints.txt tools/constraints.txt

run: $(if $(filter conf/embedded.yaml,$(CONF)),setup-run,setup-stack) ## play the clickstream through the job: CONF=conf/embedded.yaml, or conf/local.yaml on the stack
	@$(KAIROS) run --conf $(CONF) $(ARGS)

test: setup ## everything CI runs: checks, all tests, the acceptance packs
	@$(MAKE) --no-print-directory static
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(TESTS) $(ARGS)

check: setup-check ## the fast part of test: linters, types, imports, rules, tests without servers
	@$(MAKE) --no-print-directory static
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "$(FAST)" $(TESTS) $(ARGS)

.PHONY: static
static:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(KAIROS) lint rules/
	$(KAIROS) test rules/

format: setup-check ## rewrite the code as the linter wants it
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

up: setup-stack ## start Kafka, Redis, MariaDB, RabbitMQ and the heartbeat on loopback (conf/stack.yaml)
	@$(KAIROS) stack up

down: setup-run ## stop them
	@$(KAIROS) stack down

status: setup-run ## what is running, where
	@$(KAIROS) stack status || true
	@$(KAIROS) cluster status || true

replay: setup-stack ## feed the clickstream into Kafka as live traffic: SPEED=60x
	@$(KAIROS) replay --speed $(SPEED) $(ARGS)

package: setup-stack ## build/kairos-code.zip and build/kairos-env.tar.gz for a Flink cluster
	@$(KAIROS) cluster package

cluster-up: setup-stack ## start a standalone Flink cluster: JobManager and two one-slot TaskManagers
	@$(KAIROS) cluster up

cluster-down: setup-run ## stop it
	@$(KAIROS) cluster down

submit: setup-stack ## submit the job: CONF=conf/cluster.yaml, FROM=savepoint, PACKAGE=1 ships the environment
	@$(KAIROS) cluster submit --conf $(or $(filter-out conf/embedded.yaml,$(CONF)),conf/cluster.yaml) \
	  $(if $(FROM),--from $(FROM)) $(if $(PACKAGE),--package) $(ARGS)

stop: setup-run ## stop the job with a savepoint and print its path
	@$(KAIROS) cluster stop $(ARGS)

.PHONY: demo-order-sms demo-fallback
demo-order-sms: setup-stack ## an unpaid order in RabbitMQ becomes a text message: told by real servers, step by step
	@$(KAIROS) demo order-sms $(ARGS)

demo-fallback: setup-stack ## WeChat first, a text message where that fails: told by real servers, step by step
	@$(KAIROS) demo fallback $(ARGS)

BENCHMARKS := simulate gateway latency deliver engine expressions user_state job_throughput job_latency job_state job_scale

bench: setup ## measure how fast it is, into docs/performance.md and benchmarks/results/latest.json
	@for one in $(BENCHMARKS) overview; do $(BIN)/python -m benchmarks.$$one --write || exit 1; done

.PHONY: bench-quick
bench-quick: setup ## the side-by-side benchmarks at small sizes: that they run, not how fast
	@$(BIN)/python -m benchmarks.quick

clean: down cluster-down ## remove what was built and written; keeps the environment
	rm -rf $(DATA) build dist *.egg-info
