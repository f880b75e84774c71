#!/usr/bin/env bash
# Prints the flags that make `swift build` link statically: everything, where this machine's static libraries can be linked;
# else only what comes with Swift, and a word to standard error. (Debian 13's libelf.a misses functions of its own.)
set -euo pipefail

# As the agent's: libbpf needs libelf, which needs zlib and, where it is newer, zstd.
if clang -static -x c - -o /dev/null -lbpf -lelf -lz -lzstd -lyaml 2>/dev/null <<'END'
extern int bpf_object__load(void *), ring_buffer__poll(void *, int), yaml_parser_initialize(void *);
int main(void) { return bpf_object__load(0) + ring_buffer__poll(0, 0) + yaml_parser_initialize(0); }
END
then
  echo --static-swift-stdlib -Xswiftc -static-executable
else
  echo "static_flags: the static libraries here cannot be linked; the programs will need libbpf and libyaml to run" >&2
  echo --static-swift-stdlib
fi
