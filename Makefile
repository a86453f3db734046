# The commands of this repository. `make demo` and `make test` are all a newcomer needs.
PYTHON ?= python3.11
BIN := .venv/bin
CORES ?= all
SMK := $(BIN)/snakemake --cores $(CORES)
# as many as there are cores; the tests of a file share its runs and plans
TESTS := $(BIN)/pytest --numprocesses auto --dist loadfile

.PHONY: env demo restore test test-fast lint report bench bench-short clean

env: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt ".[dev,slurm]"
	touch $@

demo: env  ## the default experiment, from raw images to results/report.zip
	$(SMK) $(ARGS)
	$(SMK) $(ARGS) --report results/report.zip

restore: env  ## MODEL=model.safetensors IMAGES=folder [OUT=folder]: new images, by a trained model
	$(BIN)/python workflow/scripts/restore_new.py $(MODEL) $(IMAGES) $(if $(OUT),--out $(OUT)) $(ARGS)

report: env  ## the report of what has been run
	$(SMK) $(ARGS) --report results/report.zip

test: env  ## everything
	$(TESTS)

test-fast: env  ## the library alone, without the slow tests: two minutes
	$(TESTS) tests/unit -m "not slow"

lint: env  ## style, types, and Snakemake's own opinion
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

bench: env  ## every benchmark in full
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

bench-short: env  ## every benchmark at its smallest, to see that it runs
	$(BIN)/python benchmarks/deconvolution.py --rounds 1
	$(BIN)/python benchmarks/registration.py --seeds 1
	$(BIN)/python benchmarks/restoration.py --rounds 1 --images "care 1024 x 1024"
	$(BIN)/python benchmarks/stitching.py --scans 1 --side 256
	$(BIN)/python benchmarks/training.py --rounds 1 --size demo --networks gan
	$(BIN)/python benchmarks/quality.py --minutes 0.1 --seeds 0 --networks cnn

config/README.md: env $(wildcard workflow/scripts/crossres/settings/*.py workflow/scripts/crossres/catalogue/*.py workflow/scripts/crossres/samples/*.py)  ## and the JSON schemas for editors
	$(BIN)/python workflow/scripts/document_config.py

clean:  ## everything that can be made again, but not the environment
	rm -rf results/*/ results/*.csv results/*.zip results/*.html logs .snakemake
