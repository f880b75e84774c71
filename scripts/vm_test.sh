#!/usr/bin/env bash
# The agent on other kernels: boots Debian's kernels in an emulator, provokes drops, retransmissions and resets there,
# and compares what the agent tells with what it has to tell on that kernel.
#
#   scripts/vm_test.sh AGENT_BINARY [KERNEL…]     KERNEL: 5.10, 6.1, 6.12; without any: all of them
#
# Prints a table (Markdown); everything else goes to standard error and to .build/vm/. Ends with 1 if a kernel fails.
# Needs no hardware virtualisation and, once its packages are installed, no root.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
work=$root/.build/vm
mirrors=("${SKOOP_DEBIAN_MIRROR:-http://deb.debian.org/debian}" http://archive.debian.org/debian)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
seconds_per_vm=${SKOOP_VM_SECONDS:-300}
all_kernels=(5.10 6.1 6.12)
host_packages=(qemu-system-x86 busybox-static cpio debian-archive-keyring)
# What the guest loads, as far as the kernel does not have it built in. Their dependencies are found.
modules=(veth ip_tables iptable_filter xt_tcpudp ipt_REJECT)

say() { printf 'vm_test: %s\n' "$1" >&2; }

fail() {
  say "$1"
  exit 1
}

usage() {
  printf 'usage: %s AGENT_BINARY [KERNEL…]   (of %s)\n' "${0##*/}" "${all_kernels[*]}" >&2
  exit 64
}

suite_of() {
  case $1 in
    5.10) echo bullseye ;;
    6.1) echo bookworm ;;
    6.12) echo trixie ;;
    *) usage ;;
  esac
}

# ---- the host ----

install_missing() {
  local package missing=()
  for package in "${host_packages[@]}"; do
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      missing+=("$package")
  done
  ((${#missing[@]} == 0)) && return
  local sudo=()
  ((EUID == 0)) || sudo=(sudo)
  say "installing ${missing[*]}"
  "${sudo[@]}" apt-get --quiet --quiet update >&2 || fail "apt-get update failed; missing are: ${missing[*]}"
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --no-install-recommends install \
    "${missing[@]}" >&2 || fail "apt-get could not install: ${missing[*]}"
}

# ---- kernels ----

# apt with lists and sources of its own: the host's package state is neither read nor changed.
foreign_apt() {
  local suite=$1 program=$2 apt=$work/apt/$1
  shift 2
  "$program" --quiet -o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User=root \
    -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State::Lists="$apt/lists" -o Dir::State::status=/dev/null -o Dir::Cache="$apt/cache" \
    -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false "$@"
}

# Puts the kernel of a series into .build/vm/KERNEL/{boot,lib}; a kernel that is there stays.
fetch_kernel() {
  local kernel=$1 suite apt mirror package
  [[ -e $work/$kernel/complete ]] && return
  suite=$(suite_of "$kernel")
  apt=$work/apt/$suite
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  for mirror in "${mirrors[@]}"; do
    say "fetching Linux $kernel: $suite of $mirror"
    printf 'deb [arch=amd64 signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" >"$apt/sources.list"
    foreign_apt "$suite" apt-get -o APT::Update::Error-Mode=any update >&2 || continue
    package=$(foreign_apt "$suite" apt-cache depends linux-image-cloud-amd64 |
      sed -n "s/^ *Depends: \(linux-image-${kernel//./\\.}\.[0-9].*\)/\1/p" | head -n 1)
    [[ -n $package ]] || continue
    rm -rf "${work:?}/$kernel"
    mkdir -p "$work/$kernel"
    if (cd "$work/$kernel" && foreign_apt "$suite" apt-get download "$package" >&2) &&
      dpkg-deb --extract "$work/$kernel/$package"_*.deb "$work/$kernel"; then
      rm "$work/$kernel/$package"_*.deb
      touch "$work/$kernel/complete"
      return
    fi
  done
  return 1
}

# ---- what the guest runs ----

copy_with_libraries() {
  local image=$1 file=$2 destination=$3 library
  mkdir -p "$image/$(dirname "$destination")"
  cp --dereference "$file" "$image/$destination"
  while read -r library; do
    [[ -e $image/guest-lib/${library##*/} ]] || cp --dereference "$library" "$image/guest-lib/"
    # The loader is named by its path.
    [[ ${library##*/} != ld-linux* ]] || cp --dereference "$library" "$image/lib64/"
  done < <(ldd "$file" 2>/dev/null | sed -n 's/^.*=> \(\/[^ ]*\) (.*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p')
}

# Prints a module's name after those of all modules it needs, in the order of loading.
declare -A module_seen=()
module_order() {
  local tree=$1 image=$2 name=${3//-/_} file depends needed
  [[ -z ${module_seen[$name]:-} ]] || return 0
  module_seen[$name]=1
  file=$(find "$tree" -path '*/lib/modules/*' \( -name "$name.ko*" -o -name "${name//_/-}.ko*" \) -print -quit)
  # Not there: built in, or not built; the guest finds out.
  [[ -n $file ]] || return 0
  case $file in
    *.xz) busybox unxz -c "$file" >"$image/modules/$name.ko" ;;
    *.gz) busybox gunzip -c "$file" >"$image/modules/$name.ko" ;;
    *) cp "$file" "$image/modules/$name.ko" ;;
  esac
  depends=$(tr '\0' '\n' <"$image/modules/$name.ko" | sed -n 's/^depends=//p' | head -n 1)
  for needed in ${depends//,/ }; do module_order "$tree" "$image" "$needed"; done
  printf '%s\n' "$name" >>"$image/modules/order"
}

write_init() {
  cat >"$1/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs none /dev
exec >/dev/ttyS0 2>&1 </dev/null
/bin/busybox --install -s /bin
ln -sf /tools/ip /bin/ip
ip() { /tools/ip "$@"; }
hostname guest
export PATH=/bin HOME=/ LD_LIBRARY_PATH=/guest-lib XTABLES_LIBDIR=/xtables SWIFT_BACKTRACE=enable=no
mount -t proc none /proc
mount -t sysfs none /sys
mount -t bpf none /sys/fs/bpf
mount -t tmpfs none /run
mkdir -p /run/netns
echo 1 2>/dev/null >/proc/sys/net/core/bpf_jit_enable
while read -r module; do insmod "/modules/$module.ko" || echo "module $module: refused"; done </modules/order

echo; echo "=== kernel"
uname -r
echo "=== probes"
skoop-agent probes --output json >/run/probes 2>/run/probes-errors
cat /run/probes
echo "=== probes-errors"
cat /run/probes-errors

# Two pods with a cable between them. The server refuses by rules: 81 without a word, 83 with a reset.
in_client() { ip netns exec shop--client "$@"; }
in_server() { ip netns exec shop--server "$@"; }
echo "=== setup"
ip netns add shop--client
ip netns add shop--server
ip link add eth0 netns shop--client type veth peer name eth0 netns shop--server
in_client ip address add 10.99.0.1/24 dev eth0
in_server ip address add 10.99.0.2/24 dev eth0
in_client ip address add fd99::1/64 dev eth0 nodad
in_server ip address add fd99::2/64 dev eth0 nodad
for side in in_client in_server; do
  $side ip link set lo up
  $side ip link set eth0 up
done
in_server iptables -A INPUT -p tcp --dport 81 -j DROP && echo "rule DROP"
in_server iptables -A INPUT -p tcp --dport 83 -j REJECT --reject-with tcp-reset && echo "rule REJECT"
in_client ping -c 1 -W 3 10.99.0.2 >/dev/null && echo "cable works"
in_client ping -c 1 -W 3 fd99::2 >/dev/null && echo "cable works for IPv6"

skoop-agent trace --output json --duration 150s >/run/events 2>/run/summary &
agent=$!
# Ready when each hook has its link. An emulated verifier takes its time.
hooks=$(grep -c -E ' by (tp_btf|raw_tp)"' /run/probes)
for second in $(seq 60); do
  kill -0 $agent 2>/dev/null || break
  links=$(ls -l /proc/$agent/fd 2>/dev/null | grep -c bpf_link)
  [ "$links" -lt "$hooks" ] || break
  sleep 1
done
sleep 1
echo "attached $links of $hooks programs in $second s"

cd /run
# A datagram, and a connection, to a port where nobody listens.
in_client timeout 1 tftp -g -r nothing 10.99.0.2 7001 2>/dev/null
in_client timeout 1 tftp -g -r nothing fd99::2 7002 2>/dev/null
in_client nc -w 2 10.99.0.2 7003 </dev/null 2>/dev/null
in_client nc -w 2 fd99::2 7004 </dev/null 2>/dev/null
# Refused with a reset by a rule.
in_client nc -w 2 10.99.0.2 83 </dev/null 2>/dev/null
# A server that ends without having read what it was sent.
in_server nc -l -p 7005 -e sleep 2 &
sleep 1
(echo unread; sleep 3) | in_client timeout 5 nc 10.99.0.2 7005 2>/dev/null
# Dropped by a rule, and sent again after a second.
in_client nc -w 4 10.99.0.2 81 </dev/null 2>/dev/null
sleep 1

kill -TERM $agent 2>/dev/null
wait $agent
echo "agent ended with $?"
echo "=== events"
cat /run/events
echo "=== summary"
cat /run/summary
echo "=== dmesg"
dmesg | grep -iE 'bpf|segfault|oops|warning|bug:' | tail -n 30
echo "=== end"
poweroff -f
INIT
  chmod 755 "$1/init"
}

build_image() {
  local kernel=$1 agent=$2 image=$work/$1/image module iptables extension
  rm -rf "$image"
  mkdir -p "$image"/{bin,dev,proc,sys,run,tmp,etc,modules,guest-lib,lib64,xtables}
  cp "$(command -v busybox)" "$image/bin/busybox"
  copy_with_libraries "$image" "$agent" bin/skoop-agent
  # Apart from busybox's own ip, which knows no namespaces and which busybox's shell takes first.
  copy_with_libraries "$image" "$(command -v ip)" tools/ip
  iptables=$(command -v xtables-legacy-multi) || fail "there is no xtables-legacy-multi (package iptables)"
  copy_with_libraries "$image" "$iptables" bin/xtables-legacy-multi
  ln -s xtables-legacy-multi "$image/bin/iptables"
  for extension in libxt_standard libxt_tcp libipt_REJECT; do
    cp "$(dpkg-query --listfiles iptables | grep "/$extension.so\$")" "$image/xtables/"
  done
  module_seen=()
  : >"$image/modules/order"
  for module in "${modules[@]}"; do module_order "$work/$kernel" "$image" "$module"; done
  write_init "$image"
  (cd "$image" && find . | cpio --quiet --create --format=newc --owner=0:0) >"$work/$kernel/initramfs"
  rm -rf "$image"
}

boot() {
  local kernel=$1 vmlinuz
  vmlinuz=$(find "$work/$kernel/boot" -name 'vmlinuz-*' -print -quit)
  timeout --kill-after=5 "$seconds_per_vm" qemu-system-x86_64 -accel tcg -cpu max -m 1024 -nographic -no-reboot \
    -net none -kernel "$vmlinuz" -initrd "$work/$kernel/initramfs" \
    -append 'console=ttyS0 loglevel=1 panic=-1' </dev/null 2>&1 | tr -d '\r' >"$work/$kernel/console"
}

# ---- what it told ----

section() { sed -n "/^=== $2\$/,/^=== /{/^=== /!p}" "$work/$1/console"; }

# Is there an event with all these labels? Arguments: the kernel, the type, then NAME=VALUE.
has_event() {
  local events type=$2
  events=$(section "$1" events | grep -F "\"type\":\"$type\"") || return 1
  shift 2
  local label
  for label; do
    events=$(grep -F "{\"name\":\"${label%%=*}\",\"value\":\"${label#*=}\"}" <<<"$events") || return 1
  done
}

# One line for each probe: name, state, hooks.
probe_lines() {
  section "$1" probes | tr -d '\n' | sed 's/[[:space:]]\{2,\}/ /g; s/} *, *{/}\n{/g' |
    sed -n 's/.*"hooks" : \[ *\([^]]*[^] ]\) *\].*"name" : "\([a-z]*\)".*"state" : "\([a-z]*\)".*/\2 \3 (\1)/p' |
    tr -d '"'
}

# Each line: whether it has to be seen (+) or cannot be (-) on this kernel, a name, the type and the labels.
expectations() {
  local reason='' pod='k8s_namespace=shop k8s_pod=server'
  # Before 5.17 the kernel gives no reasons, they follow from the stack.
  [[ $1 != 5.10 ]] || reason=reason_source=derived
  cat <<END
+ drop-no-socket PacketLoss dport=7001 reason=NO_SOCKET $pod $reason
+ drop-no-socket-6 PacketLoss dport=7002 reason=NO_SOCKET dst=fd99::2 $pod $reason
+ drop-by-rule PacketLoss dport=81 reason=NETFILTER_DROP $pod $reason
+ syn-again TCPRetrans dport=81 kind=syn k8s_namespace=shop k8s_pod=client
+ reset-no-socket TCPRESET_NOSOCK sport=7003 namespace=shop pod=server
+ reset-no-socket-6 TCPRESET_NOSOCK sport=7004 namespace=shop pod=server
+ reset-by-rule TCPRESET_NOSOCK sport=83 reason=NETFILTER_REJECT namespace=shop pod=server
+ reset-active TCPRESET_ACTIVE sport=7005 namespace=shop pod=server
+ reset-received TCPRESET_RECEIVE sport=7003 namespace=shop pod=client
+ reset-received-6 TCPRESET_RECEIVE sport=7004 namespace=shop pod=client
END
}

# Fills: probes, seen, complaints.
judge() {
  local kernel=$1 sign name type labels label
  seen=() complaints=()
  mapfile -t probes < <(probe_lines "$kernel")
  grep -q '^=== end$' "$work/$kernel/console" || complaints+=("did not come to its end")
  for name in packetloss tcpretrans tcpreset; do
    printf '%s\n' "${probes[@]}" | grep -q "^$name available (.*by tp_btf" || complaints+=("$name: not by tp_btf")
  done
  [[ $(section "$kernel" setup | grep -c -e '^rule' -e '^cable') == 4 ]] ||
    complaints+=("the network could not be set up")
  while read -r sign name type labels; do
    read -ra label <<<"$labels"
    if has_event "$kernel" "$type" "${label[@]}"; then
      seen+=("$name")
      [[ $sign == + ]] || complaints+=("$name: seen, but this kernel does not tell")
    else
      [[ $sign == - ]] || complaints+=("$name: not seen")
    fi
  done < <(expectations "$kernel")
  # From 5.17 on the reasons are the kernel's own.
  if [[ $kernel != 5.10 ]] && has_event "$kernel" PacketLoss reason_source=derived; then
    complaints+=("a reason was derived")
  fi
}

joined() {
  local IFS=';'
  local text="$*"
  printf '%s' "${text//;/; }"
}

main() {
  (($# >= 1)) || usage
  local agent=$1 kernel failed=0
  shift
  [[ -x $agent ]] || fail "$agent is not a program"
  (($#)) || set -- "${all_kernels[@]}"
  for kernel; do suite_of "$kernel" >/dev/null; done
  [[ $(uname -m) == x86_64 ]] || fail "the kernels are for x86_64, this machine is $(uname -m)"
  install_missing
  mkdir -p "$work"

  local probes=() seen=() complaints=() release verdict started seconds
  printf '| kernel | probes | seen | seconds | verdict |\n|---|---|---|---|---|\n'
  for kernel; do
    if ! fetch_kernel "$kernel"; then
      printf '| %s | | | | **failed**: no kernel package to be had |\n' "$kernel"
      failed=1
      continue
    fi
    build_image "$kernel" "$agent"
    say "booting Linux $kernel"
    started=$SECONDS
    boot "$kernel" || say "the emulator ended with $? (124, 137: stopped after $seconds_per_vm s)"
    seconds=$((SECONDS - started))
    judge "$kernel"
    release=$(section "$kernel" kernel)
    verdict=passed
    if ((${#complaints[@]})); then
      verdict="**failed**: $(joined "${complaints[@]}")"
      failed=1
      section "$kernel" summary | grep -E 'error|does not run' >&2 || true
      say "the console of Linux $kernel is in $work/$kernel/console"
    fi
    printf '| %s | %s | %s | %s | %s |\n' "${release:-$kernel}" "$(joined "${probes[@]}")" "$(joined "${seen[@]}")" \
      "$seconds" "$verdict"
  done
  return $failed
}

main "$@"
