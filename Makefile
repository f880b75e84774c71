# Skoop. `make help` lists the targets.
SHELL := /bin/bash
SWIFT ?= swift
# Static: the program runs on any Linux of its architecture, and takes less memory (docs/decisions/0009-static-agent.md).
RELEASE := $(SWIFT) build -c release $$(scripts/static_flags.sh)

.PHONY: help setup build check-build demo test test-all fuzz lint format bench bench-agent bench-manifests bench-paths clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install what is missing to build, test and try it (Debian, Ubuntu)
	@scripts/setup.sh test

build: ## the agent and the command line, optimised: .build/release/skoop-agent, .build/release/skoop
	@scripts/setup.sh build
	$(RELEASE) --product skoop-agent
	$(RELEASE) --product skoop

check-build: build ## whether the optimised agent is static, small and runs with nothing else around it
	@scripts/release_check.sh .build/release/skoop-agent

demo: ## a small cluster of namespaces, faults one after another, and what skoop says about them
	@scripts/setup.sh demo
	$(RELEASE) --product skoop-agent
	@scripts/demo.sh .build/release/skoop-agent

test: ## all tests that this machine can run; needs root for those that load kernel programs
	@scripts/setup.sh test
	cd Core && $(SWIFT) test
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	$(SWIFT) test --skip-build

test-all: test build ## and what takes long: long fuzzing, other kernels, a demo that is killed: docs/results/test-all.md
	@scripts/test_all.sh

fuzz: ## the path simulator against the kernel in random worlds, for SECONDS (600); ends with 1 on a disagreement
	$(SWIFT) build --product path-lab
	.build/debug/path-lab run --seconds $(or $(SECONDS),600) --keep .build/path-lab --shrink .build/path-lab/cut-down

lint: ## formatting and shell scripts
	@scripts/lint.sh

format: ## format the Swift sources in place
	$(SWIFT) format --in-place --parallel --recursive Core/Package.swift Core/Sources Core/Tests Package.swift Plugins Sources Tests

bench: bench-agent bench-manifests bench-paths ## measure everything; the results go to docs/results/

bench-agent: ## measure the agent: docs/results/bench.json
	@scripts/setup.sh test
	$(RELEASE) --product skoop-agent
	$(RELEASE) --product skoop-bench
	.build/release/skoop-bench --agent .build/release/skoop-agent --output docs/results/bench.json

bench-manifests: ## measure loading, asking and the policy matrix on the manifests of 100,000 pods
	cd Benchmarks && $(SWIFT) run -c release manifest-bench

bench-paths: ## measure the path of a packet over four hops, there and back
	cd Benchmarks && $(SWIFT) run -c release path-bench

clean: ## remove what was built
	rm -rf .build Core/.build Benchmarks/.build
