# Few recipes, the same for people and for CI. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CARGO := cargo
# Where the demo keeps the resources of its products: local or aws.
PROVIDER ?= local
# How the operator comes into the demo's cluster: manifests or helm.
INSTALL ?= manifests
# Tests wait for servers more than they compute.
TEST_THREADS := $(shell expr 2 '*' $$(getconf _NPROCESSORS_ONLN))
CHART := charts/dataproduct-operator
DENY := .tools/deny/bin/cargo-deny
DENY_VERSION := 0.20.2
# `required` makes `make deny` fail where advisories cannot be checked, as in CI.
ADVISORIES ?= optional

.PHONY: help
help: ## List the recipes
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the operator and the command line
	$(CARGO) build --locked

.PHONY: control-plane
control-plane: ## Install etcd, kube-apiserver, kubectl and kube-controller-manager for tests and demo
	@tests/control-plane/install.sh

.PHONY: emulators
emulators: ## Install the AWS emulators for tests: moto, MiniStack and the fault proxy microburst
	@tests/emulators/install.sh

.PHONY: datacontract
datacontract: ## Install the datacontract tool, which judges exported contracts in tests
	@tests/datacontract/install.sh

.PHONY: kstatus
kstatus: ## Install kstatus, which tells how an object is by the rules of cli-utils, for tests
	@tests/kstatus/install.sh

.PHONY: helm
helm: ## Install Helm 4 and Helm 3, which test the chart
	@tests/helm/install.sh

.PHONY: schemas
schemas: ## Install the schemas of Kubernetes and of the Prometheus operator, which judge what the chart renders
	@tests/kubernetes-validate/install.sh
	@tests/prometheus-operator/install.sh

.PHONY: prometheus
prometheus: ## Install Prometheus and promtool, which test alerts
	@tests/prometheus/install.sh

.PHONY: demo
demo: control-plane $(if $(filter aws,$(PROVIDER)),emulators) $(if $(filter helm,$(INSTALL)),helm) ## Run a mesh on this machine and show it; PROVIDER=aws runs it on AWS emulators, INSTALL=helm installs it with the chart
	@echo "==> building the operator (a few minutes the first time)"
	@$(CARGO) build --locked --bin dataproduct --example demo
	@PROVIDER=$(PROVIDER) INSTALL=$(INSTALL) $(CARGO) run --locked --quiet --example demo

.PHONY: test
test: lint control-plane emulators datacontract kstatus helm schemas prometheus ## Run every check and every test, on a fresh machine too
	$(CARGO) test --locked -- --test-threads $(TEST_THREADS)

.PHONY: lint
lint: ## Check format, lints and the documentation's links
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- --deny warnings
	@# With the example, so that dependencies are those that clippy has checked already, and not once more with other features.
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --locked --no-deps --lib --examples

.PHONY: generate
generate: helm ## Write the generated files anew: crds/, deploy/ and those of the chart
	@# Built like the tests, so that dependencies are not built once more with other features.
	$(CARGO) build --locked --quiet --bin dataproduct --example demo
	target/debug/dataproduct crds --directory crds
	target/debug/dataproduct policies --directory deploy/policies
	target/debug/dataproduct admission --directory deploy/admission
	target/debug/dataproduct aws-policy --directory deploy/aws
	target/debug/dataproduct crds --directory $(CHART)/files/crds
	cp deploy/policies/*.yaml $(CHART)/files/policies/
	cp deploy/monitoring/rules.yaml deploy/monitoring/dashboard.json $(CHART)/files/monitoring/
	for action in warn deny audit; do target/debug/dataproduct admission --action $$action --directory $(CHART)/files/admission/$$action || exit 1; done
	target/debug/dataproduct admission --webhook >$(CHART)/files/webhook.yaml
	@# Before the chart is rendered, which its schema might refuse.
	UPDATE_GOLDEN=1 $(CARGO) test --locked --quiet --test chart -- the_readme_of_the_chart the_schema_of_the_chart
	{ cat deploy/namespace.yaml && .tools/helm/helm4 template dataproduct-operator $(CHART) --namespace datamesh-system --kube-version 1.36.0 --no-hooks; } >deploy/install.yaml.new
	mv deploy/install.yaml.new deploy/install.yaml

.PHONY: bench
bench: ## Measure how fast products are judged, beside other ways to judge them; see benches/README.md
	@# Without the clients of AWS, which judge nothing and take long to build.
	$(CARGO) bench --locked --no-default-features --bench governance

.PHONY: deny
deny: $(DENY) ## Check licences, sources and duplicates of dependencies, and advisories where their database can be reached
	$(DENY) --all-features check bans licenses sources
	@if timeout 300 $(DENY) fetch db; then \
	  $(DENY) --all-features check advisories; \
	elif [ "$(ADVISORIES)" = required ]; then \
	  echo "deny: the database of advisories cannot be reached, so that advisories were not checked" >&2; exit 1; \
	else \
	  echo "deny: the database of advisories cannot be reached; advisories were NOT checked. \`make deny ADVISORIES=required\` fails then"; \
	fi

$(DENY):
	@echo "==> building cargo-deny $(DENY_VERSION) (some eight minutes, once)"
	$(CARGO) install --locked --root .tools/deny --version $(DENY_VERSION) cargo-deny

.PHONY: clean
clean: ## Remove what was built and what the demo left
	$(CARGO) clean
	rm -rf .demo
