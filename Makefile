# Two commands matter: `make reports` and `make test`. Each works from a bare checkout with
# python3, make and git, and sets up everything it needs. `make` alone lists the rest.

SHELL := bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The runner uses all cores by itself; targets side by side would only get in each other's way.
.NOTPARALLEL:

PY ?= python3
UV := .tools/uv-$(shell cat .ci/uv-version)/bin/uv
PYTHON := .venv/bin/python
LDN := $(PYTHON) -m ldn_meta

# Some machines export this; every kernel would then compile every library again (8 CPU s each).
export PYTHONDONTWRITEBYTECODE :=
# A copied folder brings its .venv along; this keeps it from running the code of the original.
export PYTHONPATH := $(CURDIR)/src
# The interpreter is $(PY) or nothing; nothing is downloaded in its place.
export UV_PYTHON_DOWNLOADS := never
export VIRTUAL_ENV :=

# A virtual environment remembers where it was made; in a copied folder it is made again.
ifneq ($(shell cat .venv/.location 2>/dev/null),$(CURDIR))
.PHONY: .venv/.ready
endif

.PHONY: help setup data notebooks report reports site test test-all golden lint format verify \
	bench reference simulation lab lock clean diff release

help: ## list these targets
	@echo "usage: make TARGET"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## make .venv with the locked packages (20 s the first time)

data: setup ## check data/raw and compute data/derived
	@$(LDN) derive

notebooks: setup ## execute the notebooks whose inputs changed; write reports/ and the README table
	@$(LDN) run

report: setup ## the same for one indication: make report INDICATION=fibromyalgia
	@$(LDN) run --site -- '$(subst ','\'',$(INDICATION))'

reports: setup ## everything: data, notebooks, README table and the pages in build/site
	@$(LDN) run --site

site: setup ## pages from the reports at hand: build/site/index.html
	@$(LDN) site

test: setup ## tests, without the slow ones
	@$(PYTHON) -m pytest -q -n auto --dist loadfile -m "not slow"

test-all: setup ## all tests
	@$(PYTHON) -m pytest -q -n auto --dist loadfile

golden: setup ## write tests/golden again: the sentences of pages, to be read as a diff
	@$(PYTHON) -m pytest -q --rewrite-golden tests/test_golden.py

lint: setup ## style, docstrings and types
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy

format: setup ## put source and notebooks into the house layout
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

# Everything is executed again, so a page that only looks right because it is old is found.
verify: setup ## execute everything again; fail if a committed result would change
	@$(LDN) run --force --site
	@git -c safe.directory='*' --no-pager diff --stat --exit-code -- data/derived reports README.md
	@test -z "$$(git -c safe.directory='*' status --porcelain -- data/derived reports README.md)" || \
		{ git -c safe.directory='*' status --short -- data/derived reports README.md; \
		echo "make verify: the files above are not committed" >&2; exit 1; }
	@echo "every committed result was made again, byte for byte"

OLD = HEAD
FORMAT = terminal
diff: setup ## what moved since the last commit; others: make diff OLD=main NEW=HEAD
	@$(LDN) compare --format '$(FORMAT)' -- '$(subst ','\'',$(OLD))' \
		$(if $(NEW),'$(subst ','\'',$(NEW))')

bench: setup ## measure speed (minutes); rewrites docs/benchmarks.md
	@for script in benchmarks/*.py; do test -f "$$script" || \
		{ echo "there is no benchmark yet" >&2; exit 1; }; \
		$(PYTHON) "$$script" || exit 1; done

reference: setup ## make the reference answers of tests/reference again (needs R with metafor)
	@command -v Rscript >/dev/null || { echo "Rscript is missing: install R and metafor" >&2; exit 1; }
	@for script in reference/*.R; do echo "$$script"; \
		Rscript "$$script" "tests/$${script%.R}.json.new" && \
		mv "tests/$${script%.R}.json.new" "tests/$${script%.R}.json" || exit 1; done

simulation: setup ## coverage of intervals (8 minutes); rewrites docs/simulation.csv and .md
	@$(PYTHON) reference/simulation.py

release: reports ## wheel, archive of the data, site, notes and metadata in build/release
	@$(PYTHON) .ci/release.py

lab: setup ## open the notebooks in JupyterLab
	@$(PYTHON) -m jupyter lab notebooks

lock: ## write requirements.lock after a change of pyproject.toml; UPGRADE=1 moves all
	@PY='$(PY)' .ci/bootstrap uv
	@$(UV) pip compile -q pyproject.toml --all-extras --group dev --universal --generate-hashes --no-header \
		$(if $(UPGRADE),--upgrade) -o requirements.lock

clean: ## remove build/ and caches; reports and .venv stay
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find src tests docs notebooks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready: requirements.lock pyproject.toml .ci/uv-version
	@PY='$(PY)' .ci/bootstrap
