#!/usr/bin/env bash
# What `make test-all` adds to `make test`: long fuzzing, and with the optimised agent the demo under interruption and other
# kernels in virtual machines. Writes its result to docs/results/test-all.md.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzz_seconds=${SKOOP_FUZZ_SECONDS:-120}
result=docs/results/test-all.md
agent=.build/release/skoop-agent
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

{
  printf '# make test-all\n\n'
  printf '%s · commit %s · Linux %s\n\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(git rev-parse --short HEAD)" "$(uname -r)"
} >"$log"

if SKOOP_FUZZ_SECONDS=$fuzz_seconds swift test --skip-build --filter FuzzTests; then
  printf 'Fuzzing, %s seconds for each target: no failure.\n\n' "$fuzz_seconds" >>"$log"
else
  printf 'Fuzzing, %s seconds for each target: **failed**.\n\n' "$fuzz_seconds" >>"$log"
  failed=1
fi

if scripts/demo_check.sh --hard "$agent"; then
  printf 'The demo, also interrupted, killed and twice at once: fine.\n\n' >>"$log"
else
  printf 'The demo, also interrupted, killed and twice at once: **failed**.\n\n' >>"$log"
  failed=1
fi

# 2,000 worlds take about 10 minutes on 2 idle cores.
worlds=${SKOOP_PATH_WORLDS:-2000}
fence='```'
printf 'The path simulator against the kernel, %s random worlds:\n\n%s\n' "$worlds" "$fence" >>"$log"
swift build --product path-lab
if ! .build/debug/path-lab run --worlds "$worlds" --keep .build/path-lab | sed '/^features/,$d' >>"$log"; then failed=1; fi
printf '%s\n\nMistakes seeded into the path simulator, found by the recorded worlds:\n\n%s\n' "$fence" "$fence" >>"$log"
if ! scripts/simulator_mutants.py | grep -v '^caught' >>"$log"; then failed=1; fi
printf '%s\n\n' "$fence" >>"$log"

printf 'Other kernels, in virtual machines:\n\n' >>"$log"
if ! scripts/vm_test.sh "$agent" >>"$log"; then failed=1; fi

cp "$log" "$result"
cat "$result"
exit $failed
