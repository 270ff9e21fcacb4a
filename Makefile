# make help lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Eight processes start at once: each would spend a second on compiling where Python may not keep what it compiled
# (PYTHONDONTWRITEBYTECODE), so the install and `assets` compile.
# A cache folder on another disk cannot be linked from; copying is never wrong.
export UV_LINK_MODE ?= copy

.DEFAULT_GOAL := help
.PHONY: help install demo up test unit browser bench lint format types floors check assets docs requirements clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

install: $(VENV)/.installed  ## everything into .venv, each package by its hash

$(VENV)/.installed: requirements/dev.txt requirements/uv.txt pyproject.toml hatch_build.py package-lock.json
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Fengsui needs Python 3.11 or newer; name one: make PYTHON=python3.12 install")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install -q --compile-bytecode --require-hashes -r requirements/dev.txt
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	@touch $@

assets: install  ## the pages' assets and the compiled catalogues (nothing when unchanged)
	@$(BIN)/python -m compileall -q src/fengsui
	@$(BIN)/python -m fengsui.services.assets

demo: assets  ## the synthetic region with a running exercise, in ./fengsui-demo
	$(BIN)/fengsui demo

up: assets  ## the platform on ./fengsui-data
	$(BIN)/fengsui up

lint: install  ## style, and that everything is formatted
	$(BIN)/ruff check
	$(BIN)/ruff format --check -q

format: install  ## put everything into form
	$(BIN)/ruff check --fix -q
	$(BIN)/ruff format -q

types: install  ## mypy
	$(BIN)/mypy

floors: install  ## imports go down, never up, never sideways
	$(BIN)/lint-imports

check: install  ## the proof of every mechanism
	$(BIN)/fengsui check

# Platforms of their own apart: beside tests that fill both cores, real seconds would run out.
unit: assets  ## all tests but the browser's
	$(BIN)/pytest -q -n 2 --dist loadfile -m "not browser and not platform"
	$(BIN)/pytest -q -n 2 --dist loadfile -m "platform and not browser"

browser: assets  ## the tests in a real Chromium
	$(BIN)/python -m tests.chromium
	$(BIN)/pytest -q -n 2 --dist loadfile -m browser

test: lint types floors check unit browser  ## everything that CI runs

bench: install  ## every figure of docs/performance.md, measured here
	$(BIN)/python -m bench

docs: install  ## the reference pages that are made from the code
	$(BIN)/python -m fengsui.services.reference docs/reference/cli.md

requirements: install  ## pin again what pyproject.toml allows
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements/base.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev -c requirements/base.txt pyproject.toml -o requirements/dev.txt
	echo "uv>=0.9" | $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements/dev.txt - -o requirements/uv.txt

clean:  ## remove what was built, not the data folders
	rm -rf $(VENV) node_modules build dist src/fengsui/cockpit/static/vendor
