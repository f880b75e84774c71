#!/usr/bin/env bash
# Is the optimised agent what docs/decisions/0009-static-agent.md says: one static file without Foundation, that runs where there is
# nothing else, and stays small? Where scripts/static_flags.sh finds that it cannot be static, it must do without Swift's libraries.
#
#   scripts/release_check.sh AGENT
#
# Without root only the file is looked at; where CI is set that is a failure.
set -euo pipefail

readonly limit=40000000
probes=3
work=
agent_pid=
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here

fail() {
  printf 'release_check: %s\n' "$1" >&2
  exit 1
}

clean_up() {
  if [[ -n $agent_pid ]]; then kill -KILL "$agent_pid" 2>/dev/null || true; fi
  if [[ -n $work ]]; then rm -rf -- "$work"; fi
}

is_static() { [[ $("$here/static_flags.sh" 2>/dev/null) == *-static-executable* ]]; }

check_file() {
  local libraries
  if libraries=$(ldd "$1" 2>/dev/null); then
    if is_static || grep --quiet -e swift -e Foundation <<<"$libraries"; then fail "$1 needs $libraries"; fi
  fi
  # Symbols of the module Foundation; FoundationEssentials' begin with $s20.
  if grep --quiet --text --fixed-strings "\$s10Foundation" "$1"; then fail "$1 has Foundation in it"; fi
}

# The file alone, with the kernel's own file systems.
check_empty_root() {
  local available
  mkdir "$work/root" "$work/root/proc" "$work/root/sys"
  cp -- "$1" "$work/root/skoop-agent"
  # The mounts are gone with the shell, whose $0 is the folder.
  # shellcheck disable=SC2016
  available=$(unshare --mount --propagation private sh -c '
    mount --rbind /proc "$0/proc" && mount --rbind /sys "$0/sys" && chroot "$0" /skoop-agent probes' "$work/root" |
    grep -c '^  here:    available')
  [[ $available == "$probes" ]] || fail "in an empty root $available of $probes probes are available"
}

check_memory() {
  local round resident
  cat >"$work/agent.yaml" <<END
address: unix://$work/agent.sock
metrics:
  probes: [{name: packetloss}, {name: tcpretrans}, {name: tcpreset}]
event:
  probes: [{name: packetloss}, {name: tcpretrans}, {name: tcpreset}]
  sinks: [{name: file, args: {path: $work/events.jsonl}}]
END
  "$1" run --config "$work/agent.yaml" 2>"$work/agent.log" &
  agent_pid=$!
  for round in {1..100}; do
    if curl --silent --fail --unix-socket "$work/agent.sock" http://agent/readyz >/dev/null; then break; fi
    sleep 0.1
  done
  ((round < 100)) || fail "the agent does not get ready: $(<"$work/agent.log")"
  curl --silent --fail --unix-socket "$work/agent.sock" http://agent/metrics >"$work/metrics"
  resident=$(sed -n 's/^process_resident_memory_bytes //p' "$work/metrics")
  ((resident < limit)) || fail "the agent has $resident bytes resident, $limit are allowed"
  kill -TERM "$agent_pid"
  wait "$agent_pid" || fail "the agent ended with $?: $(<"$work/agent.log")"
  agent_pid=
  printf 'release_check: %s bytes resident\n' "$resident"
}

main() {
  (($# == 1)) || fail "usage: ${0##*/} AGENT"
  check_file "$1"
  if ((EUID != 0)); then
    [[ -z ${CI:-} ]] || fail "needs root to run the agent"
    printf 'release_check: the file is fine; running it needs root\n'
    return
  fi
  trap clean_up EXIT
  work=$(mktemp -d)
  if is_static; then check_empty_root "$1"; fi
  check_memory "$1"
}

main "$@"
