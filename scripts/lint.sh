#!/usr/bin/env bash
# Formatting and shell scripts. Ends with 1 at the first kind of complaint.
set -euo pipefail
cd "$(dirname "$0")/.."

swift format lint --strict --parallel --recursive \
  Core/Package.swift Core/Sources Core/Tests Package.swift Plugins Sources Tests

for script in .ci/run scripts/*.sh; do bash -n "$script"; done
if command -v shellcheck >/dev/null; then shellcheck .ci/run scripts/*.sh; fi

echo "lint: fine"
