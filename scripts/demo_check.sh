#!/usr/bin/env bash
# Checks the demo: that each fault gives its events, and that nothing is left behind.
#
#   scripts/demo_check.sh AGENT          one run
#   scripts/demo_check.sh --hard AGENT   also: two at once, Ctrl-C, SIGTERM, and SIGKILL with a run after it
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
temporary=
demo=
failures=0

complain() {
  printf 'demo check: %s\n' "$*" >&2
  failures=$((failures + 1))
}

usage() {
  printf 'usage: %s [--hard] AGENT\n' "${0##*/}" >&2
  exit 64
}

on_exit() {
  local status=$?
  if [[ -n $demo ]] && kill -0 "$demo" 2>/dev/null; then
    kill -s TERM "$demo" || true
    wait "$demo" || true
  fi
  [[ -z $temporary ]] || rm -rf -- "$temporary"
  exit "$status"
}

# Prints what the demo left on this machine; nothing when all is well.
leftovers() {
  local path
  for path in /run/netns/{node--{a,b},shop--{client,web,api,db},skoop-demo--scout} /run/skoop-demo /run/skoop-demo.lock; do
    [[ ! -e $path ]] || printf '%s\n' "$path"
  done
  ip -o link | grep -oE 'veth-(client|web|api|db)\b' || true
  for path in /proc/[0-9]*; do
    if { tr '\0' '\n' <"$path/environ" | grep -qx SKOOP_DEMO=1; } 2>/dev/null; then
      printf 'process %s: %s\n' "${path#/proc/}" "$(tr '\0' ' ' <"$path/cmdline")"
    fi
  done
}

check_leftovers() {
  local found
  found=$(leftovers)
  [[ -z $found ]] || complain "$1 left behind:"$'\n'"$found"
}

# To the end, and its events compared.
check_run() {
  local ipv6=no status=0
  [[ ! -e /proc/net/if_inet6 ]] || ipv6=yes
  "$here/demo.sh" --keep-events "$temporary/events.jsonl" "$agent" </dev/null || status=$?
  ((status == 0)) || complain "the demo ended with status $status"
  check_leftovers "a run to the end"
  printf '\nEvents of the faults\n'
  python3 "$here/demo_events.py" check --events "$temporary/events.jsonl" --ipv6 "$ipv6" ||
    complain "the events are not those of the faults"
}

# In a process group of its own, with its output in a file; returns when a line with the text has come.
begin_until() {
  : >"$temporary/output.txt"
  # With job control, so that the demo does not start with SIGINT ignored.
  set -m
  "$here/demo.sh" "$agent" </dev/null >"$temporary/output.txt" 2>&1 &
  demo=$!
  set +m
  for _ in {1..400}; do
    if grep -q "$1" "$temporary/output.txt"; then return; fi
    sleep 0.1
  done
  complain "the demo did not come to '$1' in 40 s:"$'\n'"$(tail -n 5 "$temporary/output.txt")"
}

# check_signal SIGNAL STATUS TEXT: the demo, interrupted when the text has come, ends with the status and cleans up.
check_signal() {
  local status=0
  begin_until "$3"
  # To the whole group, as a terminal does.
  kill -s "$1" -- "-$demo" || true
  wait "$demo" || status=$?
  demo=
  ((status == $2)) || complain "after SIG$1 at '$3' the status was $status"
  check_leftovers "SIG$1 at '$3'"
}

check_two_at_once() {
  local status=0
  begin_until "nodes with four pods"
  "$here/demo.sh" "$agent" </dev/null >"$temporary/second.txt" 2>&1 || status=$?
  ((status == 1)) || complain "a second demo ended with status $status"
  grep -q "another demo is running" "$temporary/second.txt" || complain "a second demo said: $(<"$temporary/second.txt")"
  kill -s TERM "$demo" || true
  wait "$demo" || true
  demo=
  check_leftovers "two at once"
}

# Killed in the midst of it: the next run removes what is left.
check_kill() {
  begin_until "Fault 1"
  kill -s KILL "$demo"
  wait "$demo" 2>/dev/null || true
  demo=
  [[ -n $(leftovers) ]] || complain "a killed demo left nothing, so that cleaning up was not tested"
}

main() {
  local hard=no
  if [[ ${1:-} == --hard ]]; then
    hard=yes
    shift
  fi
  (($# == 1)) || usage
  agent=$1
  temporary=$(mktemp -d)
  trap on_exit EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if [[ $hard == yes ]]; then
    check_two_at_once
    check_signal INT 130 "four pods"
    check_signal INT 130 "Fault 1"
    check_signal TERM 143 "Fault 3"
    check_kill
  fi
  check_run
  if ((failures > 0)); then
    printf 'demo check: %d failures\n' "$failures" >&2
    exit 1
  fi
  printf 'demo check: well\n'
}

main "$@"
