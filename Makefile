# What a contributor runs. Needs Go, make and a C compiler (the race detector's);
# `make check` also fetches golangci-lint, `make e2e` builds or uses an Ollama.

GO      ?= go
SEED    ?= $(shell date +%s)
FUZZTIME ?= 30s
CHECKS  ?= 10000
ROUNDS  ?= 5

LINT_VERSION := v2.15.0
LINT         := .bin/golangci-lint-$(LINT_VERSION)
# Each system and each machine once: no file is for one of them on the other alone.
PLATFORMS    ?= linux/amd64 darwin/arm64 windows/amd64
# The folders with Go in them: wildcards leave out .cache, .bin and the like.
FOLDERS      := $(filter-out bin/ docs/,$(wildcard */))

.DEFAULT_GOAL := help
.PHONY: help build demo test check format vet lint modules goroutines race e2e bench soak properties fuzz clean

help: ## what there is to make
	@awk -F':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## bin/runner, one static file
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/runner ./cmd/runner

demo: build ## a job, a cut stream, a failing row, its outputs; on a simulated server
	@bin/runner demo

# Tests are compiled as what is shipped is, without C: vet has compiled most of it.
test: ## all tests that need nothing but Go, and what they showed
	@CGO_ENABLED=0 $(GO) run ./cmd/tally -- ./...

check: format vet goroutines lint modules race ## format, vet for three systems, lint, modules, tests under the race detector

format:
	@bad=$$(gofmt -l $(FOLDERS)) || exit 1; if [ -n "$$bad" ]; then echo "not formatted; run gofmt -w on:"; echo "$$bad"; exit 1; fi
	@echo "format: ok"

# Everything is compiled too: vet alone looks at types, and e2e has a build tag.
vet:
	@set -e; for platform in $(PLATFORMS); do \
	  export CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/}; \
	  $(GO) build ./...; \
	  $(GO) vet -tags e2e ./...; \
	  echo "vet: $$platform ok"; \
	done

# No linter knows the house's rule that every goroutine has an owner who waits: a conc pool.
goroutines:
	@grep -rnE --include='*.go' '^[[:space:]]*go (func\>|[A-Za-z_][A-Za-z0-9_.]*\()' $(FOLDERS); case $$? in \
	  0) echo "a bare go statement; use a conc pool that its function waits for"; exit 1;; \
	  1) ;; \
	  *) exit 1;; esac
	@echo "goroutines: ok"

lint: $(LINT)
	$(LINT) run --allow-parallel-runners --build-tags e2e ./...

$(LINT):
	GOBIN=$(CURDIR)/.bin/new GOFLAGS= $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv .bin/new/golangci-lint $@ && rmdir .bin/new

modules:
	$(GO) mod tidy -diff
	$(GO) mod verify

race:
	CGO_ENABLED=1 $(GO) test -race ./...

e2e: build ## every example against a real Ollama (OLLAMA_HOST and E2E_MODEL, or E2E_GGUF), a disk that fails (strace, root), reports in Chromium
	@CGO_ENABLED=0 $(GO) run ./cmd/tally -- -tags e2e -count=1 -timeout 30m -v ./cmd/e2e

bench: build ## speed and memory against two reference clients, as ratios
	@CGO_ENABLED=0 $(GO) run ./cmd/bench -rounds $(ROUNDS)

soak: build ## the long campaigns: all tests in full, properties by the ten thousand, each fuzz target for FUZZTIME
	@echo "SEED=$(SEED) repeats it"
	RUNNER_SOAK=full RUNNER_SEED=$(SEED) $(GO) run ./cmd/tally -- -count=1 -timeout 6h ./...
	RUNNER_SOAK=full RUNNER_SEED=$(SEED) $(GO) run ./cmd/tally -- -tags e2e -count=1 -timeout 6h -v ./cmd/e2e
	@$(MAKE) properties fuzz SEED=$(SEED)

# The laws of the packages that test with rapid, on CHECKS random cases each.
properties:
	@set -e; all=$$($(GO) list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./...); \
	for pkg in $$(echo "$$all" | awk '/pgregory.net\/rapid/ {print $$1}'); do \
	  $(GO) test -count=1 -timeout 6h $$pkg -rapid.checks=$(CHECKS) -rapid.seed=$(SEED); \
	done

fuzz:
	@set -e; all=$$($(GO) list ./...); for pkg in $$all; do \
	  targets=$$($(GO) test -list '^Fuzz' $$pkg); \
	  for target in $$(echo "$$targets" | awk '/^Fuzz/'); do \
	    echo "$$pkg $$target for $(FUZZTIME)"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; done

clean: ## what make built; keeps .cache, which holds the server of make e2e
	rm -rf bin .bin
