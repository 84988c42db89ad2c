# Park carbon ledger. `make demo` and `make test` set up everything they need.
.PHONY: help install format lint test test-network validator fuzz soak restore-drill bench demo artifacts clean

BIN := .venv/bin
export DATA ?= ../shared/data
ON_A_CHAIN := tests/contracts tests/oracle/member tests/node tests/end_to_end $(addprefix --ignore=tests/contracts/test_,forge.py slither.py artifacts.py)

help:               ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1: /p' $(MAKEFILE_LIST)

install:            ## set up .venv and node_modules from the lock files
	@bash scripts/install.sh

format: install     ## format, and mend what can be mended
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

lint: install       ## style, types, layers
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: install validator  ## every test, on real parts: EVM, validators, HTTP, processes, kills
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-network: install validator  ## every test that touches a chain, on five validators; an hour
	$(BIN)/python -m pytest --engine avalanche -o timeout=1200 $(ON_A_CHAIN)

validator: install  ## build avalanchego into the user's cache, once
	@$(BIN)/carbon-node network install

fuzz: install       ## the contracts' invariants, 512 runs of 256 calls
	FOUNDRY_PROFILE=deep timeout 1800 node_modules/@foundry-rs/forge-linux-amd64/bin/forge test --match-test invariant_

soak: install       ## faults and a thousand kills, to var/soak/summary.json; resumable
	$(BIN)/python -m scripts.soak $(SOAK)

restore-drill: install  ## lose and restore READINGS (1000000) readings; prints time and point
	$(BIN)/python -m scripts.restore_drill --readings $(or $(READINGS),1000000)

bench: install      ## every figure beside its baseline, to var/bench/summary.json
	$(BIN)/python -m scripts.bench

demo: install       ## the main job on a month of real readings, to var/demo/summary.json
	$(BIN)/carbon-node demo

artifacts: install  ## compile the contracts and write the shared vectors anew
	$(BIN)/python scripts/build_contracts.py
	$(BIN)/python scripts/make_vectors.py

clean:              ## remove what the targets made
	rm -rf .venv node_modules var out cache build-info .mypy_cache .ruff_cache .hypothesis .import_linter_cache
