# `make demo` and `make test` are the two commands; each sets up what it needs in .venv and is quick when repeated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
VENDOR := api/huaxiang/console/static/vendor/.built
DEMO_DIR ?= var/demo

.DEFAULT_GOAL := help
.PHONY: help setup models console browser demo demo-stop test lint wheel clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(INSTALLED): pyproject.toml
	@echo "== setting up $(VENV) (some minutes the first time) =="
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

setup: $(INSTALLED) ## install the project and its tools into .venv

$(VENDOR): $(INSTALLED) api/huaxiang/console/package-lock.json api/huaxiang/console/build.py
	@echo "== building the console's static files =="
	$(BIN)/python api/huaxiang/console/build.py --checks tests/.vendor
	touch $@

console: $(VENDOR) ## fetch the console's scripts by npm

models: $(INSTALLED) ## pull the models named in models.lock
	@echo "== models (nothing is fetched that is already there) =="
	$(BIN)/huaxiang models pull

browser: ## install Chromium and Chinese fonts where this user may
	@sh tests/install_browser.sh

demo: $(INSTALLED) $(VENDOR) models ## take two recorded calls through every stage and serve the result
	$(BIN)/python -m huaxiang.api.demo --data-dir $(DEMO_DIR)

demo-stop: $(INSTALLED) ## end the demo's server
	$(BIN)/python -m huaxiang.api.demo --data-dir $(DEMO_DIR) --stop

lint: $(INSTALLED) ## ruff and mypy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: $(INSTALLED) $(VENDOR) models browser lint ## everything that CI checks
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

wheel: $(INSTALLED) $(VENDOR) ## build the wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## remove what was built (not the models)
	rm -rf $(VENV) dist build tests/.vendor api/huaxiang/console/static/vendor api/huaxiang/console/node_modules var
