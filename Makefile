# The commands of this repository. `make demo` and `make test` are all a newcomer needs.
PYTHON ?= python3.11
BIN := .venv/bin
CORES ?= all
SMK := $(BIN)/snakemake --cores $(CORES)

.PHONY: env demo test lint bench report clean

env: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt ".[dev,slurm]"
	touch $@

demo: env  ## the default experiment, from raw images to results/report.zip
	$(SMK) $(ARGS)
	$(SMK) $(ARGS) --report results/report.zip

report: env  ## the report of what has been run
	$(SMK) $(ARGS) --report results/report.zip

test: env
	$(BIN)/pytest

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

bench: env
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

config/README.md: env $(wildcard workflow/scripts/crossres/settings/*.py workflow/scripts/crossres/catalogue/*.py workflow/scripts/crossres/samples/*.py)  ## and the schemas for editors
	$(BIN)/python workflow/scripts/document_config.py

clean:  ## everything that can be made again, but not the environment
	rm -rf results/*/ results/*.csv results/*.zip results/*.html logs .snakemake
