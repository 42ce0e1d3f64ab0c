# Thin: each target installs what it lacks (tests/setup says what), then calls cargo.
#   make test                 everything that gates a change, with a subset of the lab
#   make demo                 the lab's scenes in turn, with the live view and a page to look at, until Ctrl-C
#   make demo ONCE=1          each scene once, a table, exit status; also ONLY=name,name CONFIG=file RECORD=dir
#   make record               what real tools do, for the training, into models/recordings; also ONLY=family,family.tool SEED=n KEEP_GOING=1
#   make image                the card images of all boards, into target/image
#   make image-test           boots them in a virtual machine and checks all they promise; also ONLY=name,name
#   make bundle BOARD=rpi     an update out of that image, not signed yet: cargo run -p maker -- sign SECRET BUNDLE
#   make bench                the benchmarks, into target/bench/results.json; also QUICK=1 ONLY=features,block
#   make model                trains the forest that ships, with its card, from captures, recordings and scenes
#   make report               judges it and the binary: models/REPORT.md, report.json, report.html
#   make test-long            the long forms of the short checks in make test

SHELL := /bin/bash
LAB   := cargo run --quiet --package lab --bin lab --
TASKS := test test-long demo record image image-test bundle bench model report setup clean

.PHONY: help $(TASKS)
help:
	@sed -n '2,13s/^# //p' Makefile

setup:
	@tests/setup base lab

test: setup
	@tests/setup oracle attack
	@$(LAB) test

test-long: setup
	@tests/setup oracle attack
	@$(LAB) test --long

demo: setup
	@cargo build --release --bin picket
	@$(LAB) demo $(if $(ONCE),--once) $(if $(ONLY),--only "$(ONLY)") $(if $(CONFIG),--config "$(CONFIG)") $(if $(RECORD),--record "$(RECORD)")

record: setup
	@tests/setup record
	@cargo build --release --bin picket
	@$(LAB) record $(if $(ONLY),--only "$(ONLY)") $(if $(SEED),--seed $(SEED)) $(if $(KEEP_GOING),--keep-going)

image:
	@tests/setup base cross image
	@image/build

image-test: image
	@tests/setup lab machine
	@$(LAB) machine --long $(if $(ONLY),--only "$(ONLY)")

bundle: image
	@cargo run --quiet --package maker -- bundle target/image/picket-$(or $(BOARD),rpi).img.zst target/picket-$(or $(BOARD),rpi).picket

bench: setup
	@tests/setup bench
	@cargo build --release --bin picket
	@cargo run --quiet --release --package lab --bin lab -- bench $(if $(QUICK),--quick) $(if $(ONLY),--only "$(ONLY)")

# Real captures first, then what the lab recorded, then scenes that are drawn.
LEARN := --captures $(or $(PICKET_CAPTURES),../shared/captures)/train --captures models/recordings --scenes 150

model:
	@tests/setup base
	@cargo run --quiet --release --package models -- train $(LEARN)

report:
	@tests/setup base
	@cargo build --release --bin picket
	@cargo run --quiet --release --package models -- report $(LEARN)

clean:
	@cargo clean
