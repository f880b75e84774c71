#!/usr/bin/env bash
# The demo: a small cluster of network namespaces, faults that switch on one after another, and what skoop says to each.
#
#   scripts/demo.sh [--keep-events FILE] AGENT      AGENT: the built skoop-agent
#
# Namespaces named NAMESPACE--NAME stand for pods. All traffic stays inside them. What exists is written down in
# $state/journal before it is made, so that also a killed demo is cleaned up, by the next one.
set -euo pipefail

readonly state=/run/skoop-demo
readonly lock=/run/skoop-demo.lock
readonly journal=$state/journal
readonly trace=$state/trace.txt
readonly events=$state/events.jsonl
readonly nodes=(node--a node--b)
readonly pods=(shop--client shop--web shop--api shop--db)
# Lives for a moment only: traffic there shows when trace has begun.
readonly scout=skoop-demo--scout
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
# Marks the demo's processes, for whoever looks for one left over.
export SKOOP_DEMO=1

agent=
keep_events=
ipv6=yes
url=
last_pid=
is_waiting=no
owns_state=no
bold=
plain=

# --- messages

say() { printf '%s\n' "$*"; }

heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }

fail() {
  printf 'demo: %s\n' "$*" >&2
  exit 1
}

# --- what exists, and how it ends

record() { printf '%s\n' "$*" >>"$journal"; }

# The kernel's start time of a living process: with it a pid is unmistakable.
start_time() {
  local line fields
  { line=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -ra fields <<<"${line##*) }"
  [[ ${fields[0]} != Z ]] && printf '%s' "${fields[19]}"
}

is_ours() { [[ $(start_time "$1") == "$2" ]]; }

# start LOG COMMAND...: in the background; its pid goes to last_pid. LOG - is the terminal.
start() {
  local log=$1
  shift
  (
    # Not inside $(), where BASHPID is another.
    pid=$BASHPID
    record "process $pid $(start_time "$pid")"
    if [[ $log != - ]]; then exec >>"$log" 2>&1; fi
    exec "$@" </dev/null 9>&-
  ) &
  last_pid=$!
}

# Like a command in the foreground, but a signal to the demo is answered at once.
attend() {
  start - "$@"
  wait "$last_pid"
}

# Stops every recorded process that is still the recorded one.
stop_processes() {
  local word pid began round signal left
  for round in {1..80}; do
    # Politely at first and every second; by force after six.
    signal=0
    ((round % 10 == 1)) && signal=TERM
    ((round > 60)) && signal=KILL
    left=0
    while read -r word pid began; do
      if [[ $word == process && -n $began ]] && is_ours "$pid" "$began"; then
        kill -s "$signal" "$pid" 2>/dev/null || true
        left=$((left + 1))
      fi
    done <"$journal"
    # A child that has not written itself down yet.
    for pid in $(jobs -pr); do
      kill -s "$signal" "$pid" 2>/dev/null || true
      left=$((left + 1))
    done
    ((left == 0)) && return 0
    sleep 0.1
  done
  say "demo: $left processes do not end" >&2
}

remove_namespaces() {
  local word name
  while read -r word name; do
    if [[ $word == netns && -e /run/netns/$name ]]; then ip netns delete "$name" || true; fi
  done <"$journal"
}

# Ends and removes everything in the journal, this run's or that of a killed one.
clean_up() {
  if [[ -e $journal ]]; then
    stop_processes
    remove_namespaces
  fi
  rm -rf -- "$state"
}

on_exit() {
  local status=$?
  # Cleaning goes on whatever fails.
  set +e
  trap '' INT TERM HUP
  trap - EXIT
  if [[ $owns_state == yes ]]; then
    if [[ -n $keep_events && -e $events ]]; then cp -- "$events" "$keep_events" || status=1; fi
    if ((status != 0 && status < 128)) && [[ -s $state/agent.log ]]; then
      say "demo: the agent's last words:" >&2
      tail -n 5 "$state/agent.log" >&2
    fi
    clean_up
    rm -f -- "$lock"
    say "Everything is removed again."
  fi
  exit "$status"
}

on_signal() {
  # Ctrl-C is how a person ends the demo at its end.
  if [[ $is_waiting == yes ]]; then exit 0; fi
  exit "$1"
}

take_lock() {
  local round
  for round in {1..5}; do
    exec 9>>"$lock"
    flock --nonblock 9 || fail "another demo is running; wait for its end, or end it"
    # The one that held it may have removed the file in between.
    [[ /proc/self/fd/9 -ef $lock ]] && return
  done
  fail "$lock keeps vanishing"
}

# --- the cluster

within() { ip netns exec "$@"; }

refuse_foreign_namespaces() {
  local name
  for name in "${nodes[@]}" "${pods[@]}" "$scout"; do
    [[ ! -e /run/netns/$name ]] ||
      fail "there is a network namespace $name that is not the demo's; remove it first (ip netns delete $name)"
  done
}

make_namespace() {
  record "netns $1"
  ip netns add "$1"
  ip -n "$1" link set lo up
  [[ $ipv6 == no ]] ||
    within "$1" sh -c 'cd /proc/sys/net/ipv6/conf && echo 0 >default/disable_ipv6 && echo 0 >all/disable_ipv6 &&
      echo 0 >default/accept_dad && echo 0 >default/router_solicitations'
}

# add_address NAMESPACE INTERFACE SUBNET HOST: 10.244.SUBNET.HOST, and the same in IPv6.
add_address() {
  ip -n "$1" address add "10.244.$3.$4/24" dev "$2"
  [[ $ipv6 == no ]] || ip -n "$1" address add "fd00:244:$3::$4/64" dev "$2" nodad
}

# add_route NAMESPACE IPV4 IPV6 GATEWAY4 GATEWAY6
add_route() {
  ip -n "$1" route add "$2" via "$4"
  [[ $ipv6 == no ]] || ip -n "$1" -6 route add "$3" via "$5"
}

# make_node NAMESPACE SUBNET: with a bridge for its pods.
make_node() {
  make_namespace "$1"
  ip -n "$1" link add cni0 type bridge
  ip -n "$1" link set cni0 up
  add_address "$1" cni0 "$2" 1
  within "$1" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
  [[ $ipv6 == no ]] || within "$1" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
}

join_nodes() {
  ip -n node--a link add eth0 type veth peer name eth0 netns node--b
  ip -n node--a link set eth0 up
  ip -n node--b link set eth0 up
  add_address node--a eth0 0 1
  add_address node--b eth0 0 2
  add_route node--a 10.244.2.0/24 fd00:244:2::/64 10.244.0.2 fd00:244:0::2
  add_route node--b 10.244.1.0/24 fd00:244:1::/64 10.244.0.1 fd00:244:0::1
}

# make_pod NAMESPACE NODE SUBNET HOST
make_pod() {
  local port="veth-${1#*--}"
  make_namespace "$1"
  ip -n "$2" link add "$port" type veth peer name eth0 netns "$1"
  ip -n "$2" link set "$port" master cni0 up
  ip -n "$1" link set eth0 up
  add_address "$1" eth0 "$3" "$4"
  add_route "$1" default default "10.244.$3.1" "fd00:244:$3::1"
}

make_cluster() {
  [[ -e /proc/net/if_inet6 ]] || ipv6=no
  make_node node--a 1
  make_node node--b 2
  join_nodes
  make_pod shop--client node--a 1 10
  make_pod shop--web node--a 1 20
  make_pod shop--api node--b 2 10
  make_pod shop--db node--b 2 20
  say "  node/a  10.244.1.0/24   shop/client 10.244.1.10   shop/web 10.244.1.20"
  say "  node/b  10.244.2.0/24   shop/api    10.244.2.10   shop/db  10.244.2.20"
}

# --- servers and the agent

# serve POD COMMAND NAME PORT: waits until it listens.
serve() {
  local log=$state/$3.log round
  start "$log" ip netns exec "$1" python3 "$here/demo_traffic.py" "$2" --name "$3" "$4"
  for round in {1..100}; do
    if [[ -s $log ]] && grep -q '^ready$' "$log"; then return; fi
    sleep 0.1
  done
  cat "$log" >&2
  fail "the server $3 does not start"
}

start_servers() {
  serve shop--web serve web 80
  serve shop--api serve api 8080
  serve shop--api hang-up api-impatient 8082
  serve shop--db serve db 5432
}

start_agent() {
  local port
  port=$(python3 "$here/demo_events.py" free-port 9102 9131) || fail "no port from 9102 to 9131 is free"
  url=http://127.0.0.1:$port
  cat >"$state/agent.yaml" <<END
address: tcp://127.0.0.1:$port
metrics:
  probes: [{name: packetloss}, {name: tcpretrans}, {name: tcpreset}]
event:
  probes: [{name: packetloss}, {name: tcpretrans}, {name: tcpreset}]
  sinks: [{name: file, args: {path: $events}}]
END
  start "$state/agent.log" "$agent" run --config "$state/agent.yaml"
  attend python3 "$here/demo_events.py" ready --url "$url" --probes 3 || fail "the agent does not come up"
}

# A second process for the terminal, as a person would run it.
start_trace() {
  local round
  : >"$trace"
  start "$trace" "$agent" trace --explain --stack
  make_namespace "$scout"
  for round in {1..20}; do
    # The last of the probes to start sees resets: nobody listens on port 9.
    attend ip netns exec "$scout" python3 "$here/demo_traffic.py" ask --name scout --who scout 127.0.0.1:9 >/dev/null
    if attend python3 "$here/demo_events.py" wait-for --trace "$trace" --text "TCPRESET_NOSOCK  in ${scout/--//}"; then
      ip netns delete "$scout"
      return
    fi
  done
  cat "$trace" >&2
  fail "trace shows nothing"
}

# --- traffic and faults

# traffic COMMAND POD TIMEOUT TARGET...: in the background.
traffic() {
  local command=$1 pod=$2 timeout=$3
  shift 3
  : >"$state/client.txt"
  start "$state/client.txt" ip netns exec "$pod" python3 "$here/demo_traffic.py" "$command" --name "${pod#*--}" \
    --who "${pod/--//}" --timeout "$timeout" "$@"
}

# watch [--limit N] TRAFFIC...: starts it and shows what skoop says meanwhile, then what the client saw.
watch() {
  local offset limit=4
  if [[ $1 == --limit ]]; then
    limit=$2
    shift 2
  fi
  offset=$(stat --format %s "$trace")
  traffic "$@"
  attend python3 "$here/demo_events.py" show --trace "$trace" --offset "$offset" --while-pid "$last_pid" --limit "$limit"
  sed 's/^/  > /' "$state/client.txt"
}

# rule NODE_OR_POD ARGUMENTS...: an iptables rule, shown.
rule() {
  local where=$1
  shift
  say "  \$ iptables $*      (in ${where/--//})"
  within "$where" iptables "$@"
}

unrule() {
  local where=$1
  shift
  within "$where" iptables "${@/#-A/-D}"
}

healthy() {
  local targets=(10.244.1.20:80 10.244.1.20:80)
  [[ $ipv6 == no ]] || targets+=("[fd00:244:1::20]:80")
  heading "Traffic that works: skoop has nothing to say"
  watch ask shop--client 2 "${targets[@]}"
  watch ask shop--web 2 10.244.2.10:8080 10.244.2.20:5432
}

fault_drop() {
  local arguments=(-A FORWARD -d 10.244.2.20 -p tcp --dport 5432 -j DROP)
  heading "Fault 1: a firewall rule on node/b drops what goes to shop/db, port 5432"
  rule node--b "${arguments[@]}"
  watch ask shop--web 2.5 10.244.2.20:5432
  unrule node--b "${arguments[@]}"
}

fault_closed_port() {
  local targets=(10.244.2.10:8081)
  [[ $ipv6 == no ]] || targets+=("[fd00:244:2::10]:8081")
  heading "Fault 2: shop/web asks shop/api on port 8081, where nobody listens"
  watch ask shop--web 2 "${targets[@]}"
}

fault_loss() {
  local arguments=(-A FORWARD -d 10.244.2.10 -p tcp --dport 8080 ! --syn
    -m statistic --mode random --probability 0.25 -j DROP)
  heading "Fault 3: node/a loses a quarter of the packets on their way to shop/api, port 8080"
  rule node--a "${arguments[@]}"
  watch --limit 5 upload shop--client 4 10.244.2.10:8080
  unrule node--a "${arguments[@]}"
}

fault_unread() {
  heading "Fault 4: a process in shop/api, port 8082, closes without having read the request"
  watch ask shop--client 2 10.244.2.10:8082
}

fault_reject() {
  local arguments=(-A INPUT -p tcp --dport 5432 -j REJECT --reject-with tcp-reset)
  heading "Fault 5: a firewall rule in shop/db rejects port 5432 with a reset"
  rule shop--db "${arguments[@]}"
  watch ask shop--client 2 10.244.2.20:5432
  unrule shop--db "${arguments[@]}"
}

# --- the course of it

offer_metrics() {
  [[ -t 0 ]] || return 0
  is_waiting=yes
  say
  say "The agent goes on: curl $url/metrics    events: $events"
  read -rp "Enter or Ctrl-C ends the demo. " || true
}

usage() {
  printf 'usage: %s [--keep-events FILE] AGENT\n' "${0##*/}" >&2
  exit 64
}

read_arguments() {
  while (($# > 0)); do
    case $1 in
      --keep-events)
        (($# >= 2)) || usage
        keep_events=$2
        shift 2
        ;;
      -*) usage ;;
      *)
        [[ -z $agent ]] || usage
        agent=$1
        shift
        ;;
    esac
  done
  [[ -n $agent ]] || usage
}

check_needs() {
  local tool
  ((EUID == 0)) || fail "this needs root, for network namespaces and eBPF: sudo $0 $agent"
  [[ -f $agent && -x $agent ]] || fail "there is no program $agent; build it first"
  for tool in ip iptables python3 flock; do
    command -v "$tool" >/dev/null || fail "there is no $tool; run scripts/setup.sh demo"
  done
}

main() {
  read_arguments "$@"
  check_needs
  agent=$(realpath -- "$agent")
  if [[ -t 1 ]]; then
    bold=$'\033[1m'
    plain=$'\033[0m'
  fi
  take_lock
  trap on_exit EXIT
  trap 'on_signal 130' INT
  trap 'on_signal 143' TERM
  trap 'on_signal 129' HUP
  owns_state=yes
  if [[ -e $state ]]; then
    say "An earlier demo was killed; removing what it left."
    clean_up
  fi
  refuse_foreign_namespaces
  mkdir --mode=700 "$state"
  : >"$journal"

  heading "A cluster of two nodes with four pods"
  make_cluster
  start_servers
  heading "The agent: skoop-agent run --config agent.yaml, and skoop-agent trace --explain --stack"
  start_agent
  start_trace
  say "  packetloss, tcpretrans and tcpreset run; metrics at $url/metrics"
  healthy
  fault_drop
  fault_closed_port
  fault_loss
  fault_unread
  fault_reject
  heading "Summary, from $url/metrics"
  attend python3 "$here/demo_events.py" summary --url "$url"
  offer_metrics
}

main "$@"
