# Commons Node: `make run` is all that a fresh machine with Python 3.11, make and a package registry needs.

VENV := .venv
HOME_DIR := .commonsnode
PORT ?= 8450
PYTHON ?=
BENCH ?=
SEED ?= 0
UNIVERSES ?= 2000
OVERLAYS ?= 1000

PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet --quiet
STAMP := $(VENV)/installed
STAMP_DEV := $(VENV)/installed-dev

# An environment whose Python is gone (system upgrade), or that was moved with its checkout, is made anew.
ifneq ($(wildcard $(VENV)),)
ifeq ($(shell $(VENV)/bin/python -c 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null),True)
ifneq ($(wildcard $(STAMP)),)
ifneq ($(shell cat $(STAMP)),$(CURDIR))
$(shell rm -rf $(VENV))
endif
endif
else
$(shell rm -rf $(VENV))
endif
endif

.PHONY: help run test lint sim sim-scale bench clean

help:
	@echo "make run    a node on this machine: installs, creates ./$(HOME_DIR) if there is none, starts (PORT=$(PORT))"
	@echo "make test   every test"
	@echo "make lint   ruff, mypy, import-linter"
	@echo "make sim    random communities with hostile people, and networks with hostile nodes, until all is well again"
	@echo "            (SEED=$(SEED) UNIVERSES=$(UNIVERSES) OVERLAYS=$(OVERLAYS))"
	@echo "make sim-scale  ten thousand nodes that gossip; writes bench/sim.json"
	@echo "make bench  measure; writes bench/latest.json"
	@echo "make clean  remove the environment and everything built, but no node"

run: $(STAMP)
	@test -e $(HOME_DIR)/node.key || $(VENV)/bin/commonsnode --home $(HOME_DIR) init
	@exec $(VENV)/bin/commonsnode --home $(HOME_DIR) up --port $(PORT)

test: $(STAMP_DEV)
	@$(VENV)/bin/python -m pytest

lint: $(STAMP_DEV)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

sim: $(STAMP_DEV)
	@$(VENV)/bin/python tests/authority_universe.py $(SEED) $(UNIVERSES)
	@PYTHONPATH=tests $(VENV)/bin/python tests/overlay_sim/universe.py $(SEED) $(OVERLAYS)

sim-scale: $(STAMP_DEV)
	@PYTHONPATH=tests $(VENV)/bin/python tests/overlay_sim/scale.py

bench: $(STAMP)
	@$(VENV)/bin/python -m bench $(BENCH)

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@test ! -e $(HOME_DIR) || echo "The node under ./$(HOME_DIR) is kept; remove that folder yourself if you mean it."

$(STAMP): pyproject.toml | $(VENV)/bin/python
	@echo "Installing Commons Node into ./$(VENV) (once; some 20 seconds) ..." >&2
	@$(PIP) install --editable .
	@echo "$(CURDIR)" > $@

$(STAMP_DEV): pyproject.toml | $(VENV)/bin/python
	@echo "Installing Commons Node and its tests' tools into ./$(VENV) ..." >&2
	@$(PIP) install --editable '.[dev]'
	@echo "$(CURDIR)" > $(STAMP)
	@echo "$(CURDIR)" > $@

# The first Python that is new enough and can make environments; otherwise say what is missing.
$(VENV)/bin/python:
	@found=""; bare=""; old=""; \
	for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  version=`$$python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null` || continue; \
	  if ! $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    old="$$old $$python is $$version;"; \
	  elif ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	    bare="$$python"; \
	  else \
	    found="$$python"; break; \
	  fi; \
	done; \
	if test -n "$$found"; then \
	  "$$found" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; \
	elif test -n "$$bare"; then \
	  echo "Commons Node: $$bare cannot make virtual environments (venv and ensurepip are missing)." >&2; \
	  echo "  On Debian, Ubuntu, Raspberry Pi OS: sudo apt install python3-venv   Then: make run" >&2; \
	  exit 1; \
	elif test -n "$$old"; then \
	  echo "Commons Node needs Python 3.11 or later:$$old no later one was found." >&2; \
	  echo "  Install one (Debian 12, Ubuntu 24.04: sudo apt install python3 python3-venv; macOS: brew install python)," >&2; \
	  echo "  or name one that lies elsewhere: make run PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	else \
	  echo "Commons Node needs Python 3.11 or later, and no python3 was found." >&2; \
	  echo "  Install it (Debian, Ubuntu: sudo apt install python3 python3-venv; macOS: brew install python)," >&2; \
	  echo "  or name one that lies elsewhere: make run PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi
