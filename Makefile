# Two commands for a fresh machine: `make quickstart` (seconds, offline once installed) and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: quickstart test check style quality lock clean

quickstart: $(VENV)/core  ## pairs from the standard library, no model, no network
	$(BIN)/hf-oss-instruct preview --n 3
	$(BIN)/hf-oss-instruct synthesize --seeds stdlib --n 200 --out quickstart-pairs

test: $(VENV)/all check  ## every test, with every extra
	$(BIN)/python -m pytest -n auto --dist worksteal

check quality: $(VENV)/all  ## what must hold of the source text
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

style: $(VENV)/all  ## put the source into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:  ## versions that contributors share
	uv lock

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/core: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -e .
	touch $@

# torch first, by version and by pip: a plain `torch`, or uv, takes the newest build with gigabytes of CUDA where a CPU build is
# at hand. The rest by uv, which resolves lighteval's dependencies in seconds where pip needs six minutes.
$(VENV)/all: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet uv torch==2.13.0
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[all,dev]'
	touch $@ $(VENV)/core

clean:
	rm -rf $(VENV) quickstart-pairs
