# make leaderboard: from nothing to my_results/quick/leaderboard.csv
# make results: every experiment of every theory
# make bench: how fast the hot paths are; make site: all results as pages; make docs
# make shell: a shell that finds mae-bench; make readmes: their numbers, of the CSVs
# make test | check | format | clean
# make mutants: what no test notices; make crash: what a killed run loses
PYTHON ?= python3
BIN := .venv/bin
BUDGETS := leaderboard learning_curves
WORLDS := mnist random_hierarchy
ROUNDING := training/test_ensemble.py training/test_stacked.py methods/test__two_views.py \
	methods/test_byol.py metrics/test_linear_r2.py metrics/test_located_r2.py \
	models/test_decoder.py models/test_momentum.py oracles/test_linear_mae.py
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
# What a process has compiled the next one need not, whoever runs us says otherwise.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: leaderboard results shell test test-rounding check format bench site docs \
	readmes mutants crash clean

# Installed once; again when what is wanted changes.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	@echo "Installing into .venv: 1.8 GB on disk, once."
	$(BIN)/pip install --constraint constraints.txt --editable ".[dev,docs,ray,slurm]"
	touch $@

leaderboard: .venv/installed
	$(BIN)/mae-bench run --tier quick $(BUDGETS:%=--experiment %) $(WORLDS:%=--dataset %)

results: .venv/installed
	$(BIN)/mae-bench run --tier quick

shell: .venv/installed
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec "$${SHELL:-/bin/sh}"

test: .venv/installed
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

# What rounding could decide, with the sums of another processor and more threads.
test-rounding: export ATEN_CPU_CAPABILITY := default
test-rounding: export MKL_CBWR := COMPATIBLE
test-rounding: export OPENBLAS_CORETYPE := Nehalem
test-rounding: export OMP_NUM_THREADS := 2
test-rounding: export MKL_NUM_THREADS := 2
test-rounding: .venv/installed
	$(BIN)/python -m pytest $(ROUNDING:%=tests/%)

check: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --config-file mypy-platforms.toml --platform darwin
	$(BIN)/mypy --config-file mypy-platforms.toml --platform win32
	$(BIN)/mypy

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Times the working tree and prints; `mae-bench history --speed` keeps it, by commit.
bench: .venv/installed
	$(BIN)/asv machine --yes
	sed 's#results/asv#.asv/results#' asv.conf.json > .asv.bench.json
	$(BIN)/asv --config .asv.bench.json run --environment existing --show-stderr

# In build/site, read without internet; asv's graphs by: python3 -m http.server -d build/site
site: .venv/installed
	$(BIN)/mae-bench site

# In build/docs, read without internet.
docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# Every README.md of its README.md.j2.
readmes: .venv/installed
	$(BIN)/python -m benchmarks.readmes

mutants: .venv/installed
	$(BIN)/python benchmarks/mutants.py

crash: .venv/installed
	$(BIN)/python benchmarks/crash.py

clean:
	rm -rf .venv .store build *.egg-info
