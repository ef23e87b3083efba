# One word for each thing that is done here. `make serve` and `make test` work in a fresh clone.
python := .venv/bin/python
files := src tests scripts examples benchmarks web_app.py
present = $(wildcard $(files))

.PHONY: help setup serve test check bench bench-scale chaos docs build lock format clean

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

setup: ## everything that work on Headway takes, linters included
	@scripts/setup.sh dev
	@echo 'headway: Set up. Next: make serve, make test, make check'

serve: ## set up and serve the demo on http://localhost:8080
	@scripts/setup.sh serve
	@exec $(python) web_app.py

test: ## set up and run every test, real browser and real servers included
	@scripts/setup.sh test
	@scripts/test.sh

check: ## lint, format, types, import rules, unit tests with coverage; before each commit
	@scripts/setup.sh dev
	@echo 'headway: ruff'; $(python) -m ruff check $(present) && $(python) -m ruff format --check $(present)
	@echo 'headway: mypy'; $(python) -m mypy
	@echo 'headway: tsc'; node_modules/.bin/tsc --project tsconfig.json
	@echo 'headway: import rules, unit tests, coverage'
	@rm -f .coverage .coverage.*
	@$(python) -m coverage run -m pytest -q -m 'not slow' tests/test_architecture.py tests/unit
	@$(python) -m coverage combine -q && $(python) -m coverage report

bench: ## measure: latency, ratios against peers; args='worker latency' for a part of it
	@scripts/setup.sh bench
	@$(python) benchmarks/run.py $(args)

bench-scale: ## measure several gateways on one Redis, and how cost grows
	@scripts/setup.sh bench
	@$(python) benchmarks/scale.py

chaos: ## kill, cut and flood a running system for a while, and check what its viewers saw; args='--minutes 60 --seed 42'
	@scripts/setup.sh test
	@$(python) tests/chaos/run.py $(args)

docs: ## run the code blocks of the docs, take the screenshots again
	@scripts/setup.sh test
	@$(python) -m pytest tests/docs
	@$(python) scripts/screenshots.py

build: ## the wheel, in dist/
	@scripts/setup.sh serve
	@rm -rf dist
	@$(python) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . && ls dist/*.whl

lock: ## pin the newest allowed packages, with hashes and without addresses
	@scripts/lock.sh

format: ## let ruff format and sort
	@scripts/setup.sh dev
	@$(python) -m ruff format $(present) && $(python) -m ruff check --fix $(present)

clean: ## back to a fresh clone, but for your data in .headway/ and instance/
	@rm -rf .venv .setup node_modules dist build htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find src/headway/static/js -maxdepth 1 \( -name 'progress*.*' -o -name socket.io.min.js \) -delete
	@rm -rf src/headway/static/js/built src/headway/demo/static/js/built
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
