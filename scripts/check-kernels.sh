#!/usr/bin/env bash
# The loops of the kernels call nothing but each other: what the compiler left
# out of line there is compiled without the kernel's instructions and passes
# its vectors through memory. Prints such calls in a release build, and fails.
#
#     scripts/check-kernels.sh target/release/fourzero
set -euo pipefail

program=$1
if [[ $(uname -m) != x86_64 ]] || ! command -v objdump >/dev/null; then
  echo "skipped: needs objdump on x86-64"
  exit 0
fi
objdump --disassemble --demangle --no-show-raw-insn "$program" | awk '
  / <.*>:$/ {
    kernel = ""
    if (match($0, /<fourzero::sha256::(avx512|avx2|portable|sha_ni)::.*>/)) {
      kernel = substr($0, RSTART + 1, RLENGTH - 2)
      kernels++
    }
  }
  # A panic ends the search, and is not in the way of it.
  kernel != "" && /call +[0-9a-f]+ / && !/<fourzero::sha256::|<core::(panicking|option::expect_failed|slice::index)/ {
    print kernel ": " $0
    found = 1
  }
  END {
    if (kernels < 100) {
      print "found only " kernels + 0 " functions of kernels: was the program stripped?"
      found = 1
    }
    exit found
  }'
