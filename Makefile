# run · test · check · fix · docs · bench.  PORT=, DATA=, DEMO= choose how `make run` serves.
PYTHON ?= python3
PORT ?= 8000
DATA ?= var
DEMO ?= 300
BIN := .venv/bin
# --system-certs: as pip does, trust what the machine trusts (a hospital may run its own authority).
UV := $(BIN)/uv pip install --system-certs --quiet --python $(BIN)/python --constraint constraints.txt

.PHONY: run test test-real-server test-long check fix docs bench constraints
.DEFAULT_GOAL := run

run: .venv/.installed
	@exec $(BIN)/hygie serve --port "$(PORT)" --data "$(DATA)" --demo "$(DEMO)"

test: .venv/.installed-dev
	@scripts/test_tools.sh
	$(BIN)/pytest -n 2 -m "not long"
	@$(MAKE) --no-print-directory test-real-server

# Store, access log and outbox on the system's own PostgreSQL, through HYGIE_DATABASE_URL.
test-real-server: .venv/.installed-dev
	@$(BIN)/python -m hygie.testing.real_server $(BIN)/pytest -m "not long" $(REAL_SERVER_TESTS)
REAL_SERVER_TESTS ?= $(wildcard hygie/kernel/database hygie/kernel/store hygie/kernel/audit \
	hygie/kernel/outbox)

# The longer runs of the same tests.
test-long: .venv/.installed-dev
	$(BIN)/pytest -m long --timeout 3600

check: .venv/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy hygie hygie_verify tests benches scripts conftest.py
	$(BIN)/lint-imports
	$(BIN)/pytest tests/architecture_test.py

fix: .venv/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/.installed-dev
	@$(BIN)/python scripts/build_docs.py

bench: .venv/.installed-dev
	@for bench in $(filter-out benches/harness.py,$(wildcard benches/*.py)); do \
		echo "== $$bench"; $(BIN)/python $$bench || exit 1; done

constraints:
	@scripts/constraints.sh

$(BIN)/uv:
	$(PYTHON) -m venv .venv
	@PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 \
		$(BIN)/python -m pip install --quiet --constraint constraints.txt uv

.venv/.installed: pyproject.toml constraints.txt | $(BIN)/uv
	$(UV) --editable .
	@touch $@

.venv/.installed-dev: pyproject.toml constraints.txt | $(BIN)/uv
	$(UV) --editable ".[dev]"
	@touch .venv/.installed $@
