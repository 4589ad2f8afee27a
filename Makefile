# Everything a developer or CI does, as one word each. `make` alone lists them.
VENV ?= .venv
DATA ?= $(or $(KAIROS_DATA),.kairos)
CONF ?= conf/embedded.yaml
SPEED ?= 60x
TESTS ?= tests
export KAIROS_DATA := $(abspath $(DATA))
# Each of the hundreds of processes of a test run would compile all of Kairos anew: a third of the start of a command.
unexport PYTHONDONTWRITEBYTECODE

BIN := $(abspath $(VENV))/bin
KAIROS := $(BIN)/kairos
# Thread mode finds Python through the environment, so every command runs as in an activated environment.
export VIRTUAL_ENV := $(abspath $(VENV))
export PATH := $(BIN):$(PATH)
SETUP := VENV=$(VENV) KAIROS_DATA=$(KAIROS_DATA) tools/setup
FAST := not flink and not stack and not cluster and not slow

.DEFAULT_GOAL := help
.PHONY: help setup setup-run setup-check setup-trino setup-search setup-monitoring setup-stack lock run test check format up down up-trino down-trino up-monitoring down-monitoring status replay package cluster-up cluster-down submit stop bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  VENV=dir moves the environment (.venv), DATA=dir what is written (.kairos)."

setup: ## all that run, test and stack need: packages, jars
	@$(SETUP) run dev jars system monitoring

setup-run:
	@$(SETUP) run

setup-check:
	@$(SETUP) run dev

setup-trino:
	@$(SETUP) run trino

setup-search: ## a node of OpenSearch, for its tests: 46 MB
	@$(SETUP) run search

setup-monitoring: ## Prometheus and Alertmanager, for the alerts: 33 MB
	@$(SETUP) run monitoring

setup-stack:
	@$(SETUP) run jars system

lock: setup-check setup-trino ## write what is installed to tools/constraints.txt
	@{ sed -n '/^#/p' tools/constraints.txt; $(BIN)/pip freeze --exclude-editable; } > $(DATA)/constraints.txt
	@mv $(DATA)/constraints.txt tools/constraints.txt

run: $(if $(filter conf/embedded.yaml,$(CONF)),setup-run,setup-stack) ## play the example here: CONF=conf/embedded.yaml
	@$(KAIROS) run --conf $(CONF) $(ARGS)

.PHONY: console
console: setup-run ## look at it in a browser: CONF=conf/embedded.yaml
	@$(KAIROS) console --conf $(CONF) $(ARGS)

test: setup setup-trino ## everything CI runs: checks, tests, the acceptance packs
	@$(MAKE) --no-print-directory static
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(TESTS) $(ARGS) # on two cores: servers are waited for

check: setup-check ## the fast part of test: linters, types, no servers
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

up: setup-stack ## start the servers of conf/stack.yaml, on loopback
	@$(KAIROS) stack up
	@$(KAIROS) stack up scheduler

down: setup-run ## stop them
	@$(KAIROS) stack down

up-trino: setup-trino ## start Trino, for a warehouse that DuckDB has outgrown
	@$(KAIROS) stack up trino

up-monitoring: setup-monitoring ## start Prometheus and Alertmanager beside the stack
	@$(KAIROS) stack up prometheus alertmanager

down-monitoring: setup-run ## stop them
	@$(KAIROS) stack down prometheus alertmanager

down-trino: setup-run ## stop it
	@$(KAIROS) stack down trino

status: setup-run ## what is running, where
	@$(KAIROS) stack status || true
	@$(KAIROS) cluster status || true

replay: setup-stack ## feed the example into Kafka as live traffic: SPEED=60x
	@$(KAIROS) replay --speed $(SPEED) $(ARGS)

package: setup-stack ## what a Flink cluster runs: build/kairos-{code,env}
	@$(KAIROS) cluster package

cluster-up: setup-stack ## start a Flink cluster: a JobManager, two TaskManagers
	@$(KAIROS) cluster up

cluster-down: setup-run ## stop it
	@$(KAIROS) cluster down

submit: setup-stack ## give it the job: FROM=savepoint, PACKAGE=1, CONF=
	@$(KAIROS) cluster submit --conf $(or $(filter-out conf/embedded.yaml,$(CONF)),conf/cluster.yaml) \
	  $(if $(FROM),--from $(FROM)) $(if $(PACKAGE),--package) $(ARGS)

stop: setup-run ## stop the job with a savepoint, and print its path
	@$(KAIROS) cluster stop $(ARGS)

.PHONY: demo-order-sms demo-fallback
demo-order-sms: setup-stack ## an unpaid order becomes a text message, on real servers
	@$(KAIROS) demo order-sms $(ARGS)

demo-fallback: setup-stack ## WeChat first, else a text message, on real servers
	@$(KAIROS) demo fallback $(ARGS)

BENCHMARKS := simulate compare warehouse_load measure people_find crowds catalog scheduler console lookalike gateway flood latency profiles deliver engine journeys expressions user_state growth decode job.throughput job.real_rules job.latency job.state job.scale job.release

bench: setup ## measure how fast it is, into docs/performance.md
	@for one in $(BENCHMARKS) overview; do $(BIN)/python -m benchmarks.$$one --write || exit 1; done
	@$(BIN)/python tools/draw_scale.py --write

.PHONY: bench-quick
bench-quick: setup ## the benchmarks at small sizes: that they run
	@$(BIN)/python -m benchmarks.quick

clean: down cluster-down ## remove what was built and written; keep the environment
	rm -rf $(DATA) build dist *.egg-info
