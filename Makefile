# heapwire: `make demo` and `make test` set up all they need in .venv, with pip alone.
# An interpreter that is named has an environment of its own: PYTHON=python3.12 has .venv-3.12.

PYTHON ?= python3
VENV := .venv$(patsubst python3.%,-3.%,$(filter python3.%,$(notdir $(PYTHON))))
BIN := $(VENV)/bin
ROOMS := protocol kernel compositor_plugin client_lib cli

# pip shows how far it is to who watches, and tells a log nothing but faults.
QUIET := $(shell [ -t 2 ] || echo --quiet --quiet)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Tests start Python a few hundred times: what it compiles is kept, and not among the sources.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/pycache

SPHINX = $(BIN)/python -m sphinx -q --keep-going -j auto

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test fuzz test-host test-vm vm bench bench-weston lint format protocol bindings reference \
	roots check-facts check-patches docs links wheel check-wheel deb clean

help: ## say what there is
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/installed/play ## play a clip on a simulated platform; writes demo.png
	$(BIN)/heapwire demo --output demo.png

test: $(VENV)/installed/test ## run the tests that need no kernel and no compositor of their own
	$(BIN)/python -m pytest -n auto --dist worksteal --ignore=tests/vm --ignore=tests/host_weston $(ARGS)

fuzz: $(VENV)/installed/test ## fuzz the compositor, the solver and the readers of files for long (MESSAGES=..., SEED=...)
	SEED=$(SEED) MESSAGES=$(or $(MESSAGES),1000000) ORDERS=$(or $(ORDERS),all) \
	HEAPWIRE_FUZZ_MUTANTS=$(or $(MUTANTS),10000) QUESTIONS=$(or $(QUESTIONS),1000) \
	$(BIN)/python -m pytest -s tests/fuzz $(ARGS)

test-host: $(VENV)/installed/test ## run the plugin's tests inside a stock Weston, headless
	$(BIN)/python -m pytest tests/host_weston $(ARGS)

test-vm: $(VENV)/installed/test vm ## run the tests that need a real kernel, in QEMU (GUESTS=... at a time)
	HEAPWIRE_VM=1 $(BIN)/python -m pytest -n $(or $(GUESTS),2) --dist loadfile --no-loadscope-reorder tests/vm $(ARGS)

vm: ## build the kernels of the test machines, get what Debian has of them (cached by content)
	kernel/vm/fetch stock
	kernel/vm/fetch armhf
	kernel/vm/build
	kernel/vm/build arm

# What $(1) names is measured one after the other, and ends with one table, in the file $(2), also
# where one of them fails.
measured = @export BENCH_TABLE=$(CURDIR)/$(VENV)/$(2) status=0; rm -f $$BENCH_TABLE; \
	for measured in $(1); do set -- $$measured; \
	echo "bench_$$measured"; $(BIN)/python bench/bench_$$1.py $$2 || status=1; done; \
	$(BIN)/python bench/ratio_table.py $$BENCH_TABLE || status=1; exit $$status

HERE := $(filter-out %_weston weston,$(patsubst bench/bench_%.py,%,$(sort $(wildcard bench/bench_*.py))))
# Weston, and what a module for it is built against.
HAS_WESTON = $(and $(shell command -v weston),$(shell pkg-config --list-all | grep '^libweston-[0-9]* '))
WESTON := weston sources_weston "loop weston" "end weston" "answer weston"

bench: $(VENV)/installed/test ## measure what all of it costs, in Weston too if it is installed; a table at the end (LIMITS=fail: its limits hold)
	$(call measured,$(HERE) $(if $(HAS_WESTON),$(WESTON)),ratios)

bench-weston: $(VENV)/installed/test ## measure what the module costs a stock Weston alone (LIMITS=fail)
	$(call measured,$(WESTON),ratios-weston)

bench-%: bench/bench_%.py $(VENV)/installed/test ## make one measurement: bench-answer ARGS=weston
	$(BIN)/python $< $(ARGS)

lint: $(VENV)/installed/dev ## check style, types, and that every file has a licence
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/reuse lint --quiet
	MYPYPATH=src $(BIN)/mypy $(addprefix -p heapwire.,$(ROOMS))

format: $(VENV)/installed/dev ## put every file into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

protocol: $(VENV)/installed/test ## make the Python tables of the protocols from their XML
	@set -e; for xml in protocol/wire/xml/*.xml; do name=$$(basename $$xml .xml); \
	made=$(VENV)/made; module=protocol/wire/bindings/$$(echo $$name | tr - _).py; \
	$(BIN)/python -m heapwire.protocol.wire.generate --xml $$name >$$made; mv $$made $$xml; \
	$(BIN)/python -m heapwire.protocol.wire.generate $$name >$$made; mv $$made $$module; done

bindings: $(VENV)/installed/test ## make the modules that call C libraries from their declarations
	$(BIN)/python .ci/make_bindings.py

reference: $(VENV)/installed/test ## make docs/constraint-types.md from the registry
	$(BIN)/python -m heapwire.protocol.explain.type_reference >$(VENV)/reference.md
	mv $(VENV)/reference.md docs/constraint-types.md

roots: ## make tests/kernel/roots from the device trees of a kernel's source (SOURCE=...)
	$(PYTHON) tests/kernel/roots/make_boards.py $(SOURCE)

check-facts: $(VENV)/installed/test ## compare kernel/profiles with the kernel's source (SOURCE=...)
	$(BIN)/python .ci/check_facts.py $(if $(SOURCE),--source $(SOURCE))

check-patches: ## check the form of the kernel patches (SERIES=... SOURCE=...: that one applies, too)
	for series in $(or $(SERIES),kernel/patches kernel/patches/7.2); do \
		$(PYTHON) .ci/check_patches.py $(if $(SOURCE),--source $(SOURCE)) $$series || exit; done

docs: $(VENV)/installed/docs ## make build/docs of the pages, the protocols, the commands and the faces
	$(BIN)/python docs/site/site_pages.py build/docs-pages
	$(SPHINX) -W -b html -c docs/site build/docs-pages build/docs

links: $(VENV)/installed/docs ## ask whether what the pages lead to elsewhere is there: by hand, it wants a network
	$(BIN)/python docs/site/site_pages.py build/docs-pages
	$(SPHINX) -b linkcheck -c docs/site build/docs-pages build/links

wheel: $(VENV)/installed/dev ## build the wheel and the source archive in dist/
	rm -rf dist
	$(BIN)/python -m build --quiet --outdir dist

check-wheel: wheel ## install the wheel elsewhere and import all of it
	$(BIN)/python .ci/check_wheel.py dist/*.whl

# Built in a copy: packages are put beside the tree that they are built from.
deb: ## build the Debian package in build/debian, and have lintian look at it
	rm -rf build/debian && mkdir -p build/debian/heapwire
	git ls-files -z | tar c --null -T - | tar x -C build/debian/heapwire
	cd build/debian/heapwire && { dpkg-buildpackage -us -uc -b >../log 2>&1 || { cat ../log >&2; exit 1; }; }
	lintian --allow-root --fail-on error build/debian/heapwire_*.changes
	@ls build/debian/*.deb

clean: ## remove everything that was made here
	rm -rf .venv .venv-* build dist *.egg-info src/*.egg-info demo.png .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/ready:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	"heapwire needs Python 3.11 or later; name one with make PYTHON=...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install $(QUIET) 'setuptools>=77'
	@touch $@

$(VENV)/installed/%: $(VENV)/ready pyproject.toml
	@mkdir -p $(@D)
	$(BIN)/pip install $(QUIET) --editable '.[$*]'
	@touch $@
