# stayaway: `make demo` and `make test` do all set-up themselves; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
# Tests and benchmarks start the program hundreds of times: what it was compiled to is kept.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format bench bench-postgis oracle faults schemas fixtures kafka-up kafka-down clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(STAMP) ## create .venv and install everything, pinned by hash

$(STAMP): requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV)"
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## a day of plate reads through Kafka and Postgres, live in the browser (ARGS="--speed 50 --exit-when-done")
	@$(BIN)/stayaway demo $(ARGS)

# Each process has servers of its own; a file's tests stay together, in the folders' order: the long ones first.
test: $(STAMP) ## every test but the benchmarks, in WORKERS processes, 2 unless said (ARGS="-k name")
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(STAMP) ## ruff, strict mypy, import-linter, generated files up to date
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m stayaway.schemas --check schemas

format: $(STAMP) ## let ruff put the code in form
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

faults: $(STAMP) ## break matchers in one group, their servers and their connections FAULTS times (SEED= replays; needs Kafka)
	@cd tests && PYTHONPATH=.:../fixtures ../$(BIN)/python -m faults.run --faults $(or $(FAULTS),500) $(if $(SEED),--seed $(SEED))

oracle: $(STAMP) ## the engine's inside against an oracle written apart from it, on POINTS random points (SEED= replays)
	@cd tests && PYTHONPATH=. ../$(BIN)/python -m exactness.run --points $(or $(POINTS),1000000) $(if $(SEED),--seed $(SEED)) $(ARGS)

# With ARGS only the first part, which they belong to.
bench: $(STAMP) ## speeds, each as a figure and as a ratio to a baseline of the same run
	@cd tests && ../$(BIN)/python -m bench.run $(ARGS)
ifeq ($(ARGS),)
	@cd tests && ../$(BIN)/python -m bench.registry
	@cd tests && ../$(BIN)/python -m bench.start --orders 1000000 --no-check
	@cd tests && ../$(BIN)/python -m bench.review
endif

bench-postgis: $(STAMP) ## the same zones and points in PostGIS and in our index (needs postgresql-15-postgis-3)
	@cd tests && PYTHONPATH=. ../$(BIN)/python -m bench.postgis

schemas: $(STAMP) ## write schemas/ anew from the code
	@$(BIN)/python -m stayaway.schemas schemas

fixtures: $(STAMP) ## build fixtures/day anew from its seed
	@$(BIN)/python fixtures/build.py --seed 20260306 --out fixtures/day

kafka-up: $(STAMP) ## start Apache Kafka (Java 17 and Maven needed) on free ports; prints its address
	@$(BIN)/python deploy/kafka/run.py up

kafka-down: $(STAMP) ## stop it
	@$(BIN)/python deploy/kafka/run.py down

clean: ## remove what was built or installed here
	rm -rf $(VENV) dist .state .mypy_cache .ruff_cache .pytest_cache
