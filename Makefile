# Park carbon ledger. `make demo` and `make test` set up everything they need.
.PHONY: install format lint test bench demo clean artifacts

BIN := .venv/bin

install:            ## set up .venv and node_modules from the lock files
	@bash scripts/install.sh

format: install     ## format and mend what can be mended
	$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format -q .

lint: install       ## style, types, layers, contract analysis
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: install       ## every test, on real parts
	$(BIN)/python -m pytest -n 2 --dist loadfile

clean:              ## remove what the commands above made
	rm -rf .venv node_modules var out cache build-info .mypy_cache .ruff_cache .hypothesis .import_linter_cache
