# Works with GNU make 3.81 and newer. Everything lands in .venv, but for the packages that the suite needs (README).

# Python 3.11 or newer; choose another with `make test PYTHON=/path/to/python3`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
UV_VERSION := 0.13.8

.PHONY: help demo test test-quick check torture kit-matrix bench bench-quick bench-docs lock sbom audit-deps clean
.DEFAULT_GOAL := help

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

demo: .venv/run.stamp  ## play both refunds on an embedded database, then stay up (DEMO_ARGS=--once: stop)
	$(BIN)/caisse demo $(DEMO_ARGS)

test: check  ## check, then the whole suite on both engines (PYTEST_ARGS='-k refund')
	$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_ARGS)

test-quick: check  ## check, then the rules, dialects and documents, without servers
	$(BIN)/python -m pytest -n auto --dist worksteal tests/core tests/dialects tests/docs/test_documents.py tests/test_completeness.py $(PYTEST_ARGS)

check: .venv/dev.stamp  ## style, types, layers and house rules, without the suite
	$(BIN)/ruff check src client kit tests bench supply
	$(BIN)/ruff format --check src client kit tests bench supply
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/house

torture: .venv/dev.stamp  ## try to lose, double or corrupt money for an hour (TORTURE_ARGS='--for 10m --only kill_server')
	$(BIN)/python -m tests.torture $(TORTURE_ARGS)

kit-matrix: .venv/dev.stamp  ## every check of the kit against every wrong wallet, and the table of who fails what
	$(BIN)/python -m tests.kit.matrix

bench: .venv-bench/bench.stamp  ## the whole benchmark with its peers, three quarters of an hour and more (BENCH_ARGS='--only caisse-pg')
	$(BENCH) $(BENCH_ARGS)

bench-quick: .venv-bench/bench.stamp  ## the same contenders in under three minutes, noisier
	$(BENCH) --quick $(BENCH_ARGS)

bench-docs: .venv-bench/bench.stamp  ## write the figures of RESULT=bench/results/….json into docs/performance.md
	$(BENCH) --docs $(RESULT)

lock: .venv-lock/bin/uv  ## write requirements/*.lock anew from pyproject.toml (UPGRADE=--upgrade: newest versions)
	$(COMPILE) --group build --output-file requirements/build.lock
	$(COMPILE) pyproject.toml --output-file requirements/run.lock
	$(COMPILE) pyproject.toml --group dev --constraint requirements/run.lock \
		--constraint requirements/build.lock --output-file requirements/dev.lock
	$(COMPILE) --group supply --constraint requirements/dev.lock --constraint requirements/run.lock \
		--output-file requirements/supply.lock
	$(COMPILE) --group bench-build --constraint requirements/build.lock \
		--output-file requirements/bench-build.lock
	$(COMPILE) pyproject.toml --group bench --constraint requirements/run.lock \
		--constraint requirements/bench-build.lock --output-file requirements/bench.lock

sbom: .venv-supply/supply.stamp  ## write the bill of materials (CycloneDX) to dist/sbom.json
	mkdir -p dist
	.venv-supply/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
		--output-file dist/sbom.json requirements/run.lock

audit-deps: .venv-supply/supply.stamp  ## ask what is known against the locked versions; needs the network
	for lock in requirements/*.lock; do .venv-supply/bin/pip-audit --strict --disable-pip --requirement $$lock || exit 1; done

clean:  ## remove the environments, caches, build products and the demo's var/
	rm -rf .venv .venv-lock .venv-bench .venv-supply var dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

COMPILE = .venv-lock/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(UPGRADE)

.venv-lock/bin/uv:
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip --disable-pip-version-check --quiet install uv==$(UV_VERSION)

define CHECK_PYTHON
if ! $(PYTHON) -c '' 2>/dev/null; then \
	echo "caisse needs Python 3.11 or newer, and '$(PYTHON)' does not run." >&2; \
	echo "Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; fi; \
if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	echo "caisse needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1)." >&2; \
	echo "Install a newer one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; fi; \
if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	echo "'$(PYTHON)' cannot make virtual environments: its venv or ensurepip module is missing." >&2; \
	echo "On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; fi
endef

.venv/made.stamp:
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/run.stamp: .venv/made.stamp pyproject.toml requirements/build.lock requirements/run.lock
	$(PIP) install --require-hashes -r requirements/build.lock -r requirements/run.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: .venv/made.stamp pyproject.toml requirements/dev.lock client/pyproject.toml kit/pyproject.toml
	$(PIP) install --require-hashes -r requirements/dev.lock
	$(PIP) install --no-deps --no-build-isolation -e . -e client -e kit
	@touch $@

# What looks at the supply chain has an environment of its own: it must not share versions with what it looks at.
.venv-supply/supply.stamp: requirements/supply.lock
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv --clear .venv-supply
	.venv-supply/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/supply.lock
	@touch $@

# The benchmark's own environment: caisse as locked for its users, and the peers. A peer without a wheel is built
# with the tools of a lock, too.
BENCH = .venv-bench/bin/python -m bench
BENCH_PIP := .venv-bench/bin/python -m pip --disable-pip-version-check --quiet

.venv-bench/bench.stamp: requirements/bench-build.lock requirements/bench.lock
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv --clear .venv-bench
	$(BENCH_PIP) install --require-hashes -r requirements/bench-build.lock
	$(BENCH_PIP) install --require-hashes --no-build-isolation -r requirements/bench.lock
	$(BENCH_PIP) install --no-deps --no-build-isolation -e .
	@touch $@
