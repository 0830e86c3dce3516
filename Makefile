# Everything starts here, on a machine that has only Python 3.11+, make and a package index.
# The commands work in a virtual environment in .venv; nothing is installed outside this folder.

PYTHON ?= python3
PYTEST_ARGS ?=
SOAK_REQUESTS ?= 1000000

BIN := .venv/bin
PACKAGES := api routing geodata benchmarks
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --universal \
	--python-version 3.11

# Stamps: each says that a step of the set-up is done for the files that it depends on.
BOOT := .venv/.boot-done
RUNTIME := .venv/.runtime-done
TOOLS := .venv/.tools-done

# uv does not read pip's settings. Where pip is told of an index of its own, uv is told the same.
USE_PIP_INDEX = index="$${UV_DEFAULT_INDEX:-$${UV_INDEX_URL:-$${PIP_INDEX_URL:-$$( \
	$(BIN)/python -m pip config get global.index-url 2>/dev/null || true)}}}"; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi

# The wheel files come from an index, the interpreter never does.
export UV_PYTHON_DOWNLOADS := never
export UV_CUSTOM_COMPILE_COMMAND := make lock
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test reliability bench lint format lock clean
.DELETE_ON_ERROR:

help: ## say what each command does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(RUNTIME) ## make .venv and install what Tandem needs to run

setup-dev: $(TOOLS) ## the same, and what tests, checks and benchmarks need

demo: setup ## show a recommendation on the built-in pilot streets
	@$(BIN)/tandem demo

test: setup-dev ## run the tests on two cores (PYTEST_ARGS="-k word" picks some)
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile $(PYTEST_ARGS)

reliability: setup-dev ## kill, crash, overload and soak the desk at length (up to two hours)
	@echo "== long versions of tests/reliability: each ends by itself, and says what it found"
	@TANDEM_RELIABILITY=long $(BIN)/python -m pytest -q -s -o faulthandler_timeout=0 tests/reliability $(PYTEST_ARGS)
	@echo "== what the record costs, overload, and a soak of $(SOAK_REQUESTS) requests"
	@$(BIN)/python -m benchmarks.recorded
	@$(BIN)/python -m benchmarks.overload
	@$(BIN)/python -m benchmarks.soak --requests $(SOAK_REQUESTS)

bench: setup-dev ## compare speed and quality with other libraries
	@$(BIN)/python -m benchmarks

lint: setup-dev ## check style, format, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(PACKAGES)
	$(BIN)/lint-imports --no-logo

format: setup-dev ## mend format and order of imports
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .

lock: $(BOOT) ## pin dependencies anew after a change (UPGRADE=1: newest versions)
	@$(USE_PIP_INDEX); set -e; upgrade=$(if $(UPGRADE),--upgrade); \
	$(COMPILE) $$upgrade requirements-boot.in -o requirements-boot.txt; \
	$(COMPILE) $$upgrade pyproject.toml -o requirements.lock; \
	$(COMPILE) $$upgrade --group pyproject.toml:dev --group pyproject.toml:bench \
		-c requirements.lock -o requirements-dev.lock

clean: ## remove .venv, caches and built files
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BOOT): requirements-boot.txt
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "Tandem needs Python 3.11 or newer, and there is no command '$(PYTHON)'." \
			"Name yours: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Tandem needs Python 3.11 or newer; '$(PYTHON)' is $$("$(PYTHON)" -V 2>&1)." \
			"Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Making .venv with $$("$(PYTHON)" -V 2>&1)"
	@"$(PYTHON)" -m venv .venv || { \
		echo "'$(PYTHON) -m venv' failed; some systems pack it apart, as python3-venv." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-boot.txt
	@touch $@

$(RUNTIME): $(BOOT) requirements.lock pyproject.toml
	@echo "Installing what Tandem needs to run"
	@$(USE_PIP_INDEX); $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes \
		-r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(TOOLS): $(RUNTIME) requirements-dev.lock
	@echo "Installing what tests, checks and benchmarks need"
	@$(USE_PIP_INDEX); $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes \
		-r requirements.lock -r requirements-dev.lock
	@touch $@
