# Two commands do all: `make serve` to read the site, `make test` to prove it.
# Each sets up what it needs in .venv first and installs nothing twice.

PORT ?= 8000
BIN := .venv/bin
RUN := $(BIN)/python

# Forked children write their coverage here whatever folder they are in.
export COVERAGE_FILE := $(CURDIR)/.coverage
export TF_CPP_MIN_LOG_LEVEL := 3

.DEFAULT_GOAL := help
.PHONY: help serve site offline test quick check format expected lock audit \
	lighthouse bench versions mutants way-out clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' \
		$(MAKEFILE_LIST)

serve: .venv/ready ## Build the site and serve it with live reload (PORT=8000)
	@$(RUN) -m engine serve --port $(PORT)

site: .venv/ready ## Build the site into site/
	@$(RUN) -m engine build

offline: .venv/ready ## Build the site into offline/, to be read without a server
	@OFFLINE=true $(RUN) -m engine build --site offline

test: check .cache/way_out/ready ## Check the code, build the site and pass all tests
	@echo "Testing snippets, engine, pages and the built site …"
	@$(RUN) -m coverage erase
	@# One more than cores: many tests wait for a browser or a process.
	@$(RUN) -m pytest --cov --numprocesses 3 --dist loadfile \
		--no-loadscope-reorder
	@$(RUN) -m coverage report --include='snippets/*' --fail-under=100
	@$(RUN) -m coverage report --include='engine/*' --fail-under=95 \
		--skip-covered
	@$(RUN) -m coverage report --include='tools/*' --fail-under=95 \
		--skip-covered

quick: .venv/ready ## Check and test what has changed since the last commit (or PAGE=name)
	@$(RUN) -m tools.quick $(PAGE)

check: .venv/ready ## Check style, types, imports and pages, without running any
	@echo "Checking style and types …"
	@$(RUN) -m ruff check --quiet
	@$(RUN) -m ruff format --check --quiet
	@# What mypy infers can hang on the order of a set.
	@PYTHONHASHSEED=0 $(RUN) -m mypy
	@mkdir -p .cache
	@$(BIN)/lint-imports --no-logo --cache-dir .cache/import_linter \
		>.cache/imports.txt || { cat .cache/imports.txt; exit 1; }
	@$(RUN) -m engine check
	@$(BIN)/zizmor --offline --quiet .github

format: .venv/ready ## Format the code as the check wants it
	@$(RUN) -m ruff check --fix --quiet
	@$(RUN) -m ruff format --quiet

expected: .venv/ready ## Keep what the pages now print and draw as what is expected
	@$(RUN) -m tools.expected --write

lock: .venv/ready ## Write the lock files anew from pyproject.toml
	@$(RUN) -m uv pip compile pyproject.toml --group dev --universal --upgrade \
		--generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.11 --output-file requirements.lock
	@for room in tools/bench tests/way_out; do \
		$(RUN) -m uv pip compile $$room/requirements.in --universal --upgrade \
			--generate-hashes --no-emit-index-url --no-header \
			--no-annotate --python-version 3.11 \
			--constraint requirements.lock \
			--output-file $$room/requirements.lock; \
	done

audit: .venv/ready ## Ask for known vulnerabilities of the locked packages (needs npm, a network)
	@$(RUN) -m pip_audit --strict --disable-pip --require-hashes \
		--progress-spinner off --requirement requirements.lock
	@cd tools/lighthouse && npm audit

lighthouse: site ## Measure the site with Lighthouse and an HTML checker (needs node, java)
	@cd tools/lighthouse && npm ci --silent --no-fund --no-audit && \
		node measure.mjs ../../site

bench: site .cache/bench/venv/ready ## Measure how fast loops run and how fast the site is built
	@$(RUN) -m tools.bench.loop_speed
	@$(RUN) -m tools.bench.build_speed
	@$(RUN) -m tools.bench.serve_speed

versions: .venv/ready ## Run tests and pages under other versions of Python, TensorFlow, Keras
	@$(RUN) -m tools.versions

mutants: .venv/ready ## Change lines that differ from SINCE=main; see whether the tests notice
	@$(RUN) -m tools.mutants $(SINCE)

way-out: .venv/ready .cache/way_out/ready ## Build with other generators; compare with the MkDocs site
	@$(RUN) -m pytest tests/way_out

clean: ## Remove the site, the records and the environment
	rm -rf site offline .cache .venv tools/lighthouse/node_modules

.venv/ready: requirements.lock tools/setup.sh
	@sh tools/setup.sh

.cache/way_out/ready: tests/way_out/requirements.lock .venv/ready
	@echo "Installing the generators that the site could move to …"
	@sh tools/beside.sh .cache/way_out tests/way_out/requirements.lock

.cache/bench/venv/ready: tools/bench/requirements.lock .venv/ready
	@echo "Installing the tools to compare with …"
	@sh tools/beside.sh .cache/bench/venv tools/bench/requirements.lock
