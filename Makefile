# make app    the page, at the address it prints       make demo   a voice from twelve clips, on a CPU
# make test   style, types and all quick tests        make lint   style and types only
# make test-slow   the tests that take minutes each          make test-faults   of these, what jobs survive
#
# Each does its own set-up in .venv, once. Yours to choose:
#   VENV=DIR        an environment you already have; a torch in it that fits is kept
#   TORCH="..."     what pip installs as torch, e.g. TORCH="torch==2.9.1 --index-url URL" for your driver
#   PYTHON=python3.12

VENV ?= .venv
TORCH ?= torch==2.13.0
PYTHON ?=
ARGS ?=
export VENV TORCH PYTHON
# Some container images forbid Python to keep what it compiled. Packages are installed uncompiled, so every process
# would compile its thousands of modules again: 15 s each, where the voice model is loaded.
unexport PYTHONDONTWRITEBYTECODE

bin := $(VENV)/bin
app_ready := $(VENV)/.voicefactory-app
test_ready := $(VENV)/.voicefactory-test
# Tests use no network, and one thread is the fastest for the toy model on a small machine.
test_env := HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false

.PHONY: app test test-slow test-faults lint demo clean

app: $(app_ready)
	$(bin)/python app.py $(ARGS)

# Two processes; a file stays in one (tests/conftest.py). The browser by itself: beside the rest on two cores it saves
# three minutes, and its workers, which come after others, then get so little that a wait may run out.
test: lint
	@sh scripts/setup.sh chromium
	$(test_env) $(bin)/python -m pytest -q -n 2 --no-loadscope-reorder tests/unit tests/engines $(ARGS)
	$(test_env) $(bin)/python -m pytest -q tests/ui $(ARGS)

# What takes minutes each: memory that really runs out, processes killed in every step, long files.
test-slow: $(test_ready)
	@sh scripts/setup.sh chromium
	$(test_env) $(bin)/python -m pytest -q -m slow tests $(ARGS)

# Of these the proofs that jobs survive: faults of the machine, fifty random kills, cancel in every step.
test-faults: $(test_ready)
	$(test_env) $(bin)/python -m pytest -q -s -m "slow or not slow" tests/unit/test_faults.py \
		tests/unit/test_many_kills.py tests/unit/test_cancel_anywhere.py tests/unit/test_jobs_processes.py $(ARGS)

lint: $(test_ready)
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy

demo: $(test_ready)
	OMP_NUM_THREADS=1 $(bin)/voicefactory create demo tests/data/clips/wavs --model toy --asr tiny.en \
		--language english --home .voicefactory $(ARGS)

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(app_ready): requirements.txt pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh app
	@touch $@

$(test_ready): requirements.txt requirements-test.txt pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh test
	@touch $@ $(app_ready)
