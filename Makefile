# Everything runs in one environment, .venv, made on first use and brought up to date when a requirements file
# changes. Variables: PYTHON (an interpreter to make it with), WORKERS (tests at a time), NEED_GB (free disk).

SHELL := /bin/bash
WORKERS ?= 3
NEED_GB ?= 7
PY := .venv/bin/python
UV := $(PY) -m uv
INSTALL := VIRTUAL_ENV=.venv $(UV) pip install

.PHONY: help run test check docs bench fleet
.DELETE_ON_ERROR:

help:
	@echo 'make run     open the dashboard'
	@echo 'make test    run every test'
	@echo 'make check   lint, formatting, types, and who may import whom'
	@echo 'make docs    write the tables of docs/reproduction.md anew, after new results'
	@echo 'make bench   time what is slow'
	@echo 'make fleet   install what a cluster needs, and what its tests are skipped without'
	@echo 'The first of them installs into .venv: about 6 GB on Linux.'

run: .venv/runtime.stamp
	$(PY) -m streamlit run app.py

# In the order of their names, which begins with the slow ones: browser and command line.
test: .venv/dev.stamp
	$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: .venv/dev.stamp
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m pytest -q tests/test_layers.py

# All tables at once into a file first, so that an error leaves the page as it was.
docs: .venv/runtime.stamp
	$(PY) -m aegis table all --markdown >.venv/tables.md
	sed -i '/^<!-- From here on/q' docs/reproduction.md
	{ echo; cat .venv/tables.md; } >>docs/reproduction.md

bench: .venv/dev.stamp
	$(PY) -m benchmarks

fleet: .venv/fleet.stamp

.venv/uv.stamp:
	@python=; for name in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "AEGIS needs Python 3.11 or later; got $$(command -v python3 >/dev/null && python3 --version || echo none)." \
	       "Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$python cannot make virtual environments. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; \
	fi; \
	echo "Making .venv with $$("$$python" --version)"; \
	"$$python" -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check 'uv>=0.9'
	@touch $@

# The project itself is installed in place, so that the command aegis is always the code that lies here.
.venv/runtime.stamp: requirements.txt pyproject.toml | .venv/uv.stamp
	@free=$$(df -Pk . | awk 'NR == 2 { print int($$4 / 1048576) }'); \
	if ! $(PY) -c 'from importlib.metadata import version; version("torch")' 2>/dev/null && [ "$$free" -lt $(NEED_GB) ]; then \
	  echo "AEGIS needs $(NEED_GB) GB of free disk for its libraries; $$free GB are free here." \
	       "Make room, or skip this check: make NEED_GB=0" >&2; exit 1; \
	fi
	@echo 'Installing what AEGIS runs on: about 6 GB, once'
	@$(INSTALL) -r requirements.txt
	@$(INSTALL) --quiet --no-deps --editable .
	@touch $@

.venv/dev.stamp: .venv/runtime.stamp requirements-dev.txt
	@echo 'Installing what tests and checks need'
	@$(INSTALL) --quiet -r requirements-dev.txt
	@$(INSTALL) --quiet --no-deps 'torchattacks>=3.5,<4'
	@touch $@

.venv/fleet.stamp: .venv/dev.stamp pyproject.toml
	@$(INSTALL) --quiet --editable '.[fleet]'
	@touch $@
