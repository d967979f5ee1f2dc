# Two commands for a fresh machine: `make quickstart` (seconds, offline once installed) and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
HUB2 := $(VENV)-hub2

# Tests start hundreds of Pythons. Where none may keep what it compiled, as in many containers, each compiles all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: quickstart test test-long test-hub2 check style quality cards docs pictures site lock clean

quickstart: $(VENV)/core  ## pairs from the standard library, no model, no network
	$(BIN)/hf-oss-instruct preview --n 3
	$(BIN)/hf-oss-instruct synthesize --seeds stdlib --n 200 --out quickstart-pairs
	@# A machine without a sandbox verifies nothing, says so, and has its dataset all the same.
	-$(BIN)/hf-oss-instruct synthesize --seeds stdlib --n 1000 --verify --out quickstart-verified

# An installation waits for the network and uses one core, as mypy does. So both environments are installed side by side, and the
# checks run beside the tests with huggingface_hub 2. Each target prints its output when it ends; both run to the end if one fails.
test:  ## every test, with every extra; what talks to the Hub, with huggingface_hub 2 too
	$(MAKE) --no-print-directory --jobs=2 --keep-going $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) check test-hub2
	$(call run-tests,$(BIN)/python)

# A test that fails beside others is run again alone, so that a busy machine fails no run and every failure is printed.
run-tests = $(1) -m pytest -n auto --dist worksteal $(2) || $(1) -m pytest --last-failed --last-failed-no-failures none $(2)

test-long: $(VENV)/all  ## the long versions of tests, and property tests with new random examples, before a release
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'long or hypothesis' --hypothesis-profile random

HUB2_TESTS = tests/support/test_hub.py tests/support/test_support.py::TestHub tests/benchmarks/test_fetch.py \
	tests/publishing/test_publish.py tests/publishing/test_scores.py tests/publishing/test_model.py \
	tests/loading/test_builder.py tests/loading/test_repo_config.py \
	tests/teachers/test_inference.py tests/seeds/tables/test_tables.py::TestHub \
	tests/evaluation/call_tests/test_grading.py \
	tests/verification/quality/test_mutants.py \
	tests/evaluation/test_evaluate.py::test_a_server_that_knows_the_solutions_scores_one_and_is_not_asked_twice \
	tests/evaluation/test_evaluate.py::test_a_tiny_model_in_the_other_styles

test-hub2: $(HUB2)/all
	$(call run-tests,$(HUB2)/bin/python,$(HUB2_TESTS))

check quality: $(VENV)/all  ## what must hold of the source text
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

style: $(VENV)/all  ## put the source into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cards: $(VENV)/all  ## render model_cards/ anew; git diff shows what the Hub would show
	$(BIN)/python -m tests.publishing.cards.test_cards

docs: $(VENV)/all  ## write docs/commands.md and docs/options.md anew
	$(BIN)/python -m tests.test_docs

pictures: $(VENV)/all  ## take docs/pictures/ anew; DATA has evalplus' HumanEvalPlus.jsonl.gz
	$(BIN)/python docs/pictures/make.py --data $(DATA)
	$(BIN)/python docs/pictures/report.py --data $(DATA)

site: $(VENV)/all  ## build the docs as a website; python -m http.server -d site serves it
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

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

# The plain `lighteval` command, and so the extra `eval`, needs huggingface_hub 1; everything else works with 2 as well.
$(HUB2)/all: pyproject.toml
	$(PYTHON) -m venv $(HUB2)
	$(HUB2)/bin/python -m pip install --quiet uv torch==2.13.0
	$(HUB2)/bin/uv pip install --quiet --python $(HUB2)/bin/python -e '.[train,local,dev]' 'huggingface_hub>=2' 'xxhash>=4'
	touch $@

clean:
	rm -rf $(VENV) $(HUB2) quickstart-pairs quickstart-verified site
