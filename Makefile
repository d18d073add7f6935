# make repro: set up, pull the data, reproduce the pipeline, print a summary.   make help: all targets.
PYTHON ?= python3
BIN := .venv/bin
# Two processes share the files of tests; a file's tests run in one process, because they share what they made
PARALLEL := -n 2 --dist loadfile
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where DVC and matplotlib keep their caches when there is no home folder to write to
export HOME ?= $(CURDIR)/.home

.PHONY: help setup data repro lint typecheck docs test test-slow test-loop test-elsewhere fuzz ui read bench bench-ocr lock

help:            ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):[^#]*##/  make \1\t/' | expand -t 20

setup: .venv/.locked   ## the virtual environment, from requirements.lock
	@here=$$(cd .venv && pwd -P) && there=$$(cat .venv/.locked) && { test -z "$$there" || test "$$there" = "$$here" || { \
	  $(BIN)/python scripts/move_venv.py "$$there" "$$here" && echo "$$here" > .venv/.locked; }; }

.venv/.locked: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing from requirements.lock (once, a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@echo ../../../.. > "$$(echo .venv/lib/python*/site-packages)/handprint.pth"
	@cd .venv && pwd -P > .locked

data: setup      ## the raw data, and what takes long to make anew, from the DVC remote
	@said=$$(dvc pull data.dvc ink words 2>&1) || { case "$$said" in \
	  *"not a git repository"*) echo "make data: this folder is no git repository, and DVC needs one: git init" ;; \
	  *) echo "make data: data.dvc: missing or damaged in the DVC remote ($$(echo "$$said" | tail -n 1));" \
	    "'git checkout storage' brings back what came with the project" ;; esac >&2; exit 1; }
	@dvc pull --quiet lattice 2>/dev/null || true    # fitted anew in four minutes where the remote does not have it

repro: data      ## reproduce the whole pipeline, then print a summary
	@dvc repro
	@python -m pipeline.summary

lint: setup      ## style: ruff's rules, its one format, a licence for each file
	@ruff check .
	@ruff format --check .
	@reuse lint --quiet || reuse lint --lines

typecheck: setup ## types: mypy on pipeline/
	@mypy

docs: setup      ## the documentation, with the API reference, as a web site in outputs/site
	@NO_MKDOCS_2_WARNING=1 mkdocs build --quiet

test: setup      ## the tests; those that need trained models are skipped before make repro
	@test -e data/strokes.npz || $(MAKE) --no-print-directory data
	@python -m pytest $(PARALLEL)

test-slow: setup ## the tests that take minutes: crashes, kills, races, servers
	@python -m pytest -m slow

test-loop: setup ## the commands of the loop as the documentation prints them, one after the other: half an hour
	@python -m pytest -m loop

test-elsewhere: setup    ## the tests once more with the arithmetic of an older processor: other kernels, narrower SIMD, one thread
	@HANDPRINT_NATIVE=1 OPENBLAS_CORETYPE=Sandybridge NPY_DISABLE_CPU_FEATURES=X86_V3 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	  python -m pytest $(PARALLEL)

ui: setup        ## the MLflow UI on http://127.0.0.1:5000
	@python -m pipeline.tracking ui

read: setup      ## read your own photos: make read PAGES=photo.jpg, or PAGES='*.jpg'
	@test -n "$$PAGES" || { echo "make read: name a photo or a folder, for example: make read PAGES=photo.jpg" >&2; exit 1; }
	@if test -e "$$PAGES"; then set -- "$$PAGES"; else set -- $$PAGES; fi; \
	  python -m pipeline.read --formats txt,json,hocr,alto,pdf,png --out outputs/read -- "$$@"

bench: setup     ## speed beside PyTorch and scikit-learn, where installed; the pipeline's floors; EMNIST=emnist_test.npz: time to learn
	@python -m benchmarks.bench_nn
	@python -m benchmarks.bench_pipeline
	@test -z "$(EMNIST)" || python -m benchmarks.bench_learning "$(EMNIST)"

bench-ocr: setup ## page reading beside Tesseract and RapidOCR, where installed
	@python -m benchmarks.bench_ocr

fuzz: setup      ## 10,000 damaged files for every reader
	@python -m tests.fuzz

lock:            ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --extra dev pyproject.toml -o requirements.lock
