# Everything goes through make, so that nobody types a pkg-config path. `make help` lists the targets.
# Programs and tests share one configuration (release), so nothing is compiled twice.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PC := $(CURDIR)/.deps/lib/pkgconfig
SWIFT_FLAGS := -c release --pkg-config-path $(PC)
SWIFT_SOURCES := Package.swift Sources $(wildcard Tests Benchmarks)

.PHONY: help setup demo build test interop torture check figures blocks lint format bench dist clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' Makefile

setup: ## native libraries into .deps, Debian packages when root (idempotent)
	@scripts/setup

demo: build ## the lab-delay example from raw logs to model card and predictions
	@scripts/demo

build: setup ## .build/release/martlet and martlet-serve
	swift build $(SWIFT_FLAGS) --product martlet
	swift build $(SWIFT_FLAGS) --product martlet-serve

test: setup ## all tests, with delta-rs reading what Martlet writes, and a short torture run
	@scripts/parts begin
	scripts/parts run "build, tests included" swift build $(SWIFT_FLAGS) --build-tests
	scripts/parts run "Python for interop" scripts/venv interop
	scripts/test
	scripts/parts run "README, pasted twice" scripts/blocks --skip "make demo" README.md
	scripts/parts run "short torture" scripts/torture --short
	@scripts/parts end

interop: setup ## clients that are too large for `make test`: KServe's SDK, MLServer's, mlflow whole (about 1.3 GB)
	swift build $(SWIFT_FLAGS) --build-tests
	MARTLET_KSERVE_PYTHON=$$(scripts/venv kserve) MARTLET_MLSERVER_PYTHON=$$(scripts/venv mlserver) \
	MARTLET_MLFLOW_PYTHON=$$(scripts/venv mlflow) scripts/test --filter HeavyClientTests

torture: build ## MINUTES=10 of kill -9, failing calls and power cuts, compared with what was acknowledged
	scripts/torture

check: lint ## lint, import edges, clock, Python, generated files, error codes, the tour, recipes, published figures
	scripts/check-source
	scripts/check-python
	scripts/embed --check
	scripts/error-codes --check
	scripts/tour --check
	scripts/check-recipes
	scripts/figures --check

figures: build ## measures every published figure again and compares (most of an hour)
	@scripts/figures

blocks: build ## pastes every block of README.md into a fresh shell, twice
	@scripts/blocks README.md

lint: ## the formatter's strict lint
	swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)

format: ## rewrite the sources as the formatter wants them
	swift format --in-place --parallel --recursive $(SWIFT_SOURCES)

bench: $(if $(NAME),build) ## make bench NAME=...: one benchmark against its peer, measured in the same run
	@scripts/bench $(NAME)

dist: build ## dist/martlet-SYSTEM-MACHINE: program and libraries in one folder that may be moved
	@scripts/dist

clean: ## forget what was built (keeps .deps and .venv)
	rm -rf .build dist
