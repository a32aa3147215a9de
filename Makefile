# Set-up and the main jobs. Each target makes or reuses .venv; PYTHON picks the interpreter it is made with.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
OLDEST := .venv-oldest
OFFLINE := HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 CUDA_VISIBLE_DEVICES= OMP_NUM_THREADS=1
PYTEST := -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-oldest fuzz quality style tex browser

$(INSTALLED): setup.py constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $@

demo: $(INSTALLED)  ## Train a small model, read pictures it never saw, write runs/demo/report.html
	CUDA_VISIBLE_DEVICES= ACCELERATE_USE_CPU=true OMP_NUM_THREADS=1 \
	  $(BIN)/torchrun --standalone --nproc_per_node 2 train.py configs/demo.yaml
	$(BIN)/python eval.py --model runs/demo/model --data noisy_shapes --split test --size 500 --scene.max_objects 3 \
	  --json runs/demo/eval_fresh.json
	@for name in noisy_shapes_tikz hand_drawings; do \
	  if [ -d ../shared/data/$$name ]; then \
	    $(BIN)/python eval.py --model runs/demo/model --data ../shared/data/$$name --json runs/demo/eval_$$name.json || exit 1; \
	  fi; \
	done
	$(BIN)/python report.py --out runs/demo/report.html runs/demo/eval_*.json
	@echo "Open runs/demo/report.html; the model is in runs/demo/model."

test: quality  ## Style, then every test; offline, on the CPU, a process for each core
	$(OFFLINE) $(BIN)/python $(PYTEST)

$(OLDEST)/.installed: setup.py tests/oldest.py
	$(PYTHON) -m venv $(OLDEST)
	$(PYTHON) tests/oldest.py > $(OLDEST)/constraints.txt
	$(OLDEST)/bin/pip install --quiet --disable-pip-version-check --constraint $(OLDEST)/constraints.txt \
	  --editable ".[dev]"
	touch $@

test-oldest: $(OLDEST)/.installed  ## Every test on the oldest versions that setup.py admits
	$(OFFLINE) $(OLDEST)/bin/python $(PYTEST)

fuzz: $(INSTALLED)  ## A thousand hostile pictures through the command, in one process
	$(OFFLINE) $(BIN)/python tests/fuzz.py 1000 noisy_shapes

quality: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

style: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

tex:  ## Real TikZ on Debian (needs root): for the tikz renderer, its tests and benchmarks
	apt-get update
	apt-get install --yes --no-install-recommends texlive-latex-base texlive-pictures texlive-latex-extra poppler-utils

browser:  ## Chromium on Debian (needs root): for the tests of pages
	apt-get update
	apt-get install --yes --no-install-recommends chromium
