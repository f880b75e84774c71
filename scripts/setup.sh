#!/usr/bin/env bash
# Installs what is missing on Debian or Ubuntu. Calls apt-get only when something is missing.
#
#   scripts/setup.sh build   what building needs besides the Swift toolchain
#   scripts/setup.sh demo    that, and what the demo needs
#   scripts/setup.sh test    that, and what the tests need
set -euo pipefail

build_packages=(make git ca-certificates libc6-dev libbpf-dev libelf-dev libyaml-dev libzstd-dev zlib1g-dev)
demo_packages=(iproute2 iptables python3)
# prometheus brings a server that the package starts as a service; the tests only use its programs.
test_packages=(nftables ipset procps curl prometheus shellcheck)

fail() {
  printf 'setup: %s\n' "$1" >&2
  exit 1
}

usage() {
  printf 'usage: %s build|demo|test\n' "${0##*/}" >&2
  exit 64
}

is_debian_like() {
  [[ -r /etc/os-release ]] || return 1
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || return 1
  local ids
  # shellcheck source=/dev/null
  ids=$(. /etc/os-release && printf ' %s %s ' "${ID:-}" "${ID_LIKE:-}")
  [[ $ids == *' debian '* || $ids == *' ubuntu '* ]]
}

is_installed() {
  [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "installing needs root, and there is no sudo; as root: $*"
  fi
}

install_missing() {
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]} == 0)) && return
  printf 'setup: installing %s\n' "${missing[*]}"
  as_root apt-get --quiet --quiet update || fail "apt-get update failed; missing are: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --no-install-recommends install "${missing[@]}" ||
    fail "apt-get could not install: ${missing[*]}"
}

main() {
  (($# == 1)) || usage
  local packages
  case $1 in
    build) packages=("${build_packages[@]}") ;;
    demo) packages=("${build_packages[@]}" "${demo_packages[@]}") ;;
    test) packages=("${build_packages[@]}" "${demo_packages[@]}" "${test_packages[@]}") ;;
    *) usage ;;
  esac
  is_debian_like ||
    fail "this is neither Debian nor Ubuntu; install by hand what these packages hold: ${packages[*]}"
  command -v swift >/dev/null || fail "there is no swift; install the Swift toolchain (https://www.swift.org/install/linux/)"
  install_missing "${packages[@]}"
}

main "$@"
