# Everything a newcomer needs: `make run`, then `make test`. CONTRIBUTING.md has the rest.
.DEFAULT_GOAL := help
.PHONY: help setup run test test-outside check format bench clean

python := .venv/bin/python
modules := $(wildcard benchmarks/*.py benchmarks/*/__main__.py)
benchmarks := $(filter-out benchmarks.__init__,$(subst /,.,$(patsubst %/__main__,%,$(basename $(modules)))))

help:
	@echo "make run      start everything on http://127.0.0.1:8000 (PORT, HOST, STEPWISE_HOME, STEPWISE_ORIGIN)"
	@echo "make setup    build .venv with everything for development"
	@echo "make test     all tests, browser and real servers among them"
	@echo "make check    formatting, lint, types, import rules, budgets, missing migrations"
	@echo "make format   let ruff format and mend what it can"
	@echo "make bench    all benchmarks; each alone: .venv/bin/python -m benchmarks.NAME --help"

setup:
	@scripts/environment dev

run:
	@scripts/environment run
	@exec $(python) -m annotator.embedded

test: setup
	@scripts/test-programs
	@# Workers and the many programs that tests start import the same modules: they share the bytecode, whatever the shell says.
	env -u PYTHONDONTWRITEBYTECODE $(python) -m pytest -n auto --maxprocesses 4 --dist loadgroup

# The database tests once more, on an installed PostgreSQL (Debian 12: version 15).
test-outside: setup
	$(python) -m pytest tests/integration/embedded/test_older_postgres.py -rs

check: setup
	$(python) -m ruff format --check .
	$(python) -m ruff check .
	$(python) -m mypy
	.venv/bin/lint-imports
	$(python) -m pytest tests/architecture -q
	STEPWISE_SECRET_KEY=check $(python) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

format: setup
	$(python) -m ruff format .
	$(python) -m ruff check --fix .

bench: setup
	@for name in $(benchmarks); do echo "== $$name"; $(python) -m $$name || exit 1; done

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
