# Two commands matter: make demo shows what Moorgate does, make test shows that it does it.

GO          ?= go
TOOLS        = $(GO) tool -modfile=internal/tools/go.mod
LINT         = $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
TEST_FLAGS  ?=

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Play the story on a real Kubernetes on this machine; DEMO_FLAGS=--once ends afterwards
	$(GO) run ./test/demo $(DEMO_FLAGS)

.PHONY: test
test: ## Build what is missing, then vet and run every test
	$(GO) run ./test/cluster/cmd/cluster --build-only
	$(GO) -C test/gate/helm tool -n helm
	$(GO) vet ./...
	$(GO) test -timeout 30m $(TEST_FLAGS) ./...

.PHONY: build
build: ## Build bin/moorgate
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/moorgate .

.PHONY: cluster
cluster: ## Start a Kubernetes with simulated nodes for yourself, until ctrl-C
	$(GO) run ./test/cluster/cmd/cluster

.PHONY: lint
lint: ## Run the linters
	$(LINT) run ./...

.PHONY: bench
bench: ## Run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./internal/... ./webhook/...

.PHONY: load
load: ## Measure what the gate costs beside a webhook that does nothing, in about six minutes; LOAD_FLAGS=--help lists flags
	$(GO) run ./test/load $(LOAD_FLAGS)

.PHONY: load-events
load-events: ## Measure what floods of Warning events cost the judge, in about fifteen minutes; LOAD_FLAGS=--pods=2000 for less
	$(GO) run ./test/load --only events --pods 20000 --nodes 200 $(LOAD_FLAGS)

.PHONY: load-drift
load-drift: ## Measure what drift detection costs beside fluxcd/pkg/ssa, in about six minutes; LOAD_FLAGS=--help lists flags
	$(GO) run ./test/drift $(LOAD_FLAGS)

.PHONY: mutate
mutate: ## Break the guardrail in a thousand small ways and show that its tests notice each
	$(GO) run ./test/mutate ./internal/gate

.PHONY: generate
generate: ## Make the generated files anew: deepcopy, CRDs, fences, rule catalogue, golden files
	$(TOOLS) controller-gen object paths=./api/... crd:crdVersions=v1 output:crd:dir=charts/moorgate/crds
	$(GO) test ./policies -run 'Golden|Generated|Current' -update
