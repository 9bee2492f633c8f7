# Two commands for a newcomer: `make demo` and `make test`. Each sets up .venv when it is missing or stale.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

# A venv belongs to the folder it was made in: in one that was moved or copied it is made anew.
ifneq ($(shell cat $(INSTALLED) 2>/dev/null),$(CURDIR))
.PHONY: $(INSTALLED)
endif

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types docs test-slow test-sanitized test-oldest clean

help:
	@echo "make demo         train Lion, SGD and AdamW on real images and real text, and write a report"
	@echo "make test         run the tests"
	@echo "make check        what CI runs: format, lint, types, docs, tests"
	@echo "make docs         build the documentation in docs/_build/html"
	@echo "make test-slow    the tests that take minutes"
	@echo "make test-sanitized  the native kernel's tests under the address and undefined-behaviour sanitizers"
	@echo "make test-oldest  the library's tests on the oldest torch that is supported"
	@echo "make clean        remove environments and caches"

demo: $(INSTALLED)
	$(BIN)/lionkit demo

test: $(INSTALLED)
	$(BIN)/python -m pytest

check: lint types docs test

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/pyright

docs: $(INSTALLED)
	$(BIN)/sphinx-build -q -W --keep-going docs docs/_build/html

# The floor that pyproject.toml promises, on the library's own tests.
test-oldest: $(INSTALLED)
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/pip install --quiet --disable-pip-version-check torch==2.10.0 numpy pytest pytest-timeout hypothesis lion-pytorch expecttest
	PYTHONPATH=src .venv-oldest/bin/python -m pytest tests/kappa tests/kernels tests/optim tests/probes

test-sanitized: $(INSTALLED)
	tools/test_sanitized.sh $(CURDIR)/$(BIN)/python

test-slow: $(INSTALLED)
	$(BIN)/python -m pytest -m slow

clean:
	rm -rf .venv .venv-oldest .pytest_cache .ruff_cache .hypothesis build docs/_build src/*.egg-info src/lionkit/_native.bin

# torch comes first: with it and a C++ compiler at hand the install builds the native kernel.
$(INSTALLED): pyproject.toml constraints.txt setup.py $(wildcard csrc/*)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "lionkit needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + "; try make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear .venv
	$(PIP) 'torch>=2.10' 'setuptools>=77'
	$(PIP) --no-build-isolation --editable '.[lab,test,docs,dev]'
	@echo '$(CURDIR)' > $@
