# Every command that a person or CI runs. `make` alone lists them.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# cargo and maturin undo each other's work in one folder.
export CARGO_TARGET_DIR ?= $(CURDIR)/target
WHEEL_TARGET := $(CARGO_TARGET_DIR)/wheel
ARGS ?=
ROOM ?=
# Processes that share the Python tests; 0 runs them in one, which shows their output.
WORKERS ?= 2

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: tools
tools: ## Say plainly what is missing on this machine
	@bash scripts/tools.sh $(PYTHON)

$(VENV)/ready: uv.lock pyproject.toml api/pyproject.toml | tools
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@UV_COMPILE_BYTECODE=1 UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --quiet --frozen --inexact --all-packages --no-install-workspace
	@touch $@

.PHONY: setup
setup: $(VENV)/ready ## Make the environment

RUST_FILES := $(shell find rust -name '*.rs' -o -name Cargo.toml 2>/dev/null)

$(VENV)/built: $(VENV)/ready $(RUST_FILES) Cargo.toml Cargo.lock
	@echo 'Building the core; the first time takes some minutes.'
	@CARGO_TARGET_DIR=$(WHEEL_TARGET) $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps \
		--no-build-isolation --reinstall-package bigsec --editable . --editable ./api
	@touch $@

.PHONY: build
build: $(VENV)/built ## Build the core and put bigsec into the environment

.PHONY: demo
demo: build ## The main job: scan a small data set and print the incidents (ARGS=--json)
	@$(BIN)/bigsec demo $(ARGS)

.PHONY: fmt
fmt: setup ## Format everything
	cargo fmt --all
	$(BIN)/ruff format python api tests bench scripts
	$(BIN)/ruff check --fix --quiet python api tests bench scripts

.PHONY: lint
lint: build ## rustfmt, clippy, ruff, mypy: warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
	$(BIN)/ruff format --check --quiet python api tests bench scripts
	$(BIN)/ruff check --quiet python api tests bench scripts
	$(BIN)/mypy

.PHONY: test-rust
test-rust: tools ## The tests of the Rust crates
	cargo test --workspace --exclude bigsec-python --locked --quiet

.PHONY: test-python
test-python: build ## The Python tests (ROOM=cli for one room)
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup tests/$(ROOM) $(ARGS)

.PHONY: test
test: lint test-rust test-python ## Everything that must hold

.PHONY: senders
senders: ## Fetch rsyslog, syslog-ng and loggen for the tests, without installing them
	@bash scripts/senders.sh

.PHONY: spark
spark: setup ## Add PySpark for its tests (450 MB; needs Java 17)
	@UV_COMPILE_BYTECODE=1 UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --quiet --frozen --inexact --all-packages \
		--no-install-workspace --group spark

.PHONY: soak
soak: build senders ## The long forms of the fault tests; as root, about two hours
	BIGSEC_SOAK=1 $(BIN)/pytest tests/collect/fault tests/collect/senders tests/lake/test_kills.py -s $(ARGS)
	bash scripts/fuzz.sh 60

.PHONY: fuzz
fuzz: tools ## Coverage-guided fuzzing of all parsers (ARGS='600 cef rule': seconds a target, which)
	bash scripts/fuzz.sh $(ARGS)

.PHONY: stubs
stubs: build ## Check the type stubs against the build
	cd python && ../$(BIN)/python -m mypy.stubtest bigsec._core

.PHONY: docs-generate
docs-generate: build ## Write the generated pages of the reference
	$(BIN)/python scripts/docs.py

.PHONY: bench
bench: build ## Measure against a peer (Q=scan)
	$(BIN)/python bench/$(or $(Q),scan).py $(ARGS)

.PHONY: score
score: build ## Score a set of the shared data (SET=windows-events)
	$(BIN)/python bench/score.py $(SET) $(ARGS)

.PHONY: tidy
tidy: ## The largest files
	@git ls-files '*.rs' '*.py' | xargs wc -l | sort -rn | head -20

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(VENV) target bench/peers/target
